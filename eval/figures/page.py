"""Figures for a web page: text stays text, colours follow the page, and the same data give the same bytes.

Contract: a panel is an ``svg`` element with a role, a title and a description, in the page's own font, no wider than it
was designed, without metadata or a style of its own, and without an id that another panel has. A panel with links has
the role of a group, because what is inside an image cannot be reached with the keyboard.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

from markupsafe import Markup

from medvision_agent.eval.figures.canvas import drawing, laid_out, saved, single
from medvision_agent.eval.figures.figure import Figure, Panel, relative
from medvision_agent.eval.figures.style import VARIABLES, Look
from medvision_agent.text import printable

__all__ = ["for_page"]

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
"""SVG's letters for the steps of matplotlib's paths."""
_FONT = re.compile(r"font: (?:[a-z]+ )*(?:\d+ )?([\d.]+px) [^;]*")
_FAMILY = re.compile(r"font-family: [^;]*; ?")
_NUMBERS = {"d", "x", "y", "transform", "width", "height"}
_LONG = re.compile(r"-?\d+\.\d{3,}")
_STOPS = 40
"""Most links of a panel that are reached by the keyboard; with more, none is."""
_NAMED = re.compile(r"#([\w-]+)")


def for_page(figure: Figure) -> Markup:
    """Return the key and the panels of a figure as HTML, in an element that arranges them in rows."""
    with drawing(figure.name):
        panels = [_panel(figure, panel, f"{figure.name}-{at}") for at, panel in enumerate(figure.panels, start=1)]
        key = [Markup("<li>{}{}</li>").format(_swatch(look), printable(name)) for name, look in figure.key.items()]
    inner = Markup("").join(panels)
    if figure.href:
        inner = Markup('<a href="{}">{}</a>').format(relative(figure.href), inner)
    keys = Markup('<ul class="key">{}</ul>').format(Markup("").join(key)) if key else Markup("")
    return Markup('<div class="plots">{}{}</div>').format(keys, inner)


def _panel(figure: Figure, panel: Panel, name: str) -> Markup:
    root = ET.fromstring(saved(laid_out(single(panel)), "svg"))  # noqa: S314 - matplotlib's own text
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"} or child.tag.endswith("}metadata"):
                parent.remove(child)
    for element in list(root.iter()):
        _rewrite(element, name)
    _link([one for one in root.iter() if one.tag == f"{{{_SVG}}}a"], panel.links)
    _lighter(root)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    role = "group" if panel.links else "img"
    root.attrib |= {"class": "plot", "role": role, "aria-labelledby": f"{name}-title {name}-desc"}
    title = f"{figure.title}: {panel.title}" if panel.title else figure.title
    for place, (tag, text) in enumerate((("title", title), ("desc", panel.words))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = printable(text)
        root.insert(place, element)
    ET.register_namespace("", _SVG)
    return Markup(_coloured(ET.tostring(root, encoding="unicode")))  # noqa: S704 - ElementTree escapes every text


def _rewrite(element: ET.Element, name: str) -> None:
    """Change an SVG element for the page: ids unique to the panel *name*, plain references, short numbers, no font.

    Without a font of its own, its text has that of the page.
    """
    if (own := element.attrib.get("id")) is not None:
        element.attrib["id"] = f"{name}-{own}"
    if (link := element.attrib.pop(_HREF, None)) is not None:
        leads = element.tag == f"{{{_SVG}}}a"
        element.attrib["href"] = relative(link) if leads else f"#{name}-{link.removeprefix('#')}"
    for key, value in element.attrib.items():
        if "url(#" in value:
            element.attrib[key] = value.replace("url(#", f"url(#{name}-")
        elif key in _NUMBERS:
            element.attrib[key] = _LONG.sub(lambda found: f"{float(found[0]):.2f}", " ".join(value.split()))
    if "font" in (style := element.attrib.get("style", "")):
        element.attrib["style"] = _FAMILY.sub("", _FONT.sub(r"font-size: \1", style))
    if element.attrib.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _link(links: Sequence[ET.Element], words: Mapping[str, str]) -> None:
    """Add a description to each link, for users of a screen reader and for those who point at a mark.

    *words* holds the description by address. A mark of two elements is one keyboard stop. With too many marks to step
    through, there are no stops: the addresses below a figure lead to the same samples.
    """
    known = set[str]()
    for link in links:
        href = link.attrib["href"]
        link.attrib.pop("target", None)
        link.attrib["aria-label"] = printable(words[href])
        if href in known or len(words) > _STOPS:
            link.attrib["tabindex"] = "-1"
        known.add(href)
        title = ET.Element(f"{{{_SVG}}}title")
        title.text = link.attrib["aria-label"]
        link.insert(0, title)


def _lighter(root: ET.Element) -> None:
    """Remove what the SVG does not need: ids that nothing refers to, white space between elements, empty texts."""
    named = {word for one in root.iter() for value in one.attrib.values() for word in _NAMED.findall(value)}
    for element in root.iter():
        if element.attrib.get("id", "") not in named and "mark" not in element.attrib.get("id", ""):
            element.attrib.pop("id", None)
        if not (element.text or "").strip():
            element.text = None
        element.tail = None


def _coloured(text: str) -> str:
    """Return the SVG with the page's colour variables instead of colours; visible text remains unchanged."""

    def variable(match: re.Match[str]) -> str:
        tag = match[0]
        if tag.startswith(("<title", "<desc")):
            return tag
        for colour, own in VARIABLES.items():
            tag = tag.replace(colour, own)
        return tag

    return re.sub(r"<[^>]*>", variable, text)


def _swatch(look: Look) -> Markup:
    """Return an SVG element with the mark of one entry of a figure's key, centred in a square of 14 units."""
    from matplotlib.markers import MarkerStyle  # noqa: PLC0415 - takes half a second

    marker = MarkerStyle(look.shape)
    steps = [
        _step(_LETTERS[int(code)], (points.reshape(-1, 2) * (9, -9)).ravel())
        for points, code in marker.get_path().transformed(marker.get_transform()).iter_segments(simplify=False)
    ]
    colour, face = (VARIABLES.get(one, one) for one in (look.colour, look.face))
    return Markup(
        '<svg class="swatch" viewBox="-7 -7 14 14" aria-hidden="true">'
        '<path d="{}" style="fill: {}; stroke: {}; stroke-width: 1.3"/></svg>'
    ).format(" ".join(steps), face, colour)


def _step(letter: str, numbers: Iterable[float]) -> str:
    """Return one step of an SVG path; a closing step ("Z") has no numbers, although matplotlib gives it some."""
    return letter if letter == "Z" else letter + " ".join(f"{at:.2f}" for at in numbers)
