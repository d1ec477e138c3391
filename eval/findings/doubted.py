"""The sentences of caveats about single comparisons, each with its subject."""

import math
from collections.abc import Iterator

from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.compare.statistics.noise import Noise
from medvision_agent.eval.findings.contrast import Contrast
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.said import points
from medvision_agent.eval.place.compare import Gains
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import fixed, plural

__all__ = [
    "apart",
    "early",
    "fragile",
    "lost",
    "noise_not_known",
    "not_asked",
    "price",
    "unanswered",
    "warned",
]
__all__ += ["undone_by_one", "within_noise", "wrong_place"]

_SHOWN = 0.0005
"""Differences that would be shown as 0.000 are not mentioned."""
Said = Iterator[tuple[str, str]]


def _each(worked: Worked) -> Iterator[tuple[str, Contrast, TaskName, Test]]:
    for one in worked.contrasts:
        for task, test in one.tests.items():
            yield f"{one.name}, {task}", one, task, test


def early(worked: Worked) -> Iterator[str]:
    """Yield why a chapter has no verdict yet, or which planned look it has reached; nothing if neither applies."""
    yield from (f"{line[:1].upper()}{line[1:]}." for line in worked.chapter.progress)


def warned(worked: Worked) -> Said:
    """Yield each comparison whose missing results differ, or may differ, from the rest, with a warning.

    A comparison is given by the name of its contrast and task.
    """
    for about, _, _, test in _each(worked):
        if test.missing.warning:
            yield about, test.missing.warning


def lost(worked: Worked) -> Said:
    """Yield each comparison with results lost to infrastructure, and a sentence.

    It says how many were lost, and between which differences (B minus A) the result would lie without the loss. A
    comparison is given by the name of its contrast and task.
    """
    for about, one, _, test in _each(worked):
        gone = test.missing
        if (gone.lost_only_a or gone.lost_only_b or gone.lost_both) and gone.bounds is not None:
            low, high = (fixed(end, 3, sign=True) for end in (gone.bounds.low, gone.bounds.high))
            text = f"lost to infrastructure only in {one.a} {gone.lost_only_a}, only in {one.b} {gone.lost_only_b}, "
            text += f"in both {gone.lost_both} pairs; had they been scored, the difference would lie between "
            yield about, f"{text}{low} and {high}."


def not_asked(worked: Worked) -> Said:
    """Yield each comparison with pairs that were not asked in both arms yet, and a sentence that counts them.

    A comparison is given by the name of its contrast and task.
    """
    for about, _, _, test in _each(worked):
        if count := test.missing.not_asked:
            yield about, f"{plural(count, 'pair')} {'was' if count == 1 else 'were'} not asked in both arms yet."


def unanswered(worked: Worked) -> Said:
    """Yield each comparison with failed answers, and a sentence on their number and their effect on the difference.

    A comparison is given by the name of its contrast and task.
    """
    for about, one, _, test in _each(worked):
        gone = test.missing
        if not (gone.failed_only_a or gone.failed_only_b or gone.failed_both):
            continue
        text = f"no answer only in {one.a} {gone.failed_only_a}, only in {one.b} {gone.failed_only_b}, "
        text += f"in both {gone.failed_both}"
        if gone.success.difference is not None:
            text += f"; difference in success rate {points(gone.success.difference)}"
        if gone.by_answers is not None and gone.by_failures is not None:
            parts = (fixed(part, 3, sign=True) for part in (gone.by_answers, gone.by_failures))
            text += "; of the difference in loss, {} comes from answers and {} from failures".format(*parts)
        if gone.complete.difference is not None:
            difference = fixed(gone.complete.difference, 3, sign=True)
            text += f"; over the {gone.complete.n} pairs answered in both it is {difference}"
        yield about, f"{text}."


def price(worked: Worked) -> Said:
    """Yield each comparison in which a failure costs less than the worst answer, and a sentence.

    It gives the difference in loss (B minus A) that there would be if failures cost as much. A comparison is given by
    the name of its contrast and task.
    """
    for about, _, _, test in _each(worked):
        if test.largest_price is not None:
            dear = fixed(test.largest_price, 3, sign=True)
            yield about, f"had failures cost as much as the worst answer, the difference would be {dear}."


