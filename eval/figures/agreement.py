"""Agreement with the ground truth: Bland-Altman plots, and risk against coverage."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.arms import looks
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import Dots, Point, columns, dots, label, losses, reference
from medvision_agent.eval.figures.style import LINE, Look
from medvision_agent.text import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Errors", "Risk", "bland_altman", "risk_coverage"]

_HEIGHT = 2.5
_CROWD = 500
"""Most points drawn in one panel."""


class Errors(NamedTuple):
    """The errors of one arm's answers, for one of the numbers that an answer states."""

    arm: str
    number: str
    """Such as ``major axis``."""
    unit: str
    points: Dots
    """For each answer: the mean of stated and true value, and stated minus true."""
    n: int
    bias: float | None
    limits: tuple[float | None, float | None]
    """The lower and upper limit of agreement."""


class Risk(NamedTuple):
    """The mean loss (risk) of an arm's most certain answers, by the share of all samples that they cover."""

    arm: str
    curve: Sequence[Point]
    """Points of coverage and risk."""
    risk: float | None
    """Risk at full coverage."""
    covered: float
    """Share of samples with an answer."""


def bland_altman(name: str, title: str, arms: Sequence[str], panels: Sequence[Errors], *, left_out: int = 0) -> Figure:
    """Return Bland-Altman plots: a panel for each arm and number of the answer, with one scale for each number.

    *name* is the file name and *title* the heading. *arms* are all arms of the chapter, which determine the colours.
    *left_out* is the number of panels that are not drawn, which the description mentions.
    """
    look = looks(arms)
    how = "One mark for each answer. Solid: bias. Dashed: limits of agreement, 1.96 SD either way. Thin: no error."
    more = f" {left_out} more stand in the table." if left_out else ""
    return Figure(name, title, how + more, tuple(_errors(one, panels, look[one.arm]) for one in panels))


def _errors(one: Errors, panels: Sequence[Errors], look: Look) -> Panel:
    same = [other for other in panels if (other.number, other.unit) == (one.number, one.unit)]
    shown = one.points[:: math.ceil(len(one.points) / _CROWD) or 1]

    def draw(axes: "Axes") -> None:
        dots(axes, shown, look)
        reference(axes, y=0.0)
        for value, dash in ((one.bias, "-"), (one.limits[0], (0, (5, 2))), (one.limits[1], (0, (5, 2)))):
            if value is not None:
                axes.axhline(value, color=look.colour, linewidth=LINE, linestyle=dash, zorder=2)
        axes.set(xlim=_span(same, 0), ylim=_span(same, 1))
        axes.set(xlabel=label(f"mean of stated and true, {one.unit}"), ylabel=f"stated minus true, {one.unit}")

    low, high = one.limits
    limits = "" if low is None or high is None else f", limits {low:+.2f} to {high:+.2f}"
    bias = "no bias can be given" if one.bias is None else f"bias {one.bias:+.2f} {one.unit}"
    title = f"{one.arm}, {one.number}"
    links = {dot.href: f"{dot.name}, {one.arm}: error {dot.y:+.4g} {one.unit}" for dot in shown if dot.href}
    return Panel(title, _HEIGHT, draw, f"{title}: {bias}{limits}, n {one.n}.", links)


def _span(panels: Sequence[Errors], axis: int) -> tuple[float, float]:
    """Return the range of x (*axis* 0) or y (1) that contains all points of some panels, with a small margin.

    For y it also contains 0, the biases and the limits of agreement.
    """
    sides = [one.points.y if axis else one.points.x for one in panels]
    ends = [end for side in sides for end in (min(side), max(side))]
    if axis:
        ends += [value for one in panels for value in (0.0, one.bias, *one.limits) if value is not None]
    low, high = min(ends), max(ends)
    margin = 0.06 * ((high - low) or 1.0)
    return low - margin, high + margin


def risk_coverage(name: str, title: str, arms: Sequence[str], panels: Mapping[str, Sequence[Risk]]) -> Figure:
    """Return the figure of risk against coverage: a panel for each task with a curve for each arm.

    *name* is the file name and *title* the heading. *arms* are all arms of the chapter, which determine the colours.
    """
    look = looks(arms)
    shown = {one.arm for own in panels.values() for one in own}
    how = "Mean loss of the answers whose repeats differ least, by the share of all samples that they are."
    key = {arm: one for arm, one in look.items() if arm in shown}
    return Figure(name, title, how, tuple(_risk(task, own, look) for task, own in panels.items()), key)


def _risk(task: str, curves: Sequence[Risk], look: Mapping[str, Look]) -> Panel:
    def draw(axes: "Axes") -> None:
        for one in curves:
            own, every = look[one.arm], max(1, len(one.curve) // 6)
            axes.plot(*columns(one.curve), own.shape, linestyle=own.dash, color=own.colour, markevery=every)
        losses(axes, "y", "mean loss (risk)")
        axes.set(xlim=(0, 1.04), xlabel="coverage")

    words = "; ".join(
        f"{one.arm}: {'no risk' if one.risk is None else f'{one.risk:.3f}'} at {percent(one.covered)}" for one in curves
    )
    return Panel(task, _HEIGHT, draw, f"{words}.")
