"""The figures of a report, drawn with matplotlib as SVG. What they show stands in the tables too."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from medvision_agent.eval.compare.statistics.strata import MIN_STRATUM_SUBJECTS
from medvision_agent.eval.report.model import Chapter, Contrast
from medvision_agent.eval.report.panels import legend, panels, short
from medvision_agent.eval.report.svg import INK, MUTED, Drawn, drawing, letters, svg_text
from medvision_agent.eval.report.table import fixed
from medvision_agent.eval.report.tables import marked, slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["forest", "paired", "sizes", "tool_use"]

_CROWD = 300
"""From this many points on, a scatter draws equal places on a grid once, larger the more points there are."""
_GRID = 24
_GROUPS = 5
"""Groups of equal numbers of samples whose means are joined by a line."""


def forest(chapter: Chapter, place: str) -> Drawn | None:
    """Return the differences of all contrasts with their intervals, where they have one."""
    rows = [(one, task, test.primary) for one in chapter.contrasts for task, test in one.tests.items()]
    rows = [row for row in rows if row[2].difference is not None]
    if not rows:
        return None
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second

    name, texts = slug(place, "forest"), []
    with drawing(name):
        figure = Figure(figsize=(7.5, 0.9 + 0.32 * len(rows)))
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=1)
        widest = 0.02
        for height, (one, task, found) in enumerate(reversed(rows)):
            difference = found.difference or 0.0
            low, high = found.interval or (difference, difference)
            widest = max(widest, abs(low), abs(high))
            colour, marker = letters(["interval", "none"])["interval" if found.interval else "none"]
            if found.interval:
                axes.plot([low, high], [height, height], color=colour, linewidth=2, solid_capstyle="butt")
            face = colour if found.interval else "none"
            axes.plot([difference], [height], marker, color=colour, markerfacecolor=face, markersize=7)
            shown = fixed(difference, 3, sign=True)
            texts.append(f"{one.name}, {task}: {shown}, n {found.n}, {found.subjects} subjects")
        labels = [f"{one.name}, {task} ({found.n} / {found.subjects})" for one, task, found in reversed(rows)]
        axes.set_yticks(range(len(rows)), labels)
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlim(-1.12 * widest, 1.12 * widest)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("difference in loss, B minus A   (left: B is better)")
        title = marked(chapter, "differences in loss")
        return svg_text(
            figure, name, title, f"Hollow: no interval. In brackets: pairs / subjects. {'; '.join(reversed(texts))}."
        )


def paired(chapter: Chapter, place: str, one: Contrast) -> Drawn | None:
    """Return the losses of both arms, sample by sample, one panel per task."""
    points = {task: own for task, own in one.losses.items() if own}
    if not points:
        return None
    name, counts = slug(place, "paired", one.model, one.name), list[str]()
    with drawing(name):
        figure, drawn = panels(list(points))
        for axes, (task, own) in zip(drawn, points.items(), strict=True):
            most = 2.0 if any(max(pair) > 1 for pair in own) else 1.0
            axes.plot([0, most], [0, most], color=MUTED, linewidth=1)
            better = [(a, b) for a, b in own if b < a]
            worse = [(a, b) for a, b in own if b > a]
            same = [(a, b) for a, b in own if b == a]
            groups = {"B better": better, "B worse": worse, "equal": same}
            for label, (colour, marker) in letters(list(groups)).items():
                _dots(axes, groups[label], colour, marker)
            axes.set_title(task)
            counts.append(f"{task}: {len(better)} better, {len(worse)} worse, {len(same)} equal")
            ends = (-0.04 * most, 1.04 * most)
            axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="loss in A")
        drawn[0].set_ylabel("loss in B")
        legend(figure, letters(["B better", "B worse", "equal"]))
        title = marked(chapter, f"loss of each sample in both arms: A is {one.a}, B is {one.b}")
        return svg_text(figure, name, title, f"Below the diagonal B has the lower loss. B is, {'; '.join(counts)}.")


def sizes(chapter: Chapter, place: str, label: str, arms: Sequence[str]) -> Drawn | None:
    """Return the loss of each sample by the size of its target, in some arms."""
    points = {
        data.task: {one.arm: one.points for one in data.arms if one.arm in arms and one.points}
        for data in chapter.tasks
    }
    tasks = [task for task, own in points.items() if own]
    if not tasks:
        return None
    name = slug(place, "size", label)
    units = {data.task: data.size_unit for data in chapter.tasks}
    with drawing(name):
        figure, drawn = panels(tasks)
        for axes, task in zip(drawn, tasks, strict=True):
            for arm, (colour, marker) in letters(arms).items():
                own = sorted(points[task].get(arm, ()), key=lambda point: point[1:])
                bare = [(size, loss) for _, size, loss in own[:: math.ceil(len(own) / _CROWD) or 1]]
                axes.plot(*_columns(bare), marker, color=colour, markersize=4, alpha=0.45, linestyle="none")
                axes.plot(*_columns(_means(own)), marker=marker, color=colour, linewidth=2, markersize=6)
            axes.set(ylim=(-0.04, 1.04), xlabel=units[task])
            axes.set_title(task)
        drawn[0].set_ylabel("loss")
        legend(figure, letters(arms))
        title = marked(chapter, f"loss by size of the target, {label}")
        text = (
            f"Small marks are samples ({_CROWD} of an arm at most); large ones, joined, are the means of {_GROUPS} "
            f"groups of equal numbers, where a group has {MIN_STRATUM_SUBJECTS} subjects at least."
        )
        return svg_text(figure, name, title, text)


def tool_use(chapter: Chapter, place: str, wanted: Sequence[str]) -> Drawn | None:
    """Return calls per sample by tool in some arms, the failed ones hatched, one panel per task."""
    data = {
        task.task: {one.arm: one.effort.tools for one in task.arms if one.arm in wanted and one.effort.tools}
        for task in chapter.tasks
    }
    data = {task: arms for task, arms in data.items() if arms}
    if not data:
        return None
    name = slug(place, "tools", wanted[0])
    used = list(dict.fromkeys(arm for arms in data.values() for arm in arms))
    look, texts = letters(used), []
    with drawing(name):
        tools = {
            task: list(dict.fromkeys(tool for own in arms.values() for tool in own)) for task, arms in data.items()
        }
        most = max(len(own) for own in tools.values())
        figure, drawn = panels(list(data), height=1.1 + most * (0.1 + 0.16 * len(used)))
        for axes, (task, arms) in zip(drawn, data.items(), strict=True):
            for number, (arm, own) in enumerate(arms.items()):
                thick = 0.8 / len(arms)
                for height, tool in enumerate(tools[task]):
                    if (use := own.get(tool)) is None:
                        continue
                    at, failed = height + number * thick, use.per_sample * use.failed / max(use.calls, 1)
                    axes.barh(at, use.per_sample, thick * 0.9, color=look[arm][0])
                    if failed:
                        axes.barh(at, failed, thick * 0.9, color="none", edgecolor=INK, hatch="////", linewidth=0.8)
                    texts.append(f"{task}, {arm}: {tool} {use.per_sample:.2f} ({use.failed} of {use.calls} failed)")
            middle = 0.4 - 0.4 / len(arms)
            axes.set_yticks([height + middle for height in range(len(tools[task]))], [short(x) for x in tools[task]])
            axes.set_ylim(len(tools[task]) - 0.4 + middle * 0.2, -0.6)
            axes.set_xlabel("calls per sample")
            axes.set_title(task)
            axes.grid(visible=False, axis="y")
        legend(figure, look, bars=True)
        return svg_text(
            figure,
            name,
            marked(chapter, "tool calls per sample, arms from top to bottom as named; failed calls hatched"),
            f"{'; '.join(texts)}.",
        )


def _dots(axes: "Axes", points: Sequence[tuple[float, float]], colour: str, marker: str) -> None:
    if len(points) < _CROWD:
        axes.plot(*_columns(points), marker, color=colour, markersize=5, alpha=0.7, linestyle="none")
        return
    counts: dict[tuple[float, float], int] = {}
    for x, y in points:
        at = (round(x * _GRID) / _GRID, round(y * _GRID) / _GRID)
        counts[at] = counts.get(at, 0) + 1
    largest = max(counts.values())
    areas = [6 + 90 * count / largest for count in counts.values()]
    axes.scatter(*_columns(list(counts)), s=areas, c=colour, marker=marker, alpha=0.7, linewidths=0)


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _means(points: Sequence[tuple[str, float, float]]) -> list[tuple[float, float]]:
    """Return the mean size and loss of groups of equal numbers of points, which are in order of their sizes.

    A group of fewer subjects than a stratum needs has none.
    """
    ends = [round(len(points) * number / _GROUPS) for number in range(_GROUPS + 1)]
    groups = [points[start:end] for start, end in pairwise(ends)]
    return [
        (math.fsum(size for _, size, _ in own) / len(own), math.fsum(loss for _, _, loss in own) / len(own))
        for own in groups
        if len({subject for subject, _, _ in own}) >= MIN_STRATUM_SUBJECTS
    ]
