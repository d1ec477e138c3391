"""Models in the layout of MedVision's Tables 2 to 4, with our figure above the published one, and what differs.

Contract: a published figure names its version. Our figures and published ones are never averaged together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from medvision_agent.eval.figures.by_label import Labelled, loss_by_label
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.style import TITLE
from medvision_agent.eval.figures.words import fitted
from medvision_agent.eval.published.entry import Entry
from medvision_agent.eval.published.figures import PILOT, unit_of
from medvision_agent.eval.published.strata import ALL, ANGLES, HELD, PLANE, SIZE
from medvision_agent.eval.published.versions import versions
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.tasks import Family

__all__ = ["published_figure", "published_tables"]

_NAMES: dict[Family, tuple[str, str]] = {
    "Detection": ("detection", "detection, in the shape of MedVision's Table 2"),
    "TL": ("size", "tumor/lesion size, in the shape of MedVision's Table 3"),
    "AD": ("angle-distance", "angles and distances, in the shape of MedVision's Table 4"),
}
_STRATA = {
    ALL: ("success", "success rates and errors of all samples"),
    HELD: ("held-out", "planes and tasks that MedVision's lists hold out"),
    PLANE: ("planes", "samples by plane"),
    SIZE: ("sizes", "samples by size of the target"),
    ANGLES: ("small-angles", "angles by their true value"),
}
_MEASURES = ("SR", "MAE", "MRE", "MRE<0.1", "IoU", "F1", "IoU>0.5")
_OURS = (
    "All samples with a result count, failures included, also those that the group means of Tables 2 to 4 leave out. "
    "MAE in millimetres or degrees, all others in %."
)
_LISTS = (
    "By MedVision's lists of tasks: the main list, and the lists of held-out planes and tasks. Its list of held-out "
    "angles and distances names tasks of the main list, so that none is held out by name."
)
_STEPS = "The steps are this program's own: MedVision publishes none for small angles, and 5% steps for boxes."
_PANEL_WIDTH = 140
"""Points for a panel's title beside labels."""
_FEW = 5
"""A cell of the figure with fewer subjects has no mean."""


def published_tables(entries: Sequence[Entry]) -> list[Table]:
    """Return MedVision's tables with our figures above the published ones, then tables by kind of sample.

    *entries* are the models. Tables without samples are left out.
    """
    shaped = [_shaped(family, [one for one in entries if family in one.figures]) for family in _NAMES]
    return [table for table in (*shaped, *(_strata(kind, entries) for kind in _STRATA)) if table.rows]


def published_figure(entries: Sequence[Entry]) -> Figure | None:
    """Return the figure of the loss of boxes by label and box-to-image ratio, a panel for each model.

    None if there are too few boxes.
    """
    shown = [one for one in entries if one.boxes]
    boxes = {name: [Labelled(*box) for box in one.boxes] for name, one in zip(_panels(shown), shown, strict=True)}
    return loss_by_label("published-labels", "loss of boxes by label and box-to-image ratio", boxes, _FEW)


def _panels(entries: Sequence[Entry]) -> list[str]:
    """Return a unique title for each model's panel: its name, and how it was asked if the name occurs twice.

    Titles are cut to the panel's width if they remain unique.
    """
    models = Counter(one.model for one in entries)
    names = [one.model if models[one.model] == 1 else f"{one.model}, {one.how}" for one in entries]
    short = [fitted(name, _PANEL_WIDTH, TITLE, bold=True) for name in names]
    return short if len(set(short)) == len(set(names)) else names


def _shaped(family: Family, entries: Sequence[Entry]) -> Table:
    printed = [table for one in versions() for table in one.tables if table.family == family]
    used = {one.version.name for one in entries}
    own = [table for one in versions() if one.name in used for table in one.tables if table.family == family]
    parts = [part for part in printed[0].parts if part != PILOT]
    names = [name for name in dict.fromkeys(name for table in own for name in table.columns) if name != "cost"]
    columns = [Column("model", text=True), Column("from", text=True)]
    for part in parts:
        columns += [*(_figures(name, unit_of(name, part), part) for name in names), Column("n", group=part)]
    rows: list[tuple[Value, ...]] = []
    for entry in entries:
        if any(one.n for one in entry.figures[family].values()):
            rows.append(_own_row(entry, family, parts, names))
            rows += [_printed_row(entry, family, parts, names)] if family in entry.published else []
    name, caption = _NAMES[family]
    known = [f"{one.model}: {note}" for one in entries for note in one.notes]
    notes = [printed[0].note, *_differences(entries), *known, *(one.source for one in versions() if one.name in used)]
    return Table(f"published-{name}", caption, tuple(columns), tuple(rows), tuple(notes))


def _figures(name: str, unit: str, part: str = "") -> Column:
    """Return a column of figures in *unit*: "%" is written in each cell, any other unit in the heading.

    *part* is the heading above the column.
    """
    return Column(name, 1, unit="%", group=part) if unit == "%" else Column(f"{name} ({unit})", 1, group=part)


def _own_row(entry: Entry, family: Family, parts: Sequence[str], names: Sequence[str]) -> tuple[Value, ...]:
    cells: list[Value] = [entry.model, f"ours: {entry.how}; scored by {entry.rules}"]
    for part in parts:
        found = entry.figures[family][part]
        cells += [*(found.values.get(name) for name in names), found.n] if found.n else [None] * (len(names) + 1)
    return tuple(cells)


def _printed_row(entry: Entry, family: Family, parts: Sequence[str], names: Sequence[str]) -> tuple[Value, ...]:
    table, row = entry.published[family]
    pilot = PILOT if PILOT in table.parts else ""
    cells: list[Value] = [row.model, f"published: {entry.version.name}{', pilot' if pilot else ''}"]
    for part in parts:
        stated = dict(zip(table.columns, row.figures[pilot or part], strict=True))
        cells += [*(stated.get(name) for name in names), table.parts[pilot or part] or "not stated"]
    return tuple(cells)


def _differences(entries: Sequence[Entry]) -> Iterable[str]:
    """Yield how the conditions of the models differ from the published ones, each difference once.

    It names the models concerned if they are not all.
    """
    lines = dict.fromkeys((one.version.name, line) for one in entries for line in one.differences)
    for version, line in lines:
        own = [one for one in entries if one.version.name == version]
        those = [one for one in own if line in one.differences]
        of = "" if len(those) == len(own) else f" ({'; '.join(f'{one.model}, {one.how}' for one in those)})"
        yield f"Not the same here and in {version}: {line}{of}."


def _strata(kind: str, entries: Sequence[Entry]) -> Table:
    columns = [*(Column(name, text=True) for name in ("model", "how it was asked", "scored by", "task", "samples"))]
    columns += [Column("n"), *(_figures(name, "%" if name != "MAE" else "mm or degrees") for name in _MEASURES)]
    rows = tuple(
        (one.model, one.how, one.rules, own.task, own.value, own.n, *(own.measures[name] for name in _MEASURES))
        for one in entries
        for own in one.strata
        if own.kind == kind
    )
    name, caption = _STRATA[kind]
    notes = {HELD: (_LISTS,), SIZE: (_STEPS,), ANGLES: (_STEPS,)}.get(kind, ())
    return Table(f"published-{name}", caption, tuple(columns), rows, (_OURS, *notes))
