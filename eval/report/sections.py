"""The structure of a report: chapters with sections, sections with tables and figures, for HTML and Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.findings.stated import DIFFERENCES
from medvision_agent.eval.report.agreement import agreement_tables
from medvision_agent.eval.report.agreement_plots import bland_altman, risk_coverage
from medvision_agent.eval.report.cost import cost_table
from medvision_agent.eval.report.cost_plot import losses_by_cost
from medvision_agent.eval.report.deciding import decision_sentences, decision_tables
from medvision_agent.eval.report.found import found_tables
from medvision_agent.eval.report.headroom import NOTE, headroom_figure, headroom_sentences, headroom_table
from medvision_agent.eval.report.joined import joined_tables
from medvision_agent.eval.report.ladder_plot import ladder
from medvision_agent.eval.report.links import Links, Viewer
from medvision_agent.eval.report.model import Chapter, Contrast, Report
from medvision_agent.eval.report.parity_table import parity_table
from medvision_agent.eval.report.parts_tables import parts_sentences, parts_tables
from medvision_agent.eval.report.place_tables import place_sentences, place_tables
from medvision_agent.eval.report.plots import forest, labels, paired, sizes, tool_use
from medvision_agent.eval.report.reading_tables import reading_notes, reading_sentences, reading_tables
from medvision_agent.eval.report.spread import spread_sentences, spread_tables
from medvision_agent.eval.report.strata_tables import interaction_table, strata_table
from medvision_agent.eval.report.table import Table
from medvision_agent.eval.report.tables import (
    FIRST,
    contrast_table,
    endings_table,
    missing_table,
    path_table,
    published_table,
    repeated,
    sensitivity_table,
    task_table,
    tool_table,
)
from medvision_agent.eval.report.why_tables import why_tables
from medvision_agent.eval.report.words import MOST, difference_sentences, why_sentences

__all__ = ["Section", "once", "place_of", "report_figures", "report_tables", "sections"]

_ARMS = 6
"""Most arms in one figure."""
_SHOWN = 3
"""Number of contrasts with figures of their samples, on a page without a main contrast or a claim."""
_NO_VIEWER = Viewer()
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Section:
    """A section of a report, with its heading, its notes, sentences, tables and figures; a page shows it folded."""

    id: str
    title: str
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Sentences, one for each comparison or arm."""
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


def place_of(report: Report, chapter: Chapter) -> str:
    """Return the prefix of a chapter's ids, such as "c1", which no other chapter of the report has."""
    return f"c{report.chapters.index(chapter) + 1}"


def report_tables(report: Report) -> list[Table]:
    """Return all tables of a report, chapter by chapter, as they are written to files."""
    return [
        table
        for chapter in report.chapters
        for table in (
            *found_tables(chapter, place_of(report, chapter), alone=True),
            *(
                table
                for section in sections(chapter, place_of(report, chapter), draw=False)
                for table in section.tables
            ),
        )
    ]


def report_figures(report: Report) -> list[Figure]:
    """Return all figures of a report, chapter by chapter, as they are written to files."""
    return [
        figure
        for chapter in report.chapters
        for section in sections(chapter, place_of(report, chapter), draw=True, every=True)
        for figure in section.figures
    ]


def sections(
    chapter: Chapter, place: str, *, draw: bool, viewer: Viewer = _NO_VIEWER, every: bool = False
) -> list[Section]:
    """Return the sections of a chapter that have content; with *draw*, also their figures.

    *place* is the prefix of ids. Figures link into the bundle of the *viewer*. Figures of samples are made for the main
    contrasts and those with a claim; with *every*, for all.
    """
    links = Links(viewer, chapter)
    drawn = (list(chapter.contrasts) if every else _shown(chapter)) if draw else None
    made = [
        *([_differences(chapter, place, links, drawn), _missing(chapter, place)] if chapter.contrasts else []),
        Section(f"{place}-parity", "Parity", tables=(parity_table(chapter, place),) if chapter.contrasts else ()),
        _cost(chapter, place, links, draw=draw),
        _places(chapter, place),
        Section(
            f"{place}-tasks",
            "Every arm and reference, task by task",
            tables=tuple(task_table(chapter, place, data) for data in chapter.tasks),
        ),
        Section(f"{place}-joined", "Over models and datasets", tables=tuple(joined_tables(chapter, place))),
        _agreement(chapter, place, links, draw=draw),
        _spread(chapter, place),
        _published(chapter, place),
        _strata(chapter, place, links, drawn),
        _why(chapter, place, links, draw=draw),
        _headroom(chapter, place, links, draw=draw, every=every),
        _decisions(chapter, place),
        _readings(chapter, place),
        Section(f"{place}-endings", "How every sample ended", tables=(endings_table(chapter, place),)),
    ]
    return [section for section in made if section.tables or section.figures or section.notes or section.words]


