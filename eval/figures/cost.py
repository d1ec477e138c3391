"""Accuracy against cost: each arm's mean loss and mean cost per sample, and the arms that no other beats in both."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.arms import looks
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import columns, interval, losses, mark
from medvision_agent.eval.figures.style import MUTED, THIN, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Spot", "front", "losses_by_cost"]

_HEIGHT = 2.7
_STEPS = ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""Round numbers within a decade, from fine to coarse."""
_ROOM = 0.19
"""The share of the axis that a tick label needs."""
_HOW = (
    "Bars: 95% intervals over subjects, where there are enough. Dashed: the arms that no other beats in both (Pareto "
    "front). The axis of costs is logarithmic."
)


class Spot(NamedTuple):
    """The mean loss and the mean cost of a sample, for one arm on one task."""

    arm: str
    cost: float
    """Mean cost of a sample, in the unit of the panel's axis."""
    loss: float
    interval: tuple[float, float] | None
    """95% interval over subjects; None if they are too few."""
    n: int
    href: str = ""


def front(spots: Sequence[Spot]) -> list[Spot]:
    """Return the arms that no other beats in both loss and cost (Pareto front), from cheapest to lowest loss."""
    kept: list[Spot] = []
    for one in sorted(spots, key=lambda spot: (spot.cost, spot.loss)):
        if not kept or one.loss < kept[-1].loss:
            kept.append(one)
    return kept


def losses_by_cost(
    name: str, title: str, arms: Sequence[str], panels: Mapping[tuple[str, str], Sequence[Spot]]
) -> Figure:
    """Return the figure of mean loss against mean cost: a panel for each task and unit of cost.

    *name* is the file name and *title* the heading. *arms* are all arms of the chapter, which determine the colours.
    """
    look = looks(arms)
    shown = {one.arm for own in panels.values() for one in own}
    return Figure(
        name,
        title,
        _HOW,
        tuple(_panel(task, unit, own, look) for (task, unit), own in panels.items()),
        {arm: one for arm, one in look.items() if arm in shown},
    )


def _panel(task: str, unit: str, spots: Sequence[Spot], look: Mapping[str, Look]) -> Panel:
    best = front(spots)

    def draw(axes: "Axes") -> None:
        points = [(one.cost, one.loss) for one in best]
        axes.plot(*columns(points), color=MUTED, linewidth=THIN, linestyle=(0, (5, 2)), zorder=1)
        for one in spots:
            if one.interval is not None:
                interval(axes, (one.cost, one.interval[0]), (one.cost, one.interval[1]), look[one.arm])
            mark(axes, one.cost, one.loss, look[one.arm], href=one.href)
        losses(axes, "y")
        _decades(axes, [one.cost for one in spots])
        axes.set_xlabel(unit)

    words = "; ".join(f"{one.arm}: loss {one.loss:.3f} at {one.cost:.4g} {unit}, n {one.n}" for one in spots)
    ends = f"On the front: {', '.join(one.arm for one in best)}."
    return Panel(task, _HEIGHT, draw, f"{words}. {ends}", {one.href: one.arm for one in spots if one.href})


def _decades(axes: "Axes", costs: Sequence[float]) -> None:
    """Make the x axis logarithmic, over these costs, with a few ticks at round numbers in plain notation."""
    low, high = min(costs) / 1.3, max(costs) * 1.3
    axes.set(xscale="log", xlim=(low, high))
    axes.set_xticks(round_numbers(low, high))
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")


def round_numbers(low: float, high: float) -> list[float]:
    """Return round numbers between two positive values, as many as fit as labels on a logarithmic axis."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = list[float]()
    for steps in _STEPS:
        found = [float(f"{step}e{power}") for power in powers for step in steps]
        found = [value for value in found if low <= value <= high]
        gaps = [math.log(b / a) / math.log(high / low) for a, b in pairwise(found)]
        if len(found) > 1 and min(gaps) >= _ROOM:
            return found
    return found[:: math.ceil(len(found) * _ROOM)]
