"""Accuracy against cost: the mean loss of every arm beside what it took, and the arms that nothing beats in both."""

from medvision_agent.eval.compare.statistics.estimate import estimate
from medvision_agent.eval.figures import cost
from medvision_agent.eval.figures.cost import Spot, front
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.report.model import ArmTask, Chapter
from medvision_agent.eval.report.tables import marked, slug

__all__ = ["Spot", "front", "losses_by_cost"]


def losses_by_cost(chapter: Chapter, place: str) -> Figure | None:
    """Return the figure, a panel for each task; None where fewer than two arms say what they took."""
    spots = {
        data.task: [spot for one in data.arms if (spot := _spot(one, chapter)) is not None] for data in chapter.tasks
    }
    panels = {(str(task), "tokens of a sample"): own for task, own in spots.items() if len(own) > 1}
    if not panels:
        return None
    title = marked(chapter, "loss against cost")
    return cost.losses_by_cost(slug(place, "cost"), title, chapter.arms, panels)


def _spot(one: ArmTask, chapter: Chapter) -> Spot | None:
    taken = [mean.mean for mean in (one.effort.input_tokens, one.effort.output_tokens)]
    loss = one.means["loss"].mean
    if loss is None or None in taken or not (tokens := sum(filter(None, taken))):
        return None
    losses, subjects = [loss for _, _, loss in one.points], [subject for subject, _, _ in one.points]
    found = estimate(losses, subjects, evidence=chapter.evidence, role="exploratory")
    return Spot(one.arm, tokens, loss, found.interval, one.n)
