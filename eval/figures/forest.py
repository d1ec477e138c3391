"""The forest plot: each contrast's difference with its interval, and whether it is claimed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import interval, mark, reference, rows, rows_height
from medvision_agent.eval.figures.style import INK, MUTED, SOFT, Look
from medvision_agent.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Effect", "forest"]

_LEAST = 0.02
"""The axis extends at least this far in both directions."""
_KEY = {
    "claim": Look(INK, "o"),
    "no claim": Look(INK, "o", filled=False),
    "no interval, no claim": Look(MUTED, "D", filled=False),
}
_HOW = (
    "Mean difference in loss, second arm minus first{interval}. Left of 0 the second arm has the lower loss. At the "
    "right of each row: samples / subjects."
)
_INTERVAL = ", with its 95% interval"
_MARGIN = " Shaded: differences that were declared not to matter."


class Effect(NamedTuple):
    """The difference in loss of two arms on one task (second minus first), as one row of the forest plot."""

    name: str
    """Name of the contrast."""
    difference: float
    interval: tuple[float, float] | None
    n: int
    subjects: int
    claim: str
    """The verdict in words; empty if nothing is claimed."""
    href: str = ""


def forest(name: str, title: str, effects: Mapping[str, Sequence[Effect]], *, margin: float | None = None) -> Figure:
    """Return the forest plot: a panel for each task with its differences, all on one scale.

    *name* is the file name and *title* the heading. *margin* is the margin of equivalence in units of the loss, if one
    was declared.
    """
    ends = [abs(end) for own in effects.values() for one in own for end in (one.difference, *(one.interval or ()))]
    widest = 1.1 * max([_LEAST, *ends])
    some = any(one.interval is not None for own in effects.values() for one in own)
    used = {_kind(one) for own in effects.values() for one in own}
    return Figure(
        name,
        title,
        _HOW.format(interval=_INTERVAL if some else "") + (_MARGIN if margin is not None else ""),
        tuple(_panel(task, own, widest, margin) for task, own in effects.items()),
        {kind: look for kind, look in _KEY.items() if kind in used},
    )


def _kind(one: Effect) -> str:
    if one.interval is None:
        return "no interval, no claim"
    return "claim" if one.claim else "no claim"


def _panel(task: str, effects: Sequence[Effect], widest: float, margin: float | None) -> Panel:
    def draw(axes: "Axes") -> None:
        names = [(one.name.replace(" -> ", " → "), f"{one.n} / {one.subjects}") for one in effects]
        rows(axes, names, head="n / subjects")
        if margin is not None:
            axes.axvspan(-margin, margin, color=SOFT, zorder=0)
        reference(axes, x=0.0)
        for height, one in enumerate(effects):
            look = _KEY[_kind(one)]
            if one.interval is not None:
                interval(axes, (one.interval[0], height), (one.interval[1], height), look)
            mark(axes, one.difference, height, look, href=one.href)
        axes.set_xlim(-widest, widest)
        axes.locator_params(axis="x", nbins=5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("difference in loss\n(left: the second arm's is lower)")

    links = {one.href: f"{one.name}, {task}" for one in effects if one.href}
    return Panel(task, rows_height(len(effects)), draw, "; ".join(map(_said, effects)) + ".", links)


def _said(one: Effect) -> str:
    ends = "no interval" if one.interval is None else f"95% interval {one.interval[0]:+.3f} to {one.interval[1]:+.3f}"
    claim = f", claim: {one.claim}" if one.claim else ", no claim"
    return f"{one.name}: {one.difference:+.3f}, {ends}{claim}, {plural(one.n, 'sample')} of " + plural(
        one.subjects, "subject"
    )
