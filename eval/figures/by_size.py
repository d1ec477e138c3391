"""Error by the size of the target: sample by sample in each arm, and by label and box-to-image ratio."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.arms import looks
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import Dot, columns, dots, label, losses
from medvision_agent.eval.figures.style import LINE, Look
from medvision_agent.text import significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Sized", "loss_by_size"]

_HEIGHT = 2.6
_CROWD = 300
"""Most small marks drawn for an arm."""
_GROUPS = 5
"""Number of equally large groups of samples whose means are joined by a line."""


class Sized(NamedTuple):
    """The loss of one sample, with the size of its target in the unit of the panel."""

    subject: str
    size: float
    loss: float
    name: str = ""
    """Of the sample."""
    href: str = ""


def loss_by_size(
    name: str,
    title: str,
    arms: Sequence[str],
    panels: Mapping[tuple[str, str], Mapping[str, Sequence[Sized]]],
    few: int,
) -> Figure:
    """Return the figure of loss by size of the target: a panel for each task and unit of size, with each arm's samples.

    *name* is the file name and *title* the heading. *arms* are all arms of the chapter, which determine the colours.
    Groups with fewer than *few* subjects have no mean.
    """
    look = looks(arms)
    how = f"Small marks are samples ({_CROWD} of an arm at most)."
    if any(means(_in_order(own), few) for panel in panels.values() for own in panel.values()):
        how += (
            f" Large ones, joined, are the means of {_GROUPS} groups of equal numbers, where a group has {few} "
            "subjects at least."
        )
    made = tuple(_panel(task, unit, own, look, few) for (task, unit), own in panels.items())
    shown = {arm for own in panels.values() for arm in own}
    return Figure(name, title, how, made, {arm: one for arm, one in look.items() if arm in shown})


def _panel(task: str, unit: str, samples: Mapping[str, Sequence[Sized]], look: Mapping[str, Look], few: int) -> Panel:
    ordered = {arm: _in_order(own) for arm, own in samples.items()}
    joined = {arm: means(own, few) for arm, own in ordered.items()}
    shown = {arm: own[:: math.ceil(len(own) / _CROWD) or 1] for arm, own in ordered.items()}

    def draw(axes: "Axes") -> None:
        for arm, own in shown.items():
            dots(axes, [Dot(one.size, one.loss, one.name, one.href) for one in own], look[arm])
        for arm, points in joined.items():
            one = look[arm]
            axes.plot(*columns(points), marker=one.shape, linestyle=one.dash, color=one.colour, linewidth=LINE)
        losses(axes, "y", "loss")
        axes.set_xlabel(label(unit))

    told = {
        arm: ", ".join(f"{loss:.3f} at {significant(size, 3)}" for size, loss in points)
        for arm, points in joined.items()
    }
    words = "; ".join(f"{arm}: {means or 'too few subjects for means'}" for arm, means in told.items())
    links = {
        one.href: f"{one.name}, {arm}: loss {one.loss:.3f}" for arm, own in shown.items() for one in own if one.href
    }
    return Panel(task, _HEIGHT, draw, f"Mean loss by {unit}. {words}.", links)


def _in_order(samples: Sequence[Sized]) -> list[Sized]:
    return sorted(samples, key=lambda one: (one.size, one.loss))


def means(samples: Sequence[Sized], few: int) -> list[tuple[float, float]]:
    """Return the mean size and mean loss of five equally large groups of samples, which must be sorted by size.

    A group with fewer than *few* subjects is left out.
    """
    ends = [round(len(samples) * number / _GROUPS) for number in range(_GROUPS + 1)]
    groups = [samples[start:end] for start, end in pairwise(ends)]
    return [
        (math.fsum(one.size for one in own) / len(own), math.fsum(one.loss for one in own) / len(own))
        for own in groups
        if own and len({one.subject for one in own}) >= few
    ]
