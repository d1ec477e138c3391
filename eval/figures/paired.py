"""Paired losses: each sample's loss in one arm beside that in the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.marks import Point, dots, label
from medvision_agent.eval.figures.style import COLUMN, MUTED, SERIES, SMALL_MARK, THIN, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["paired"]

_CROWD = 300
"""From this many points on, equal places on a grid are drawn once, larger the more points there are."""
_GRID = 24
_LARGEST = 11.0
"""Size of the largest such mark in points."""


def paired(
    name: str,
    title: str,
    arms: tuple[str, str],
    points: Mapping[str, Sequence[Point]],
    hrefs: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Return the figure: a panel for each task, whose points are losses in the first and the second arm.

    *hrefs* has an address for each point, or none for a task; they are left out in a crowd.
    """
    lower, higher = f"lower loss with {arms[1]}", f"higher loss with {arms[1]}"
    key = {
        lower: Look(SERIES[0].light, "o"),
        higher: Look(SERIES[1].light, "s"),
        "equal": Look(MUTED, "D", filled=False),
    }
    return Figure(
        name,
        title,
        f"One mark for each sample; below the diagonal {arms[1]} has the lower loss. "
        f"From {_CROWD} samples on, equal places are drawn once, larger the more samples they have.",
        tuple(_panel(task, arms, own, list(key.values()), (hrefs or {}).get(task, ())) for task, own in points.items()),
        key,
    )


def _panel(
    task: str, arms: tuple[str, str], points: Sequence[Point], key: Sequence[Look], hrefs: Sequence[str]
) -> Panel:
    groups = [_of(points, hrefs, sign) for sign in (-1, 1, 0)]
    most = 2.0 if any(max(pair) > 1 for pair in points) else 1.0
    largest = max(count for own, _ in groups for count in (0, *_places(own).values()))

    def draw(axes: "Axes") -> None:
        axes.plot([0, most], [0, most], color=MUTED, linewidth=THIN, zorder=1)
        for look, (own, links) in zip(key, groups, strict=True):
            if len(points) < _CROWD:
                dots(axes, own, look, hrefs=links)
            else:
                _crowd(axes, own, look, largest)
        ends, ticks = (-0.04 * most, 1.04 * most), [most * part / 4 for part in range(5)]
        axes.set(xlim=ends, ylim=ends, xticks=ticks, yticks=ticks, aspect="equal")
        axes.set(xlabel=label(f"loss, {arms[0]}"), ylabel=label(f"loss, {arms[1]}"))

    counts = [len(own) for own, _ in groups]
    words = f"{counts[0]} lower, {counts[1]} higher, {counts[2]} equal with {arms[1]}, of {len(points)}."
    links = {href: f"sample {number}, {task}" for number, href in enumerate(hrefs, start=1) if href}
    return Panel(task, COLUMN, draw, words, links)


def _of(points: Sequence[Point], hrefs: Sequence[str], sign: int) -> tuple[list[Point], list[str]]:
    """Return the points whose second loss is lower (-1), equal (0) or higher (1), with their addresses."""
    at = [number for number, (a, b) in enumerate(points) if (b > a) - (b < a) == sign]
    return [points[number] for number in at], [hrefs[number] for number in at] if hrefs else []


def _places(points: Sequence[Point]) -> Counter[Point]:
    """Return how many points there are at each place of a grid."""
    return Counter((round(x * _GRID) / _GRID, round(y * _GRID) / _GRID) for x, y in points)


def _crowd(axes: "Axes", points: Sequence[Point], look: Look, largest: int) -> None:
    for place, count in _places(points).items():
        size = SMALL_MARK + (_LARGEST - SMALL_MARK) * (count / largest) ** 0.5
        dots(axes, [place], look, size=size)
