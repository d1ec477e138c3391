"""Figures of agreement: Bland-Altman plots, and risk against coverage."""

import math
from typing import NamedTuple

from medvision_agent.eval.agreement.arm import Agreement
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.panels import legend, panels, short
from medvision_agent.eval.report.svg import MUTED, Drawn, drawing, letters, svg_text
from medvision_agent.eval.report.table import fixed
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["bland_altman", "risk_coverage"]

_MOST = 12
"""Panels of one figure."""
_ROW = 4
"""Panels side by side."""
_CROWD = 500
"""Points of one panel at most."""


class _Panel(NamedTuple):
    arm: str
    one: Agreement

    @property
    def title(self) -> str:
        return f"{short(self.arm, 18)}, {self.one.number}"


def bland_altman(chapter: Chapter, place: str) -> Drawn | None:
    """Return the error of each answer by the mean of stated and true, a panel for each arm and number."""
    every = _panels(chapter)
    shown = every[:_MOST]
    if not shown:
        return None
    name, look = slug(place, "bland-altman"), letters(chapter.arms)
    with drawing(name):
        figure, axes = panels([panel.title for panel in shown], across=_ROW)
        for at, panel in zip(axes, shown, strict=True):
            colour, marker = look[panel.arm]
            one = panel.one
            few = one.points[:: math.ceil(len(one.points) / _CROWD)]
            at.plot(*zip(*few, strict=True), marker, color=colour, markersize=4, alpha=0.6, linestyle="none")
            at.axhline(0, color=MUTED, linewidth=1)
            for line, dash in ((one.bias, "-"), (one.lower, "--"), (one.upper, "--")):
                if line.value is not None:
                    at.axhline(line.value, color=colour, linewidth=1.6, linestyle=dash)
            same = [other.one for other in shown if (other.one.number, other.one.unit) == (one.number, one.unit)]
            at.set(xlim=_span(same, 0), ylim=_span(same, 1))
            at.set_title(panel.title, fontsize=8)
            at.set_xlabel(f"mean of stated and true, {one.unit}", fontsize=8)
        axes[0].set_ylabel("stated minus true", fontsize=8)
        said = "; ".join(
            f"{panel.title}: bias {fixed(panel.one.bias.value or 0.0, 2, sign=True)} {panel.one.unit}, n {panel.one.n}"
            for panel in shown
        )
        more = f" {len(every) - _MOST} more stand in the table." if len(every) > _MOST else ""
        title = marked(chapter, "error of each answer: bias (solid) and limits of agreement (dashed)")
        return svg_text(figure, name, title, f"{said}.{more}")


def _panels(chapter: Chapter) -> list[_Panel]:
    """Return each arm's numbers once, over the samples of the first contrast it stands in; number by number."""
    arms = {(one.arm, one.task): one for one in reversed(chapter.agreement)}
    found = [
        _Panel(arm, number)
        for (arm, _), one in reversed(arms.items())
        for number in one.numbers
        if not number.logarithmic and number.points
    ]
    order = list(dict.fromkeys(panel.one.number for panel in found))
    return sorted(found, key=lambda panel: (order.index(panel.one.number), chapter.arms.index(panel.arm)))


def _span(panels: list[Agreement], axis: int) -> tuple[float, float]:
    """Return the range that holds all points of some panels, and a little more."""
    values = [point[axis] for one in panels for point in one.points]
    low, high = min(values), max(values)
    margin = 0.06 * ((high - low) or 1.0)
    return low - margin, high + margin


def risk_coverage(chapter: Chapter, place: str) -> Drawn | None:
    """Return the mean loss of the surest answers by how many they are, for arms whose repeated answers differ."""
    found = {(one.task, one.arm): one.coverage for one in chapter.agreement if one.coverage.curve[1:]}
    tasks = list(dict.fromkeys(task for task, _ in found))
    if not tasks:
        return None
    name = slug(place, "risk-coverage")
    look = letters([arm for arm in chapter.arms if any(arm == other for _, other in found)])
    with drawing(name):
        figure, axes = panels(tasks)
        for at, task in zip(axes, tasks, strict=True):
            for (of_task, arm), one in found.items():
                if of_task == task:
                    at.plot(*zip(*one.curve, strict=True), color=look[arm][0], linewidth=2)
            at.set(xlim=(0, 1.02), ylim=(-0.04, 1.04), xlabel="coverage", title=task)
        axes[0].set_ylabel("mean loss (risk)")
        legend(figure, look, bars=True)
        ends = "; ".join(
            f"{task}, {arm}: {fixed(one.risk or 0.0, 3)} at {100 * one.answered / one.chosen:.0f}%"
            for (task, arm), one in found.items()
        )
        title = marked(chapter, "loss of the answers whose repeats differ least, by the share of samples covered")
        return svg_text(figure, name, title, f"{ends}.")