def once(chapter: Chapter, made: Sequence[Section]) -> list[Section]:
    """Return the sections without texts that are on the page already: notes of tables, and how figures are read."""
    caveats = [text for one in chapter.findings.caveats for text in (one.text, *one.details)]
    known = set[str]()

    def kept(table: Table) -> Table:
        new = [note for note in table.notes if note not in known and not any(note in text for text in caveats)]
        known.update(new)
        return replace(table, notes=tuple(new))

    def read(figure: Figure) -> Figure:
        how = "" if figure.description in known else figure.description
        known.add(how)
        return replace(figure, description=how)

    return [replace(one, figures=tuple(map(read, one.figures)), tables=tuple(map(kept, one.tables))) for one in made]


def _shown(chapter: Chapter) -> list[Contrast]:
    """Return the contrasts whose samples are drawn on a page, so that its length follows from the findings."""
    claimed = {row.contrast for row in chapter.findings.rows if row.main or row.claim}
    return [one for one in chapter.contrasts if one.main or one.name in claimed] or list(chapter.contrasts[:_SHOWN])


def _differences(chapter: Chapter, place: str, links: Links, pairs: Sequence[Contrast] | None) -> Section:
    each = [paired(chapter, at, one, links) for at, one in _numbered(place, pairs or ())]
    figures = [forest(chapter, place, links), ladder(chapter, place, links), *each] if pairs is not None else []
    tables = (contrast_table(chapter, place),)
    words = tuple(difference_sentences(chapter))
    return Section(f"{place}-differences", DIFFERENCES, (), words, tables, _there(figures))


def _missing(chapter: Chapter, place: str) -> Section:
    tables = (missing_table(chapter, place), sensitivity_table(chapter, place))
    return Section(f"{place}-missing", "What is missing", tables=tables)


def _places(chapter: Chapter, place: str) -> Section:
    notes = (_first(chapter),) if repeated(chapter) and chapter.places else ()
    tables = tuple(place_tables(chapter, place))
    words = tuple(place_sentences(chapter)) if len(chapter.grounded) <= MOST else ()
    return Section(f"{place}-places", "Measured in the right place", notes if tables else (), words, tables)


def _spread(chapter: Chapter, place: str) -> Section:
    words = tuple(spread_sentences(chapter)) if len(chapter.spread) <= MOST else ()
    tables = tuple(spread_tables(chapter, place))
    return Section(f"{place}-spread", "Noise, and what the spread is made of", (), words, tables)


def _cost(chapter: Chapter, place: str, links: Links, *, draw: bool) -> Section:
    figures = [losses_by_cost(chapter, place, links)] if draw else []
    table = cost_table(chapter, place)
    return Section(f"{place}-cost", "Loss against cost", tables=(table,) if table.rows else (), figures=_there(figures))


def _agreement(chapter: Chapter, place: str, links: Links, *, draw: bool) -> Section:
    figures = [bland_altman(chapter, place, links), _to(links.every(), risk_coverage(chapter, place))] if draw else []
    tables = tuple(agreement_tables(chapter, place))
    return Section(f"{place}-agreement", "Agreement with the ground truth", (), (), tables, _there(figures))


def _published(chapter: Chapter, place: str) -> Section:
    notes = [chapter.published_missing] if chapter.published_missing else []
    if chapter.published and repeated(chapter):
        notes.append(_first(chapter))
    tables = [published_table(place, number, one) for number, one in enumerate(chapter.published, start=1)]
    return Section(f"{place}-published", "Beside published results", tuple(notes), (), tuple(tables))


