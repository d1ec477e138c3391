"""Figures of matplotlib as SVG for a page: text stays text, colours follow the page, the same data give the same bytes.

Contract: a figure is drawn in marker colours that stand for the page's CSS variables (light and dark). It has a role,
a title and a description, no metadata, no style of its own, and no id that another figure has.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

from medvision_agent.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["INK", "MUTED", "Drawn", "drawing", "letters", "svg_text"]

INK, MUTED, _GRID, _BACK = "#010203", "#010204", "#010205", "#010206"
_SERIES = ("#010211", "#010212", "#010213", "#010214", "#010215", "#010216")
_MARKERS = ("o", "s", "^", "D", "v", "P")
"""Shapes go with the colours, so that no meaning hangs on colour alone."""
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", _GRID: "var(--grid)", _BACK: "var(--back)"}
_VARIABLES |= {colour: f"var(--c{number})" for number, colour in enumerate(_SERIES, start=1)}
_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_FONT = re.compile(r"font: (?:[a-z]+ )*(?:\d+ )?([\d.]+px) [^;]*")
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "hatch.linewidth": 0.8,
}


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Hold matplotlib's settings for one figure; whatever a user's own settings are, they are not used."""
    import matplotlib as mpl  # noqa: PLC0415 - takes half a second

    with mpl.rc_context():
        mpl.rcdefaults()
        settings: dict[Any, Any] = {**_SETTINGS, "svg.hashsalt": name}
        mpl.rcParams.update(settings)
        yield


class Drawn(NamedTuple):
    """A figure as an ``svg`` element, with its title and description in words."""

    svg: Markup
    title: str
    description: str


def svg_text(figure: "Figure", name: str, title: str, description: str) -> Drawn:
    """Return a figure for a page."""
    title, description = printable(title), printable(description)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.05)
    root = ET.fromstring(out.getvalue().encode())  # noqa: S314 - matplotlib's own text
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"} or child.tag.endswith("}metadata"):
                parent.remove(child)
    for element in root.iter():
        _rewrite(element, name)
    width = root.attrib.pop("width", "")
    for attribute in ("height", "version"):
        root.attrib.pop(attribute, None)
    root.attrib |= {"class": "plot", "role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    root.attrib["style"] = f"max-width: {float(width.removesuffix('pt')) * 4 / 3:.0f}px" if width else ""
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(place, element)
    ET.register_namespace("", _SVG)
    svg = _coloured(ET.tostring(root, encoding="unicode"))
    return Drawn(Markup(svg), title, description)  # noqa: S704 - written by ElementTree, which escapes every text


def _rewrite(element: ET.Element, name: str) -> None:
    """Make ids the figure's own, links plain, and fonts those of the page."""
    if (own := element.attrib.get("id")) is not None:
        element.attrib["id"] = f"{name}-{own}"
    if (link := element.attrib.pop(_HREF, None)) is not None:
        element.attrib["href"] = f"#{name}-{link.removeprefix('#')}"
    for key, value in element.attrib.items():
        if "url(#" in value:
            element.attrib[key] = value.replace("url(#", f"url(#{name}-")
    if "font:" in (style := element.attrib.get("style", "")):
        element.attrib["style"] = _FONT.sub(r"font-size: \1", style)


def _coloured(text: str) -> str:
    """Put the page's variables where marker colours stand in attributes; text holds none of them by chance."""

    def variable(match: re.Match[str]) -> str:
        tag = match[0]
        for colour, own in _VARIABLES.items():
            tag = tag.replace(colour, own)
        return tag

    return re.sub(r"<[^>]*>", variable, text)


def letters(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a marker for each name, in order."""
    looks = list(zip(_SERIES, _MARKERS, strict=True))
    return {name: looks[number % len(looks)] for number, name in enumerate(names)}
