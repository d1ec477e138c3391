"""The page: one HTML file without external parts. The template escapes all texts except our own drawings.

Contract: the same report gives the same bytes. The page has a security policy that forbids scripts and network access,
so that even an error in escaping could not run anything.
"""

import json
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.style import variables
from medvision_agent.eval.findings.stated import DIFFERENCES
from medvision_agent.eval.report.found import found_tables, split
from medvision_agent.eval.report.glossary import glossary
from medvision_agent.eval.report.how import how
from medvision_agent.eval.report.links import Links, Viewer
from medvision_agent.eval.report.model import Chapter, Panel, Picture, Report
from medvision_agent.eval.report.sections import once, place_of, sections
from medvision_agent.eval.report.tables import repeated
from medvision_agent.eval.report.words import title as title_of
from medvision_agent.text import printable

__all__ = ["html_page"]

_LONGEST = 4000
"""Most characters shown of a response."""
_KEY = (
    "Ground truth: white, dashed, round ends. Answer: in the colour beside the arm's name, solid, square ends. "
    "Measured besides: in the same colour, thin, no ends. Crops the model looked at: in the same colour, dotted. A "
    "response is the model's own words, shown as plain text."
)
"""What the marks mean; no mark is identified by colour alone."""


def html_page(report: Report, viewer: Viewer | None = None) -> str:
    """Return the report as one HTML file; with a bundle of the *viewer*, its rows and figures link into the bundle."""
    chapters = [_chapter(chapter, place_of(report, chapter), viewer or Viewer()) for chapter in report.chapters]
    title = f"medvision-agent report: {', '.join(chapter.name for chapter in report.chapters)}"
    synthetic = [chapter.evidence == "synthetic" for chapter in report.chapters]
    if any(synthetic):
        title = f"{'SYNTHETIC' if all(synthetic) else 'Partly SYNTHETIC'}: {title}"
    style = _text("style.css").replace("/* light */", variables(dark=False)).replace("/* dark */", variables(dark=True))
    sheet = Markup(style)  # noqa: S704 - our own file
    return _template().render(report=report, chapters=chapters, title=title, style=sheet) + "\n"


def _chapter(chapter: Chapter, place: str, viewer: Viewer) -> dict[str, Any]:
    """Return the values that the template needs for a chapter, by their names in the template."""
    found, links = found_tables(chapter, place), Links(viewer, chapter)
    rows = [[links.pair(row.arm, row.against, row.task) for row in own] for own in split(chapter.findings.rows)]
    if not chapter.findings.rows:
        rows = [[links.one(row.arm, row.task) for row in chapter.findings.arms]]
    return {
        "id": place,
        "data": chapter,
        "title": title_of(chapter),
        "found": list(zip(found, rows, strict=False)),
        "sections": once(chapter, sections(chapter, place, draw=True, viewer=viewer)),
        "links": [(one.name, link) for one in chapter.contrasts if (link := links.pair(one.b, one.a))],
        "picture_links": [_opened(links, one) for one in chapter.pictures],
        "pictures_title": "Samples where the arms differ most"
        if chapter.contrasts
        else "Samples with the largest errors",
        "pictures_note": f"{_KEY} Of several {several}, the first." if (several := repeated(chapter)) else _KEY,
        "how": how(chapter),
        "glossary": glossary(chapter),
        "differences": (DIFFERENCES, Markup('<a href="#{}-differences">{}</a>').format(place, DIFFERENCES)),
    }


def _opened(links: Links, picture: Picture) -> list[str]:
    """Return the links from a sample's image into the viewer: one for the ground truth, then one for each arm."""
    arms = [panel.arm for panel in picture.panels]
    before, after = ("", *arms)[-2:] if arms else ("", "")
    own = partial(links.sample, picture.sample, after, before, picture.task)
    return [own(), *(own(on=arm) for arm in arms)]


def _said(panel: Panel) -> str:
    loss = "" if panel.loss is None else f", loss {panel.loss:.3f}"
    ending = "" if panel.outcome == "answered" else f", ended as {panel.outcome}"
    return f"{panel.answer}{loss}{ending}{f' (not drawn: {panel.note})' if panel.note else ''}"


def _drawn(figure: Figure) -> Markup:
    from medvision_agent.eval.figures.page import for_page  # noqa: PLC0415 - takes half a second

    return for_page(figure)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n[... {len(text) - _LONGEST:,} more characters are in the run's store]"


def _arrows(text: str) -> str:
    """Return the text with a one-character arrow in the names of contrasts, which no line end can split."""
    return text.replace(" -> ", " \N{RIGHTWARDS ARROW} ")


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(_text))
    environment.filters |= {
        "plain": printable,
        "clean": partial(printable, lines=True),
        "cut": _cut,
        "said": _said,
        "drawn": _drawn,
    }
    environment.filters |= {"pretty": partial(json.dumps, indent=2, sort_keys=True), "short": _short, "arrows": _arrows}
    return environment.get_template("page.html.j2")


def _text(name: str) -> str:
    return (files("medvision_agent.eval.report") / name).read_text(encoding="utf-8")