def _strata(chapter: Chapter, place: str, links: Links, pairs: Sequence[Contrast] | None) -> Section:
    groups: list[tuple[str, tuple[str, ...]]]
    groups = [(one.name, (one.a, one.b)) for one in pairs or ()]
    groups = groups or [(", ".join(arms), arms) for arms in _parts(chapter.arms)]
    figures: list[Figure | None] = []
    if pairs is not None:
        figures = [sizes(chapter, at, name, arms, links) for at, (name, arms) in _numbered(place, groups)]
        figures.append(labels(chapter, place, links))
    tables = [strata_table(chapter, at, one) for at, one in _numbered(place, chapter.contrasts)]
    if (apart := interaction_table(chapter, place)).rows:
        tables.insert(0, apart)
    title = "Error by size of the target, and other strata" if tables else "Error by size of the target"
    return Section(f"{place}-strata", title, (), (), tuple(tables), _there(figures))


def _why(chapter: Chapter, place: str, links: Links, *, draw: bool) -> Section:
    arms = tuple(
        arm
        for arm in chapter.arms
        if any(one.arm == arm and one.effort.tools for data in chapter.tasks for one in data.arms)
    )
    parts = _numbered(place, _parts(arms)) if draw else []
    figures = [tool_use(chapter, at, part, links) for at, part in parts]
    notes = []
    if chapter.offline:
        notes.append(
            f"Scripted policies, whose use of tools is written in their programs: {', '.join(chapter.offline)}."
        )
    if repeated(chapter):
        notes.append(
            f"{_first(chapter).removesuffix('.')} alone: the parts of errors, the points, and how tools were used. "
            f"Success rates, and what a sample took, are over all {repeated(chapter)}."
        )
    paths = [path_table(chapter, place)] if any(run.tool_path for run in chapter.runs) else []
    tables = (*parts_tables(chapter, place), *why_tables(chapter, place), *paths, tool_table(chapter, place))
    return Section(
        f"{place}-why",
        "Where the error comes from, and how tools were used",
        tuple(notes),
        (*(parts_sentences(chapter) if len(chapter.parted) <= MOST else ()), *why_sentences(chapter)),
        tables,
        _there(figures),
    )


def _headroom(chapter: Chapter, place: str, links: Links, *, draw: bool, every: bool) -> Section:
    pairs = list(chapter.contrasts) if every else _shown(chapter)
    arms = tuple(dict.fromkeys(arm for one in pairs for arm in (one.a, one.b))) or chapter.arms
    parts = _parts(chapter.arms if every else arms[:_ARMS]) if draw else []
    figures = [_to(links.every(), headroom_figure(chapter, at, part)) for at, part in _numbered(place, parts)]
    table = headroom_table(chapter, place)
    few = sum(map(len, chapter.headroom.values())) <= MOST
    return Section(
        f"{place}-headroom",
        "Headroom: what the same answers would score",
        (NOTE,) if table.rows else (),
        tuple(headroom_sentences(chapter)) if few else (),
        (table,) if table.rows else (),
        _there(figures),
    )


def _decisions(chapter: Chapter, place: str) -> Section:
    words = tuple(decision_sentences(chapter)) if len(chapter.turned) <= MOST else ()
    tables = tuple(decision_tables(chapter, place))
    return Section(f"{place}-decisions", "Decisions that the answers lead to", (), words, tables)


def _readings(chapter: Chapter, place: str) -> Section:
    few = sum(len(one.pairs) for one in chapter.readings) <= MOST
    words = tuple(reading_sentences(chapter)) if few else ()
    tables = tuple(reading_tables(chapter, place))
    return Section(
        f"{place}-reading", "The responses under a second reader", tuple(reading_notes(chapter)), words, tables
    )


def _first(chapter: Chapter) -> str:
    """Return a sentence on which run of each arm is analysed, for arms that were asked several times."""
    several = repeated(chapter)
    return f"Of arms asked in several {several}, the {FIRST[several]}."


def _numbered(place: str, items: Sequence[_Item]) -> list[tuple[str, _Item]]:
    """Return each item with an id that begins with *place* and ends in its number.

    Without numbers, similar or long names could give equal ids.
    """
    return [(f"{place}-{number}", item) for number, item in enumerate(items, start=1)]


def _parts(arms: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [arms[start : start + _ARMS] for start in range(0, len(arms), _ARMS)]


def _to(href: str, figure: Figure | None) -> Figure | None:
    """Return the figure with a link to *href* from the whole of it; None for None."""
    return None if figure is None else replace(figure, href=href)


def _there(figures: list[Figure | None]) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)
