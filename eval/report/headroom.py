"""The headroom in a report: the loss of each arm's answers with exact arithmetic and with the true points."""

from collections.abc import Iterator, Mapping, Sequence

from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.headroom import headroom, levels_of
from medvision_agent.eval.headroom.summary import Headroom
from medvision_agent.eval.headroom.words import ASSUMED, sentences
from medvision_agent.eval.parts.summary import PartMean
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import FIRST, chapter_table, marked, numbers, repeated, signed, slug, texts
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["NOTE", "headroom_figure", "headroom_sentences", "headroom_table"]

NOTE = f"Assumed: {ASSUMED}."
_STEPS = (
    "Prior: the best constant answer of the other subjects. Both: the true points and exact arithmetic. Convention "
    "ceiling: an exact measurement at the true places. Difference: the step minus as answered. Lowest and highest: the "
    "loss whatever the answers that are not decomposed were made of."
)


def headroom_figure(chapter: Chapter, place: str, arms: Sequence[str]) -> Figure | None:
    """Return the figure of the headroom of *arms*, a panel for each arm and task; None if none of them has an answer.

    *place* is the prefix of its id.
    """
    own = {arm: chapter.headroom[arm] for arm in arms if arm in chapter.headroom}
    panels = {f"{task}: {arm}": levels_of(found) for task, arm, found in _each(own)}
    title = marked(chapter, "what the same answers would score")
    return headroom(slug(place, "headroom"), title, panels) if panels else None


def _each(own: Mapping[str, Mapping[TaskName, Headroom]]) -> Iterator[tuple[TaskName, str, Headroom]]:
    for task in TASKS:
        for arm, tasks in own.items():
            if task in tasks:
                yield task, arm, tasks[task]


def headroom_table(chapter: Chapter, place: str) -> Table:
    """Return the table of the headroom: a row for each arm, task and step; *place* is the prefix of its id."""
    columns = [*texts("arm", "task", "step"), *numbers("n", "subjects", "loss", "low", "high")]
    columns += [*signed("difference", "difference, low", "difference, high"), *numbers("lowest", "highest")]
    columns += [*numbers("decomposed", "loss of these"), *texts("why there is no interval")]
    rows: list[tuple[Value, ...]] = []
    for task, arm, found in _each(chapter.headroom):
        for step, mean in found.steps.items():
            change = mean.difference
            cells: list[Value] = [arm, task, str(step), mean.n, found.subjects, mean.loss.mean, *_ends(mean.loss)]
            cells += [None if change is None else change.mean, *_ends(change), *(mean.bounds or (None, None))]
            rows.append((*cells, found.decomposed, mean.decomposed, found.withheld))
    caption = "what the same answers would score, step by step"
    return chapter_table(chapter, slug(place, "headroom-steps"), caption, columns, rows, notes=[_STEPS])


def _ends(mean: PartMean | None) -> tuple[float | None, float | None]:
    return (None, None) if mean is None or mean.interval is None else mean.interval


def headroom_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each arm and task: the loss with exact arithmetic, and with the true points."""
    when = f", {FIRST[several]}" if (several := repeated(chapter)) else ""
    for task, arm, found in _each(chapter.headroom):
        for said in sentences({task: found}):
            yield f"{arm}{when}, {said}"
