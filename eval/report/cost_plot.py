"""Accuracy against cost: the mean loss of every arm beside what it took, and the arms that nothing beats in both."""

from collections.abc import Sequence
from typing import NamedTuple

from medvision_agent.eval.compare.statistics.estimate import estimate
from medvision_agent.eval.report.model import ArmTask, Chapter
from medvision_agent.eval.report.panels import legend, panels
from medvision_agent.eval.report.svg import MUTED, Drawn, drawing, letters, svg_text
from medvision_agent.eval.report.table import fixed
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["Spot", "front", "losses_by_cost"]


class Spot(NamedTuple):
    """An arm on one task."""

    arm: str
    cost: float
    """Mean tokens of a sample, in and out."""
    loss: float
    interval: tuple[float, float] | None
    """At 95 %, over subjects; None for too few."""
    n: int


def front(spots: Sequence[Spot]) -> list[Spot]:
    """Return the arms that no other one beats in both, from the cheapest to the one with the least loss (Pareto)."""
    kept: list[Spot] = []
    for one in sorted(spots, key=lambda spot: (spot.cost, spot.loss)):
        if not kept or one.loss < kept[-1].loss:
            kept.append(one)
    return kept


def losses_by_cost(chapter: Chapter, place: str) -> Drawn | None:
    """Return the figure, a panel for each task; None where fewer than two arms say what they took."""
    spots = {
        data.task: [spot for one in data.arms if (spot := _spot(one, chapter)) is not None] for data in chapter.tasks
    }
    tasks = [task for task, own in spots.items() if len(own) > 1]
    if not tasks:
        return None
    name, look = slug(place, "cost"), letters(chapter.arms)
    with drawing(name):
        figure, axes = panels(tasks)
        for at, task in zip(axes, tasks, strict=True):
            best = front(spots[task])
            at.plot([one.cost for one in best], [one.loss for one in best], color=MUTED, linewidth=1, linestyle="--")
            for one in spots[task]:
                colour, marker = look[one.arm]
                if one.interval is not None:
                    at.plot([one.cost] * 2, one.interval, color=colour, linewidth=2, solid_capstyle="butt")
                at.plot([one.cost], [one.loss], marker, color=colour, markersize=7)
            at.set(ylim=(-0.04, 1.04), xlabel="tokens of a sample", title=task)
            at.set_xscale("log")
        axes[0].set_ylabel("mean loss")
        legend(
            figure,
            {arm: look[arm] for arm in chapter.arms if any(one.arm == arm for own in spots.values() for one in own)},
        )
        words = "; ".join(
            f"{task}, {one.arm}: loss {fixed(one.loss, 3)} at {one.cost:.0f} tokens, n {one.n}"
            for task in tasks
            for one in spots[task]
        )
        title = marked(chapter, "loss against cost; dashed: the arms that no other beats in both")
        return svg_text(figure, name, title, f"Bars: 95% intervals over subjects, where they are enough. {words}.")


def _spot(one: ArmTask, chapter: Chapter) -> Spot | None:
    taken = [mean.mean for mean in (one.effort.input_tokens, one.effort.output_tokens)]
    loss = one.means["loss"].mean
    if loss is None or None in taken or not (cost := sum(filter(None, taken))):
        return None
    losses, subjects = [loss for _, _, loss in one.points], [subject for subject, _, _ in one.points]
    found = estimate(losses, subjects, evidence=chapter.evidence, role="exploratory")
    return Spot(one.arm, cost, loss, found.interval, one.n)
