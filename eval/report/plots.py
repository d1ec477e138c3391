"""The data of a report's figures; ``eval/figures`` draws them. The tables hold the same data."""

from collections.abc import Sequence

from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.compare.statistics.strata import MIN_STRATUM_SUBJECTS
from medvision_agent.eval.figures.by_label import Labelled, loss_by_label
from medvision_agent.eval.figures.by_size import Sized, loss_by_size
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.forest import Effect
from medvision_agent.eval.figures.forest import forest as drawn_forest
from medvision_agent.eval.figures.marks import Dot, Point
from medvision_agent.eval.figures.paired import STEP
from medvision_agent.eval.figures.paired import paired as drawn_paired
from medvision_agent.eval.figures.tool_use import Use
from medvision_agent.eval.figures.tool_use import tool_use as drawn_use
from medvision_agent.eval.report.links import Links
from medvision_agent.eval.report.model import Chapter, Contrast, SamplePoint
from medvision_agent.eval.report.tables import marked, slug
from medvision_agent.eval.tasks import TASKS

__all__ = ["forest", "labels", "paired", "sizes", "tool_use"]

_CLAIMS = {
    "second arm has the lower loss": "lower loss",
    "second arm has the higher loss": "higher loss",
    "equivalent: apart by less than the margin": "equivalent",
}
"""The verdicts that are claims, as shown in a figure."""


def forest(chapter: Chapter, place: str, links: Links) -> Figure | None:
    """Return the forest plot of all contrasts' differences, with the intervals that exist; a panel for each task.

    None if no contrast has a difference. *place* is the prefix of its id.
    """
    effects: dict[str, list[Effect]] = {}
    for one in chapter.contrasts:
        for task, test in one.tests.items():
            if (effect := _effect(one, test, links.pair(one.b, one.a, task))) is not None:
                effects.setdefault(task, []).append(effect)
    margins = {test.margin for one in chapter.contrasts for test in one.tests.values()}
    if not effects:
        return None
    title = marked(chapter, "differences in loss")
    return drawn_forest(slug(place, "forest"), title, effects, margin=margins.pop() if len(margins) == 1 else None)


def _effect(one: Contrast, test: Test, href: str) -> Effect | None:
    found = test.primary
    if found.difference is None:
        return None
    claim = _CLAIMS.get(test.verdict or "", "")
    return Effect(one.name, found.difference, found.interval, found.n, found.subjects, claim, href)


def paired(chapter: Chapter, place: str, one: Contrast, links: Links) -> Figure | None:
    """Return the figure of both arms' losses in one contrast, sample by sample, a panel for each task.

    None without a pair. *place* is the prefix of its id.
    """
    samples = {
        str(task): [
            Dot(a, b, name, links.sample(name, one.b, one.a, task))
            for name, (a, b) in zip(one.samples[task], own.tolist(), strict=True)
        ]
        for task, own in one.losses.items()
        if len(own)
    }
    if not samples:
        return None

    def around(task: str, losses: Point) -> str:
        declared = any(task == name for name in one.metrics)  # the viewer filters by the default loss
        return "" if declared else links.around(one.b, one.a, task, losses, STEP)

    title = marked(chapter, f"loss of each sample, {one.name}")
    name = slug(place, "paired", one.model, one.name)
    return drawn_paired(name, title, chapter.coloured, (one.a, one.b), samples, around=around)


def sizes(chapter: Chapter, place: str, label: str, arms: Sequence[str], links: Links) -> Figure | None:
    """Return the figure of each sample's loss by the size of its target, for *arms*; None if none of them has a loss.

    *label* says in the title which arms they are, and *place* is the prefix of the figure's id.
    """
    panels = {
        (str(data.task), data.size_unit): {
            one.arm: [_sized(point, links.sample(point.id, one.arm, task=data.task)) for point in one.points]
            for one in data.arms
            if one.arm in arms and one.points
        }
        for data in chapter.tasks
    }
    panels = {about: own for about, own in panels.items() if own}
    if not panels:
        return None
    title = marked(chapter, f"loss by size of the target, {label}")
    return loss_by_size(slug(place, "size", label), title, chapter.coloured, panels, MIN_STRATUM_SUBJECTS)


def _sized(point: SamplePoint, href: str) -> Sized:
    return Sized(point.subject, point.size, point.loss, point.id, href)


def labels(chapter: Chapter, place: str, links: Links) -> Figure | None:
    """Return the figure of the loss of boxes by label and box-to-image ratio, a panel for each arm.

    None without a scored box, or if no cell of the figure has enough subjects. *place* is the prefix of its id.
    """
    boxes = [data for data in chapter.tasks if TASKS[data.task].is_box]
    arms = {
        one.arm: [Labelled(point.asked, point.subject, point.size / 100, point.loss) for point in one.points]
        for data in boxes
        for one in data.arms
        if one.points
    }
    if not arms:
        return None
    title = marked(chapter, "loss of boxes by label and box-to-image ratio")
    task = str(boxes[0].task)

    def of_label(arm: str, label: str) -> str:
        return links.one(arm, task, label=label)

    return loss_by_label(slug(place, "labels"), title, arms, MIN_STRATUM_SUBJECTS, of_label)


def tool_use(chapter: Chapter, place: str, wanted: Sequence[str], links: Links) -> Figure | None:
    """Return the figure of calls per sample by tool, for the arms *wanted*, a panel for each task.

    None without any call. *place* is the prefix of its id.
    """
    panels = {
        str(data.task): {
            one.arm: {
                tool: Use(
                    *(use.per_sample, use.calls, use.failed),
                    href=links.one(one.arm, data.task, tool=tool),
                    failed_href=links.one(one.arm, data.task, tool=tool, error="1"),
                )
                for tool, use in one.effort.tools.items()
                if use.calls
            }
            for one in data.arms
            if one.arm in wanted and one.effort.tools
        }
        for data in chapter.tasks
    }
    panels = {task: own for task, own in panels.items() if any(own.values())}
    if not panels:
        return None
    title = marked(chapter, "tool calls per sample")
    return drawn_use(slug(place, "tools", wanted[0]), title, chapter.coloured, panels)
