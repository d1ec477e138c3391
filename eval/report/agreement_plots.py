"""The data of agreement figures: Bland-Altman plots, and risk against coverage."""

from functools import partial

from medvision_agent.eval.figures import agreement
from medvision_agent.eval.figures.agreement import Errors, Risk
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.marks import Dots
from medvision_agent.eval.report.links import Links
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["bland_altman", "risk_coverage"]

_MOST = 12
"""Most panels in one figure."""


def bland_altman(chapter: Chapter, place: str, links: Links) -> Figure | None:
    """Return the Bland-Altman plots: a panel for each arm and number of the answer, at most 12.

    None if no arm has an answer with such an error. *place* is the prefix of the figure's id.
    """
    every = _panels(chapter, links)
    if not every:
        return None
    title = marked(chapter, "error of each answer (Bland and Altman)")
    more = max(0, len(every) - _MOST)
    return agreement.bland_altman(slug(place, "bland-altman"), title, chapter.coloured, every[:_MOST], left_out=more)


def _panels(chapter: Chapter, links: Links) -> list[Errors]:
    """Return the errors of each arm once for each number, over the samples of its first contrast, number by number."""
    arms = {(one.arm, one.task): one for one in reversed(chapter.agreement)}
    found = [
        Errors(
            *(arm, one.number, one.unit),
            Dots(one.middles, one.errors, one.samples, partial(links.sample, arm=arm, task=task)),
            *(one.n, one.bias.value),
            limits=(one.lower.value, one.upper.value),
        )
        for (arm, task), own in reversed(arms.items())
        for one in own.numbers
        if not one.logarithmic and one.samples
    ]
    order = list(dict.fromkeys(panel.number for panel in found))
    return sorted(found, key=lambda panel: (order.index(panel.number), chapter.arms.index(panel.arm)))


def risk_coverage(chapter: Chapter, place: str) -> Figure | None:
    """Return the figure of mean loss by coverage; None if no arm has repeated answers that differ.

    *place* is the prefix of the figure's id.
    """
    found = {(one.task, one.arm): one.coverage for one in chapter.agreement if one.coverage.curve[1:]}
    panels: dict[str, list[Risk]] = {}
    for (task, arm), one in found.items():
        panels.setdefault(task, []).append(Risk(arm, one.curve, one.risk, one.answered / one.chosen))
    if not panels:
        return None
    title = marked(chapter, "risk against coverage")
    return agreement.risk_coverage(slug(place, "risk-coverage"), title, chapter.coloured, panels)
