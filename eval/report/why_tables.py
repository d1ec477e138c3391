"""Sources of error and use of tools: ``eval/why`` of each arm as tables."""

from collections.abc import Iterator

from medvision_agent.eval.report.model import ArmTask, Chapter
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.report.tables import chapter_table, numbers, rates, slug, texts
from medvision_agent.eval.why.measured import solvers
from medvision_agent.eval.why.summary import Group, TaskWhy

__all__ = ["why_tables"]

_WHO = (*texts("arm", "task"), *rates("success rate"), *numbers("subjects"))
_SOLVER = (
    "Unit: the answer minus the same in the form asked for. Arithmetic: that minus what its points give, exactly. "
    "Seeing: what they give minus the target. The signed means add up to the error's. {} finds the points itself (a "
    "solver), so that its figures say little of what the model saw."
)


def why_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables on sources of error and use of tools, without those that have no rows.

    *place* is the prefix of their ids.
    """
    parts = [_errors(chapter, place, signed=False), _errors(chapter, place, signed=True)]
    tables = [*parts, _landmarks(chapter, place), _left(chapter, place), _behaviour(chapter, place)]
    return [table for table in tables if table.rows]


def _each(chapter: Chapter) -> Iterator[tuple[tuple[Value, ...], TaskWhy]]:
    arms = {(one.arm, data.task): one for data in chapter.tasks for one in data.arms}
    for arm, tasks in chapter.why.items():
        for task, why in tasks.items():
            found: ArmTask | None = arms.get((arm, task))
            if found is not None:
                yield (arm, task, found.means["success_rate"].mean, found.subjects), why


def _errors(chapter: Chapter, place: str, *, signed: bool) -> Table:
    columns = [*_WHO, *texts("number", "points from"), *numbers("n")]
    columns += [Column(part, sign=signed) for part in ("error", "unit", "arithmetic", "seeing")]
    rows: list[tuple[Value, ...]] = []
    for who, why in _each(chapter):
        for name, one in why.errors.quantities.items():
            solved = one.with_solver.n > one.without_solver.n
            groups = [("with the solver" if solved else "no solver", one.with_solver)]
            groups += [("without the solver", one.without_solver)] if solved else []
            for label, group in groups:
                sources = ", ".join(f"{source} {count}" for source, count in group.sources.items()) or "none"
                if one.with_solver.n:
                    rows.append(
                        (*who, f"{name} ({one.unit})", f"{label}: {sources}", group.n, *_parts(group, signed=signed))
                    )
    what = "signed means" if signed else "mean sizes"
    caption = f"where the error comes from, unit, arithmetic, seeing: {what}"
    name = slug(place, "error-parts", "signed" if signed else "size")
    notes = [_SOLVER.format(" or ".join(solvers()))] if signed else []
    return chapter_table(chapter, name, caption, columns, rows, notes=notes)


def _parts(group: Group, *, signed: bool) -> list[float | None]:
    parts = (group.error, group.unit, group.arithmetic, group.seeing)
    return [part.signed.mean if signed else part.absolute.mean for part in parts]


def _landmarks(chapter: Chapter, place: str) -> Table:
    columns = [*_WHO, *texts("points"), *numbers("n", "mean distance (mm)", "largest (mm)")]
    rows: list[tuple[Value, ...]] = []
    for who, why in _each(chapter):
        errors = why.errors
        for name, found in (("all", errors.landmarks), ("without solver", errors.landmarks_without_solver)):
            if found is not None:
                rows.append((*who, name, found.mean_mm.n, found.mean_mm.mean, found.largest_mm.mean))
        if (corners := errors.corners) is not None and corners.lower_mm.n:
            rows.append((*who, "lower corner", corners.lower_mm.n, corners.lower_mm.mean, None))
            rows.append((*who, "upper corner", corners.higher_mm.n, corners.higher_mm.mean, None))
    caption = "how far the points of answers lie from the true ones"
    return chapter_table(chapter, slug(place, "landmarks"), caption, columns, rows)


def _left(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task", "number", "why it is not taken apart"), *numbers("samples")]
    rows: list[tuple[Value, ...]] = [
        (who[0], who[1], name, reason, count)
        for who, why in _each(chapter)
        for name, one in why.errors.quantities.items()
        for reason, count in one.not_decomposed.items()
    ]
    caption = "answers whose error is not decomposed, by reason"
    return chapter_table(chapter, slug(place, "not-decomposed"), caption, columns, rows)


def _behaviour(chapter: Chapter, place: str) -> Table:
    columns = [*_WHO, *numbers("n"), Column("calls per sample", 2), *numbers("invalid calls", "over the limit")]
    columns += numbers("repeated calls", "answer is the last result (share)", "of n answers")
    columns += [*numbers("answered before the last call", "answer changed (share)"), *texts("most frequent order")]
    rows: list[tuple[Value, ...]] = []
    for who, why in _each(chapter):
        own = why.behaviour
        if own is None:
            continue
        order = next(iter(own.orders.items()), ("none", 0))
        cells = [own.n, own.calls.mean, own.invalid, own.over_limit, own.repeated]
        cells += [own.last_result_is_answer.mean, own.last_result_is_answer.n]
        cells += [own.answered_before, own.changed.mean]
        rows.append((*who, *cells, f"{order[0]} ({order[1]})"))
    return chapter_table(chapter, slug(place, "behaviour"), "how tools were used", columns, rows)
