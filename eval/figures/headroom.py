"""The headroom: the loss of stored answers, and their loss with exact arithmetic and with the true points.

Contract: marks are mean losses over the same answers; a prior or a ceiling over fewer answers says so beside its name.
Where no answer is decomposed, there is no mark of a step that would correct a part of it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import interval, losses, mark, reference, rows, rows_height
from medvision_agent.eval.figures.style import INK, MUTED, SERIES, THIN, Look
from medvision_agent.eval.headroom.steps import REPLAYED, Step
from medvision_agent.eval.headroom.summary import Headroom
from medvision_agent.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Level", "headroom", "levels_of"]

_KINDS = {
    Step.PRIOR: "sees no image",
    Step.ANSWERED: "as answered",
    Step.CEILING: "exact at the true places",
}
_COUNTERFACTUAL = "counterfactual"

_LOOKS = {
    "sees no image": Look(MUTED, "D", filled=False),
    "as answered": Look(INK, "s", filled=False),
    "counterfactual": Look(SERIES[1].light, "o"),
    "exact at the true places": Look(MUTED, "^"),
}
_LANE = 0.1
"""Inches below the marks of a row, reserved for its bounds."""
_ROW = 0.46
_HOW = (
    "Mean loss of the stored answers, and what the same answers would score with exact arithmetic and units behind "
    "their own points, with the true points under their own arithmetic, and with both; nothing was asked of a model. "
    "Bar: 95% interval over subjects. Thin line below a mark: the bounds, whatever the answers that could not be "
    "decomposed were made of. At the right of each row: the mean loss. An upper bound for a calculator or a ruler only "
    "if the model's points stay as they are."
)


class Level(NamedTuple):
    """The mean loss of one step of the headroom, such as "exact arithmetic", as one row of a panel."""

    name: str
    kind: str
    """The name of the mark's type in the key."""
    loss: float
    interval: tuple[float, float] | None
    bounds: tuple[float, float] | None = None
    """None if everything is known."""


def levels_of(group: Headroom) -> list[Level]:
    """Return the steps of the headroom of some answers, in the order in which they are drawn.

    The counterfactual steps are left out if no answer is decomposed (its numbers traced to their origin): their marks
    would be those of the answers as given, and look like a finding.
    """
    people = f"{plural(group.n, 'sample')} of {plural(group.subjects, 'subject')}"
    if not group.decomposed:
        people = f"none of {group.n} decomposed"  # both do not fit into a panel
    levels = []
    for step, mean in group.steps.items():
        if step in REPLAYED and not group.decomposed:
            continue
        fewer = "" if mean.n == group.n else f" (n {mean.n})"
        name = f"{step}, {people}" if step is Step.ANSWERED else f"{step}{fewer}"
        levels.append(Level(name, _KINDS.get(step, _COUNTERFACTUAL), mean.loss.mean, mean.loss.interval, mean.bounds))
    return levels


def headroom(name: str, title: str, panels: Mapping[str, Sequence[Level]]) -> Figure:
    """Return the figure of the headroom: a panel for each model and task, with its steps from the prior to the ceiling.

    *name* is the file name and *title* the heading; *panels* holds the steps by the title of the panel.
    """
    used = {one.kind for own in panels.values() for one in own}
    key = {kind: look for kind, look in _LOOKS.items() if kind in used}
    return Figure(name, title, _HOW, tuple(_panel(task, own) for task, own in panels.items()), key)


def _panel(title: str, levels: Sequence[Level]) -> Panel:
    def draw(axes: "Axes") -> None:
        rows(axes, [(one.name, f"{one.loss:.3f}") for one in levels], row=_ROW, lanes=_LANE)
        for height, one in enumerate(levels):
            look = _LOOKS[one.kind]
            if one.interval is not None:
                interval(axes, (one.interval[0], height), (one.interval[1], height), look)
            if one.bounds is not None:
                below = height + _LANE / _ROW
                axes.plot(one.bounds, [below, below], color=look.colour, linewidth=THIN, marker="|", markersize=4)
            mark(axes, one.loss, height, look)
            if one.kind == "as answered":
                reference(axes, x=one.loss, dash=(0, (1, 1.5)))
        losses(axes, "x", ends=[end for one in levels for end in one.interval or ()])
        axes.grid(visible=False, axis="y")

    return Panel(title, rows_height(len(levels), _ROW), draw, "; ".join(map(_said, levels)) + ".")


def _said(one: Level) -> str:
    ends = "" if one.interval is None else f", 95% interval {one.interval[0]:.3f} to {one.interval[1]:.3f}"
    bounds = "" if one.bounds is None else f", bounds {one.bounds[0]:.3f} to {one.bounds[1]:.3f}"
    return f"{one.name}: loss {one.loss:.3f}{ends}{bounds}"
