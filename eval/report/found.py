"""The findings of a chapter as tables: every comparison, or every arm if nothing is compared."""

from dataclasses import replace

from medvision_agent.eval.findings.headline import BECAUSE
from medvision_agent.eval.findings.model import ArmRow, Row
from medvision_agent.eval.findings.said import cost, per_cent, points, span, wrong, wrong_of_both
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.report.tables import chapter_table, numbers, signed, slug, texts

__all__ = ["FEW", "found_tables", "split"]

FEW = 12
"""Up to this many comparisons are all shown at once; of more, only the main contrast and those with a claim."""
_NOTES = (
    "Difference: the mean loss of the second arm minus that of the first; below 0, the second is better. A failure to "
    "answer costs a loss of 1. Win, tie, loss: samples in which the second arm has the lower, the same and the higher "
    "loss. Wrong place: the share of located answers that were measured elsewhere, first arm and second. Cost: how "
    "many times as much a sample took in the second arm."
)
_SHORT = {
    "difference in loss": "difference",
    "win / tie / loss": "win/tie/loss",
    "difference in success rate, points": "difference in success, points",
}
"""Labels for narrow screens."""


def split(rows: tuple[Row, ...]) -> tuple[list[Row], list[Row]]:
    """Return the rows that are shown at once, and all others: up to 12 rows at once; of more, those with a claim.

    The rows of the main contrast are always among the first.
    """
    if len(rows) <= FEW:
        return list(rows), []
    first = [row for row in rows if row.main or row.claim]
    return first, [row for row in rows if row not in first]


def found_tables(chapter: Chapter, place: str, *, alone: bool = False) -> list[Table]:
    """Return one or two tables of findings: the rows shown at once, then all others; without any, one table of arms.

    *place* is the prefix of their ids. A table *alone*, in a file of its own, also has the reason for a missing claim,
    which on the page is given in the answer.
    """
    if not chapter.findings.rows:
        return [_arms(chapter, place)]
    first, others = split(chapter.findings.rows)
    tables = [_rows(chapter, slug(place, "found"), "what was found", first, alone=alone)]
    return [
        *tables,
        *([_rows(chapter, slug(place, "found-more"), "other comparisons", others, alone=alone)] if others else []),
    ]


def _rows(chapter: Chapter, name: str, caption: str, rows: list[Row], *, alone: bool) -> Table:
    levels, unit = {row.level for row in rows if row.interval is not None}, {row.cost_unit for row in rows}
    interval = f"{100 * levels.pop():.4g}% interval" if len(levels) == 1 else "interval"
    shared = _shared(chapter.findings.rows)
    columns = [*texts("task", "contrast"), *signed("difference in loss"), *numbers(interval, "n", "subjects")]
    cost = f"cost ({unit.pop()})" if len(unit) == 1 else "cost"
    columns += numbers("win / tie / loss", "difference in success rate, points", "wrong place", cost)
    columns += texts("claim")
    columns = [replace(one, short=_SHORT.get(one.name, "")) for one in columns]
    cells = [_cells(row, bare="%" in interval, unit=cost == "cost", shared=bool(shared)) for row in rows]
    told = not alone and any(shared in sentence for sentence in chapter.findings.headline)
    above = (f"No claim in any row: {shared}.",) if shared and not told else ()
    return chapter_table(chapter, name, caption, columns, cells, notes=(_NOTES,), above=above)


def _shared(rows: tuple[Row, ...]) -> str:
    """Return the reason why no row claims a difference, if two or more rows have the same one; otherwise empty."""
    reasons = {row.reason for row in rows}
    if len(rows) == 1 or len(reasons) > 1 or any(row.outcome != "no claim" for row in rows):
        return ""
    return BECAUSE[reasons.pop()]


def _cells(row: Row, *, bare: bool, unit: bool, shared: bool) -> tuple[Value, ...]:
    counts = f"{row.wins} / {row.ties} / {row.losses}"
    told = "yes" if row.claim else "no" if shared else f"no: {row.reason}"
    level = "" if bare else f" ({100 * row.level:.4g}%)"
    ends = f"{span(row.interval)}{level}" if row.interval is not None else None
    cells: tuple[Value, ...] = (row.task, row.contrast, row.difference, ends, row.n, row.subjects, counts)
    success = None if row.success is None else points(row.success).removesuffix(" points")
    return (*cells, success, wrong_of_both(row), cost(row, unit=unit), told)


def _arms(chapter: Chapter, place: str) -> Table:
    columns: list[Column] = [*texts("task", "arm"), *numbers("loss", "n", "subjects", "success rate", "wrong place")]
    rows = [_arm(row) for row in chapter.findings.arms]
    notes = ("A failure to answer costs a loss of 1. Wrong place: the share of located answers measured elsewhere.",)
    return chapter_table(chapter, slug(place, "found"), "what was found", columns, rows, notes=notes)


def _arm(row: ArmRow) -> tuple[Value, ...]:
    return (row.task, row.arm, row.loss, row.n, row.subjects, per_cent(row.success_rate), wrong(row.wrong_place))
