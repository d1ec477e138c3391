"""Loss against cost: what every arm cost, in tokens and in money, and the arms that no other beats in both.

Contract: an arm's cost in money is known if all its scored samples have a price and reported usage. A figure shows
money if this is known for all arms of a chapter, otherwise tokens, so that no arm is left out for a missing price.
"""

from collections.abc import Sequence
from typing import Literal

from medvision_agent.eval.compare.statistics.estimate import estimate
from medvision_agent.eval.figures.cost import Spot, front
from medvision_agent.eval.report.model import ArmTask, Chapter
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.report.tables import LEVEL, chapter_table, numbers, slug, texts
from medvision_agent.eval.tasks import TaskName

__all__ = ["Unit", "cost_of", "cost_table", "cost_unit", "spots"]

Unit = Literal["tokens", "US dollars"]
_FRONT = (
    "On the front: no other arm that costs no more has as low a mean loss. It goes by means alone: an arm may be on it "
    "or not by a difference that is noise, so read it beside the intervals and the differences between arms."
)


def cost_of(one: ArmTask, unit: Unit) -> float | None:
    """Return the mean cost of a sample in an arm, in tokens or US dollars; None if it is unknown or zero."""
    effort = one.effort
    if unit == "tokens":
        taken = [mean.mean for mean in (effort.input_tokens, effort.output_tokens)]
        return None if None in taken else sum(filter(None, taken)) or None
    whole = effort.cost_usd.n == effort.turns.n and not effort.unreported
    return effort.cost_usd.mean or None if whole else None


def cost_unit(chapter: Chapter) -> Unit:
    """Return the unit in which all arms of a chapter can be compared: US dollars, or tokens if a price is missing."""
    arms = [one for data in chapter.tasks for one in data.arms if one.means["loss"].mean is not None]
    return "US dollars" if arms and all(cost_of(one, "US dollars") is not None for one in arms) else "tokens"


def spots(chapter: Chapter, unit: Unit) -> dict[TaskName, list[Spot]]:
    """Return, by task, the mean loss and the mean cost of each arm whose cost in this unit is known."""
    return {
        data.task: [spot for one in data.arms if (spot := _spot(one, chapter, unit)) is not None]
        for data in chapter.tasks
    }


def cost_table(chapter: Chapter, place: str) -> Table:
    """Return the table of loss and cost of every arm, and whether another arm beats it in both.

    It has no rows for a single arm. *place* is the prefix of its id.
    """
    units: tuple[Unit, Unit] = ("tokens", "US dollars")
    columns = [*texts("arm", "task"), *numbers("n", "loss", "low", "high"), Column("tokens", 0)]
    columns += [Column("US dollars", 5), *texts("on the front, tokens", "on the front, US dollars")]
    both, rows = [spots(chapter, unit) for unit in units], list[tuple[Value, ...]]()
    for data in chapter.tasks:
        for arm in chapter.arms:
            known = [next((one for one in own[data.task] if one.arm == arm), None) for own in both]
            if (first := known[0] or known[1]) is not None:
                costs = [None if one is None else one.cost for one in known]
                best = [_on_front(one, own[data.task]) for one, own in zip(known, both, strict=True)]
                rows.append((arm, data.task, first.n, first.loss, *(first.interval or (None, None)), *costs, *best))
    several = len({row[0] for row in rows}) > 1
    caption, notes = "loss and cost of a sample", (_FRONT, LEVEL)
    return chapter_table(chapter, slug(place, "cost-table"), caption, columns, rows if several else [], notes=notes)


def _on_front(one: Spot | None, others: Sequence[Spot]) -> str:
    return "not known" if one is None else "yes" if one in front(others) else "no"


def _spot(one: ArmTask, chapter: Chapter, unit: Unit) -> Spot | None:
    cost, loss = cost_of(one, unit), one.means["loss"].mean
    if loss is None or cost is None:
        return None
    losses, subjects = [point.loss for point in one.points], [point.subject for point in one.points]
    found = estimate(losses, subjects, evidence=chapter.evidence, role="exploratory")
    return Spot(one.arm, cost, loss, found.interval, one.n)
