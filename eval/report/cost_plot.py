"""Accuracy against cost: the mean loss and the cost of every arm, and the arms that no other beats in both."""

from medvision_agent.eval.figures import cost
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.report.cost import cost_unit, spots
from medvision_agent.eval.report.links import Links
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["losses_by_cost"]


def losses_by_cost(chapter: Chapter, place: str, links: Links) -> Figure | None:
    """Return the figure of loss against cost, a panel for each task; None if no task has two arms of known cost.

    *place* is the prefix of its id.
    """
    unit = cost_unit(chapter)
    known = spots(chapter, unit)
    panels = {
        (str(task), f"{unit} of a sample"): [spot._replace(href=links.one(spot.arm, task)) for spot in own]
        for task, own in known.items()
        if len(own) > 1
    }
    if not panels:
        return None
    why = "" if unit == "US dollars" else ", because not every arm has prices"
    title = marked(chapter, f"loss against cost in {unit}{why}")
    return cost.losses_by_cost(slug(place, "cost"), title, chapter.coloured, panels)
