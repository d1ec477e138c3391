"""The ladder of losses: how control arms divide a gain into steps, from the prior to the numbers that tools return.

Contract: a rung is one contrast of the study, over its own pairs. Rungs are not parts of a whole: their differences do
not add up and are never given as shares.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import losses, mark, reference, rows, rows_height
from medvision_agent.eval.figures.style import INK, MARK, MUTED, THIN, Look
from medvision_agent.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Rung", "ladder"]

_WITHOUT = Look(INK, "s", filled=False)
_WITH = Look(INK, "o")
_PRIOR = Look(MUTED, "D", filled=False)
_AROUND = MARK + 3
"""Size of the first arm's mark in points: it stays visible around the second one where both losses are equal."""
_ROW = 0.55
"""Height of a rung in inches: two lines of words and one of marks."""
_HOW = (
    "Each rung is one contrast of the study, over its own pairs of samples: the mean loss of the arm that lacks "
    "something, and of the arm that has it. Bar: 95% interval of the difference, laid from the first arm's loss. "
    "Rungs overlap: their differences are no shares and do not add up."
)


class Rung(NamedTuple):
    """The result of one contrast on one task, as one row of the ladder of losses."""

    what: str
    """What the second arm has and the first lacks, in words."""
    arms: tuple[str, str]
    losses: tuple[float, float]
    """Mean losses of both arms over the pairs of the contrast."""
    difference: tuple[float, float] | None
    """The interval of second minus first; None if there is none."""
    n: int
    subjects: int
    href: str = ""


def ladder(
    name: str, title: str, rungs: Mapping[str, Sequence[Rung]], priors: Mapping[str, tuple[str, float]]
) -> Figure:
    """Return the ladder of losses: a panel for each task, with its contrasts as rungs.

    *name* is the file name and *title* the heading. *priors* holds, by task, the name and the loss of the prior, drawn
    as a line; a task without a prior has no line.
    """
    key = {"without": _WITHOUT, "with": _WITH}
    key |= {one: _PRIOR for one, _ in dict.fromkeys(priors.values())}
    panels = tuple(_panel(task, own, priors.get(task)) for task, own in rungs.items())
    return Figure(name, title, _HOW, panels, key)


def _panel(task: str, rungs: Sequence[Rung], prior: tuple[str, float] | None) -> Panel:
    def draw(axes: "Axes") -> None:
        names, under = [(one.what, f"{one.n} / {one.subjects}") for one in rungs], [_names(one) for one in rungs]
        rows(axes, names, row=_ROW, under=under, head="n / subjects")
        for height, one in enumerate(rungs):
            first, second = one.losses
            axes.plot([first, second], [height, height], color=MUTED, linewidth=THIN, zorder=2)
            if one.difference is not None:
                axes.plot(_ends(one), [height, height], color=_WITH.colour, linewidth=5, alpha=0.35, zorder=2)
            mark(axes, first, height, _WITHOUT, size=_AROUND)
            mark(axes, second, height, _WITH, href=one.href)
        if prior is not None:
            reference(axes, x=prior[1], dash=(0, (1, 1.5)))
            mark(axes, prior[1], len(rungs) - 1 + 0.236, _PRIOR)
        losses(axes, "x", ends=[end for one in rungs for end in _ends(one)])
        axes.grid(visible=False, axis="y")

    links = {one.href: f"{one.what}, {task}" for one in rungs if one.href}
    first = "" if prior is None else f"{prior[0]}: loss {prior[1]:.3f}. "
    return Panel(task, rows_height(len(rungs), _ROW), draw, first + "; ".join(map(_said, rungs)) + ".", links)


def _ends(one: Rung) -> list[float]:
    """Return the ends of a difference's interval, shifted by the first arm's loss; empty without an interval."""
    return [] if one.difference is None else [one.losses[0] + end for end in one.difference]


def _names(one: Rung) -> str:
    return f"{one.arms[0]} → {one.arms[1]}"


def _said(one: Rung) -> str:
    (first, second), (a, b) = one.losses, one.arms
    ends = "" if one.difference is None else f", 95% interval {one.difference[0]:+.3f} to {one.difference[1]:+.3f}"
    return (
        f"{one.what}: loss {first:.3f} in {a}, {second:.3f} in {b}, difference {second - first:+.3f}{ends}, "
        f"{plural(one.n, 'sample')} of {plural(one.subjects, 'subject')}"
    )
