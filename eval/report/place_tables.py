"""Whether answers were measured in the right place: ``eval/place`` of arms and contrasts as tables and sentences."""

from collections.abc import Iterator

from medvision_agent.eval.place.compare import Gains
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.report.model import Chapter, GroundedContrast
from medvision_agent.eval.report.table import Table, Value, fixed
from medvision_agent.eval.report.tables import FIRST, chapter_table, numbers, rates, repeated, signed, slug, texts
from medvision_agent.text import percent, plural

__all__ = ["place_sentences", "place_tables"]

_RULE = (
    "In the right place: the centre of a size inside the true ellipse; each end of a distance within 0.25 of the true "
    "length; the midpoint of each line of an angle within 0.5 of its true length; a box with an IoU of at least 0.25. "
    "Shares are of the located answers. By chance: the same answers measured where other subjects' were."
)
_GROUNDED = (
    "Grounded loss: the loss, but 1 where the answer was measured elsewhere. Where under 80% of the answers are "
    "located, only bounds are given: lowest, had all others been in the right place; highest, had they been elsewhere."
)
_GAINS = (
    "Differences of losses, the arm minus the one it is against, divided by all pairs: the parts of both arms add up "
    "to the difference in loss."
)


def place_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables on where answers were measured, without those that have no rows.

    *place* is the prefix of their ids.
    """
    tables = [_arms(chapter, place), _reasons(chapter, place), _contrasts(chapter, place), _gains(chapter, place)]
    return [table for table in tables if table.rows]


def _each(chapter: Chapter) -> Iterator[tuple[str, str, TaskPlace]]:
    for arm, tasks in chapter.places.items():
        for task, one in tasks.items():
            yield arm, task, one


def _arms(chapter: Chapter, place: str) -> Table:
    columns = [
        *texts("arm", "task"),
        *numbers("n", "failed", "located", "subjects"),
        *rates("in the right place", "by chance"),
    ]
    columns += [*numbers("n by chance"), *rates("stricter rule", "wider rule")]
    columns += numbers("loss", "grounded loss", "lowest", "highest")
    rows: list[tuple[Value, ...]] = [
        (
            *(arm, task, one.n, one.failed, one.share.n, one.subjects, one.share.mean),
            *(one.chance.mean, one.chance.n, one.stricter.mean, one.wider.mean),
            *(one.loss, one.grounded_loss, one.lowest_loss, one.highest_loss),
        )
        for arm, task, one in _each(chapter)
    ]
    caption = "answers measured in the right place, and the grounded loss"
    return chapter_table(chapter, slug(place, "place"), caption, columns, rows, notes=[_RULE, _GROUNDED])


def _reasons(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task", "why it is not known where it was measured"), *numbers("answers")]
    rows: list[tuple[Value, ...]] = [
        (arm, task, reason, count) for arm, task, one in _each(chapter) for reason, count in one.not_locatable.items()
    ]
    return chapter_table(chapter, slug(place, "not-locatable"), "answers that are not locatable", columns, rows)


def _contrasts(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "task"), *numbers("pairs", "subjects"), *rates("right place, against", "right place")]
    columns += [*signed("difference in loss", "in grounded loss", "low", "high", "lowest", "highest")]
    columns += texts("what is withheld, and why")
    rows: list[tuple[Value, ...]] = []
    for one in chapter.grounded:
        found = one.found
        ends = (None, None) if one.grounded is None or one.grounded.interval is None else one.grounded.interval
        why = "under 80% of the answers of an arm are located" if one.grounded is None else one.grounded.withheld
        cells: list[Value] = [one.contrast, one.task, found.pairs, found.subjects, found.a.share.mean]
        cells += [found.b.share.mean, found.difference, found.grounded_difference, *ends]
        rows.append((*cells, found.lowest, found.highest, why))
    caption = "differences in the grounded loss"
    return chapter_table(chapter, slug(place, "grounded"), caption, columns, rows, notes=[_GROUNDED])


def _gains(chapter: Chapter, place: str) -> Table:
    columns = texts("contrast", "task", "better arm")
    for where in ("in the right place", "elsewhere", "not locatable"):
        columns += [*numbers(f"pairs, {where}"), *signed(f"difference, {where}")]
    columns += numbers("elsewhere, nearest (mm)", "elsewhere, farthest (mm)")
    rows: list[tuple[Value, ...]] = []
    for one in chapter.grounded:
        for arm, gains in ((one.b, one.found.gains_b), (one.a, one.found.gains_a)):
            parts = (gains.right, gains.elsewhere, gains.not_locatable)
            if any(part.pairs for part in parts):
                cells = [cell for part in parts for cell in (part.pairs, part.difference)]
                rows.append((one.contrast, one.task, arm, *cells, *(gains.elsewhere.apart_mm or (None, None))))
    caption = "gains by the place where the better arm measured"
    return chapter_table(chapter, slug(place, "gains"), caption, columns, rows, notes=[_GAINS])


def place_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each contrast and task: how often B measured in the right place, and what that adds.

    It says how much of the difference in loss comes from answers in the right place, elsewhere, and not locatable.
    """
    when = f", {FIRST[several]}" if (several := repeated(chapter)) else ""
    for one in chapter.grounded:
        if one.found.b.share.n:
            gains = f"{_gained(one.b, one.found.gains_b)}{_gained(one.a, one.found.gains_a)}"
            yield f"{one.contrast}, {one.task}{when}: {_where(one)}{gains}."


def _where(one: GroundedContrast) -> str:
    place = one.found.b
    chance = "" if place.chance.mean is None else f", by chance {percent(place.chance.mean)} (n {place.chance.n})"
    located = f"{plural(place.share.n, 'located answer')} of {plural(place.subjects, 'subject')}"
    return f"{one.b} measured in the right place in {place.right} of {located}{chance}"


def _gained(arm: str, gains: Gains) -> str:
    parts = (
        ("in the right place", gains.right),
        ("elsewhere", gains.elsewhere),
        ("not locatable", gains.not_locatable),
    )
    there = [(words, part) for words, part in parts if part.pairs]
    if not there:
        return ""
    said = ", ".join(f"{words} {part.pairs} ({fixed(part.difference, 3, sign=True)})" for words, part in there)
    return f"; pairs in which {arm} is better, with what they add to the difference: {said}"
