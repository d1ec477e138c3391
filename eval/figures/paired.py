"""Paired losses: each sample's loss in one arm against that in the other."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from medvision_agent.eval.figures.arms import looks
from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import Dot, Point, dots, label
from medvision_agent.eval.figures.style import COLUMN, MUTED, SMALL_MARK, THIN, Look
from medvision_agent.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["STEP", "Around", "paired"]

_CROWD = 300
"""From this number of points on, points are merged on a grid; the marks grow with their number of points."""
STEP = 1 / 24
"""Spacing of that grid."""
_LARGEST = 11.0
"""Size of the largest merged mark in points."""

Around = Callable[[str, Point], str]
"""Returns a link to the samples of a task whose losses are within half a step of a place; empty if there is none."""


def paired(
    name: str,
    title: str,
    every: Sequence[str],
    arms: tuple[str, str],
    samples: Mapping[str, Sequence[Dot]],
    *,
    around: Around | None = None,
) -> Figure:
    """Return the figure of paired losses: a panel for each task, with each sample's loss in both arms.

    *name* is the file name and *title* the heading. A mark has the colour of the arm with the lower loss; *every* are
    all arms of the chapter, which determine the colours. *around* gives the link of a mark that stands for several
    samples.
    """
    look = looks([*every, *arms])
    key = {f"lower loss with {arm}": look[arm] for arm in reversed(arms)}
    key["equal"] = Look(MUTED, "d", filled=False)
    how = "One mark for each sample; below the diagonal the loss of the second arm is the lower one."
    if any(len(own) >= _CROWD for own in samples.values()):
        how += f" From {_CROWD} samples on, equal places are drawn once, larger the more samples they have."
    return Figure(
        name,
        title,
        how,
        tuple(_panel(task, arms, own, list(key.values()), around) for task, own in samples.items()),
        key,
    )


def _panel(
    task: str, arms: tuple[str, str], samples: Sequence[Dot], key: Sequence[Look], around: Around | None
) -> Panel:
    groups = [[one for one in samples if (one.y > one.x) - (one.y < one.x) == sign] for sign in (-1, 1, 0)]
    most = 2.0 if any(max(one.x, one.y) > 1 for one in samples) else 1.0
    crowd = len(samples) >= _CROWD
    shown = [_places(task, own, around) if crowd else [(one, 1) for one in own] for own in groups]
    largest = max((count for own in shown for _, count in own), default=1)

    def draw(axes: "Axes") -> None:
        axes.plot([0, most], [0, most], color=MUTED, linewidth=THIN, zorder=1)
        for look, own in zip(key, shown, strict=True):
            if crowd:
                for one, count in own:
                    dots(axes, [one], look, size=SMALL_MARK + (_LARGEST - SMALL_MARK) * (count / largest) ** 0.5)
            else:
                dots(axes, [one for one, _ in own], look)
        ends, ticks = (-0.04 * most, 1.04 * most), [most * part / 4 for part in range(5)]
        axes.set(xlim=ends, ylim=ends, xticks=ticks, yticks=ticks, aspect="equal")
        axes.set(xlabel=label(f"loss, {arms[0]}"), ylabel=label(f"loss, {arms[1]}"))

    counts = [len(own) for own in groups]
    words = f"{counts[0]} lower, {counts[1]} higher, {counts[2]} equal with {arms[1]}, of {len(samples)}."
    links = {
        one.href: f"{one.name}: loss {one.x:.3f} with {arms[0]}, {one.y:.3f} with {arms[1]}"
        for own in shown
        for one, _ in own
        if one.href
    }
    return Panel(task, COLUMN, draw, words, links)


def _places(task: str, samples: Sequence[Dot], around: Around | None) -> list[tuple[Dot, int]]:
    """Return one mark for each point of the grid (spacing ``STEP``) with samples, and the number of these samples."""
    found = defaultdict[Point, list[Dot]](list)
    for one in samples:
        found[round(one.x / STEP) * STEP, round(one.y / STEP) * STEP].append(one)
    return [
        (Dot(*place, own[0].name, own[0].href) if len(own) == 1 else _several(task, place, len(own), around), len(own))
        for place, own in found.items()
    ]


def _several(task: str, place: Point, count: int, around: Around | None) -> Dot:
    return Dot(*place, f"{plural(count, 'sample')} around here", around(task, place) if around else "")