def fragile(worked: Worked) -> Said:
    """Yield each comparison whose difference one more subject would undo, and a sentence that says so.

    In that subject, the better arm fails. A comparison is given by the name of its contrast and task.
    """
    for about, one, _, test in _each(worked):
        if test.tipping is not None and test.tipping.share is not None and test.primary.difference is not None:
            better = one.b if test.primary.difference < 0 else one.a
            yield about, undone_by_one(better, test.tipping.share, dear=test.largest_price is not None)


def undone_by_one(better: str, share: float, *, dear: bool) -> str:
    """Return a sentence on the share of its samples in which *better* must fail, in one more subject, to undo a result.

    *share* is 0 to 1. *dear* says whether a failure is taken to cost as much as the worst answer.
    """
    price = ", each at the cost of the worst answer," if dear else ""
    least = max(1, math.ceil(100 * share))  # rounding down would be too few
    return f"one more subject in whom {better} fails in {least}% of its samples{price} would undo it."


def wrong_place(worked: Worked) -> Said:
    """Yield each comparison in which an arm is better although it measured in the wrong place, and a sentence.

    It says how much of the difference in loss comes from such answers; parts below 0.0005 are not mentioned. A
    comparison is given by the name of its contrast and task.
    """
    for one in worked.grounded:
        said = [
            f"{arm} is better in {plural(gains.elsewhere.pairs, 'pair')} although it measured in the wrong place, "
            f"which adds {fixed(gains.elsewhere.difference, 3, sign=True)} to the difference"
            for arm, gains in _gains(one.a, one.b, one.found.gains_a, one.found.gains_b)
            if abs(gains.elsewhere.difference) >= _SHOWN
        ]
        if said:
            yield f"{one.contrast}, {one.task}", f"{'; '.join(said)}."


def _gains(a: str, b: str, of_a: Gains, of_b: Gains) -> Iterator[tuple[str, Gains]]:
    yield from ((b, of_b), (a, of_a))


def within_noise(worked: Worked) -> Said:
    """Yield each comparison whose difference is no larger than that of two identical runs, and a sentence that says so.

    A comparison is given by the name of its contrast and task.
    """
    for about, one, task, _ in _each(worked):
        floor = one.noise.get(task)
        if floor is not None and floor.interval is not None and floor.within:
            low, high = (fixed(end, 3, sign=True) for end in floor.interval)
            text = f"the difference is not larger than the noise of asking again: {_identical(floor)}"
            yield about, f"{text}, whose interval is {low} to {high}."


def noise_not_known(worked: Worked) -> Said:
    """Yield each comparison whose identical runs have a difference without an interval, and a sentence that says so.

    It is then unknown whether the difference of the comparison is larger than noise. A comparison is given by the name
    of its contrast and task.
    """
    for about, one, task, _ in _each(worked):
        floor = one.noise.get(task)
        if floor is not None and floor.interval is None:
            times = "" if floor.times is None else f"; the difference is {floor.times:.3g} times theirs"
            yield about, f"{_identical(floor)}, without an interval ({floor.withheld}){times}."


def _identical(floor: Noise) -> str:
    return f"two identical runs ({floor.repeat}) differ by {fixed(floor.difference, 3, sign=True)}"


def apart(worked: Worked) -> Said:
    """Yield each comparison whose difference is not the same in all strata (such as CT and MR), with a sentence.

    There is one sentence for each stratum that differs. A comparison is given by the name of its contrast and task.
    """
    for about, one, task, _ in _each(worked):
        for at in one.interactions.get(task, ()):
            if at.apart:
                here, there, low, high = (fixed(each, 3, sign=True) for each in (at.here, at.there, *at.interval))
                p = "exploratory" if at.p is None else f"p {at.p:.2g}, adjusted over the strata"
                text = f"the difference is not the same for every {at.name}: {at.value} {here}, {at.against} {there}"
                yield about, f"{text} (apart by {low} to {high}; {p})."
