"""The findings for arms that are not compared with another arm."""

from collections.abc import Iterator, Mapping, Sequence

from medvision_agent.eval.findings.model import ArmRow, WrongPlace
from medvision_agent.eval.findings.said import NONE, joined, per_cent
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.summary.summary import Summary
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import fixed, plural

__all__ = ["headline", "rows_of_summary", "wrong_place"]

_MOST = 2
"""Most arms described in words."""


def headline(arms: Sequence[ArmRow], refused: int = 0) -> tuple[str, ...]:
    """Return one to three sentences on how each arm did, for arms that are compared with no other arm.

    *refused* is the number of comparisons that were refused, because the arms differ in more than they may.
    """
    return tuple(_sentences(arms, refused))


def rows_of_summary(arm: str, summary: Summary, places: Mapping[TaskName, TaskPlace]) -> list[ArmRow]:
    """Return a row for each task of one arm with a single run; tasks without a scored sample have no row.

    *summary* is the run's summary, and *places* says, by task, where its answers were measured.
    """
    return [
        ArmRow(
            task=task,
            arm=arm,
            n=one.n,
            subjects=one.subjects,
            loss=one.metrics["loss"].mean,
            success_rate=one.metrics["success_rate"].mean,
            wrong_place=wrong_place(places[task]) if task in places else None,
        )
        for task, one in summary.tasks.items()
        if one.n
    ]


def wrong_place(place: TaskPlace) -> WrongPlace | None:
    """Return how many answers to a task were measured in the wrong place; None if the place of no answer is known."""
    return WrongPlace(elsewhere=place.elsewhere, located=place.share.n) if place.share.n else None


def _sentences(arms: Sequence[ArmRow], refused: int) -> Iterator[str]:
    """Yield a sentence on each of the first arms, then one that says that nothing is compared, and why."""
    names = list(dict.fromkeys(row.arm for row in arms))
    if not arms:
        yield "No sample was scored."
        return
    for name in names[:_MOST]:
        parts = [f"{row.task} {_figures(row)}" for row in arms if row.arm == name]
        yield f"Mean loss of {name}: {joined(parts)}."
    if len(names) > 1 or refused:
        why = ", as a caveat explains" if refused else ""
        more = f"; {plural(len(names) - _MOST, 'more arm')} in the table" if len(names) > _MOST else ""
        yield f"Nothing is compared{why}{more}."


def _figures(row: ArmRow) -> str:
    loss = NONE if row.loss is None else fixed(row.loss, 3)
    where = f"{plural(row.n, 'sample')} of {plural(row.subjects, 'subject')}"
    return f"{loss} ({per_cent(row.success_rate)} answered; {where})"
