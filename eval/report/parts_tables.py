"""The loss in parts: ``eval/parts`` of arms and contrasts as tables and sentences."""

from collections.abc import Iterator

from medvision_agent.eval.parts.compare import parts_sentence
from medvision_agent.eval.parts.replay import Kind
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import FIRST, chapter_table, numbers, repeated, signed, slug, texts

__all__ = ["parts_sentences", "parts_tables"]

_RULE = (
    "Each answer was scored again with the points, the arithmetic or the unit corrected; a part is the mean reduction "
    "of the loss over all orders of correction (Shapley). Parts add up to the loss, or to the difference in loss; "
    "negative ones made up for others. Wrong object: measured elsewhere than in the right place. Intervals: 95%, "
    "jackknife over subjects."
)
_TOGETHER = "An arm that states no points cannot tell seeing from arithmetic: there the two are one part."


def parts_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables of losses in parts, without those that have no rows; *place* is the prefix of their ids."""
    tables = [_arms(chapter, place), _contrasts(chapter, place), _kinds(chapter, place)]
    return [table for table in tables if table.rows]


def _arms(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task"), *numbers("n", "subjects", "loss"), *texts("part"), *signed("mean", "low", "high")]
    columns += texts("why there is no interval")
    rows: list[tuple[Value, ...]] = [
        (arm, task, one.n, one.subjects, one.loss, cause, part.mean, *(part.interval or (None, None)), one.withheld)
        for arm, tasks in chapter.parts.items()
        for task, one in tasks.items()
        for cause, part in one.parts.items()
    ]
    caption = "the loss of each arm in parts"
    return chapter_table(chapter, slug(place, "loss-parts"), caption, columns, rows, notes=[_RULE, _TOGETHER])


def _contrasts(chapter: Chapter, place: str) -> Table:
    columns = [
        *texts("contrast", "task"),
        *numbers("pairs", "subjects"),
        *texts("part"),
        *numbers("first arm", "second arm"),
    ]
    columns += [*signed("difference", "low", "high"), *numbers("decomposed in both (share)")]
    columns += texts("why there is no interval")
    rows: list[tuple[Value, ...]] = []
    for contrast in chapter.parted:
        found = contrast.found
        who: tuple[Value, ...] = (contrast.contrast, contrast.task, found.pairs, found.subjects)
        for cause, part in found.parts.items():
            arms = [side[cause].mean if cause in side else 0.0 for side in (found.a, found.b)]
            ends = part.interval or (None, None)
            rows.append((*who, cause, *arms, part.mean, *ends, found.decomposed, found.withheld))
    caption = "differences in loss in parts, second arm minus first"
    return chapter_table(chapter, slug(place, "difference-parts"), caption, columns, rows, notes=[_RULE, _TOGETHER])


def _kinds(chapter: Chapter, place: str) -> Table:
    rows: list[tuple[Value, ...]] = [
        (arm, task, one.n, *(one.kinds.get(kind, 0) for kind in Kind))
        for arm, tasks in chapter.parts.items()
        for task, one in tasks.items()
    ]
    columns = [*texts("arm", "task"), *numbers("n", *Kind)]
    return chapter_table(chapter, slug(place, "kinds"), "answers by what is wrong with them", columns, rows)


def parts_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each contrast and task: which parts (seeing, arithmetic, ...) make up the difference.

    Left out are contrasts that say nothing about tools, and differences of which too little is decomposed.
    """
    silent = {one.name for one in chapter.contrasts if one.no_claim or one.by_construction}
    when = f", {FIRST[several]}" if (several := repeated(chapter)) else ""
    for one in chapter.parted:
        said = parts_sentence(one.found, one.a, one.b)
        if said and one.contrast not in silent:
            yield f"{one.contrast}, {one.task}{when}: {said}."
