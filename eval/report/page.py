"""The page: one HTML file that needs nothing else. Texts are escaped by the template; only our own drawings are not.

Contract: the same report gives the same bytes. The page forbids itself scripts and the network by a policy of its own,
so that even a fault in escaping would start nothing.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from medvision_agent.eval.report.how import how
from medvision_agent.eval.report.model import Chapter, Panel, Picture, Report
from medvision_agent.eval.report.overlay import KEY, overlay_svg
from medvision_agent.eval.report.sections import Section, place_of, sections
from medvision_agent.eval.report.tables import repeated
from medvision_agent.eval.report.words import BANNERS, headline, sentences
from medvision_agent.text import printable

__all__ = ["html_page"]

_LONGEST = 4000
"""Characters of a response that are shown."""


@dataclass(frozen=True)
class _Panel:
    title: str
    words: str
    svg: Markup
    response: str | None


@dataclass(frozen=True)
class _Sample:
    id: str
    data: Picture
    panels: tuple[_Panel, ...]


@dataclass(frozen=True)
class _Chapter:
    id: str
    data: Chapter
    title: str
    banner: str
    sentences: list[str]
    sections: list[Section]
    pictures_title: str
    pictures_note: str
    pictures: tuple[_Sample, ...]
    how: list[tuple[str, str]]
    plan: str

    @property
    def synthetic(self) -> bool:
        """Whether the pictures are made."""
        return self.data.evidence == "synthetic"


def html_page(report: Report) -> str:
    """Return the report as one HTML file."""
    chapters = [_chapter(chapter, place_of(report, chapter)) for chapter in report.chapters]
    title = f"medvision-agent report: {', '.join(chapter.name for chapter in report.chapters)}"
    synthetic = [chapter.evidence == "synthetic" for chapter in report.chapters]
    if any(synthetic):
        title = f"{'SYNTHETIC' if all(synthetic) else 'Partly SYNTHETIC'}: {title}"
    style = Markup(_text("style.css"))  # noqa: S704 - our own file
    return _template().render(report=report, chapters=chapters, title=printable(title), style=style) + "\n"


def _pictures_title(chapter: Chapter) -> str:
    """Return the heading of the samples shown."""
    return "Samples where the arms differ most" if chapter.contrasts else "Samples with the largest errors"


def _chapter(chapter: Chapter, place: str) -> _Chapter:
    return _Chapter(
        id=place,
        data=chapter,
        title=printable(headline(chapter)),
        banner=BANNERS[chapter.evidence],
        sentences=[printable(sentence) for sentence in sentences(chapter)],
        sections=sections(chapter, place, draw=True),
        pictures_title=_pictures_title(chapter),
        pictures_note=f"{KEY} Of several epochs, the first." if repeated(chapter) else KEY,
        pictures=tuple(_sample(one, f"{place}-p{number}") for number, one in enumerate(chapter.pictures, start=1)),
        how=how(chapter),
        plan=_pretty(chapter.plan) if chapter.plan else "",
    )


def _sample(one: Picture, place: str) -> _Sample:
    first = f"{place}-0"
    about = f"{one.task} of {one.asked}, sample {one.sample}"
    words = (printable(f"Ground truth: {about}"), printable(f"Ground truth: {one.target}."))
    truth = overlay_svg(first, one.png, one.aspect, one.truth, (), words=words, of="")
    panels = [_Panel("ground truth", printable(one.target), truth, None)]
    for number, panel in enumerate(one.panels, start=1):
        said = _said(panel)
        words = (printable(f"{panel.arm}: {about}"), printable(f"Answer: {said}"))
        name = f"{place}-{number}"
        svg = overlay_svg(name, one.png, one.aspect, one.truth, panel.marks, words=words, of=first)
        panels.append(_Panel(printable(panel.arm), printable(said), svg, _clean(_cut(panel.response))))
    return _Sample(place, one, tuple(panels))


def _said(panel: Panel) -> str:
    loss = "" if panel.loss is None else f", loss {panel.loss:.3f}"
    ending = "" if panel.outcome == "answered" else f", ended as {panel.outcome}"
    return f"{panel.answer}{loss}{ending}{f' (not drawn: {panel.note})' if panel.note else ''}"


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n[... {len(text) - _LONGEST:,} more characters are in the run's store]"


def _clean(text: str) -> str:
    return printable(text, lines=True)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False, lstrip_blocks=False)
    environment.filters |= {"clean": _clean, "pretty": _pretty}
    return environment.from_string(_text("page.html.j2"))


def _text(name: str) -> str:
    return (files("medvision_agent.eval.report") / name).read_text(encoding="utf-8")
