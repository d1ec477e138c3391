"""The words on what undoes a difference, and the level of an interval."""

import pytest

from medvision_agent.eval.findings.doubted import undone_by_one
from medvision_agent.eval.place.compare import Gains, Part
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.place_tables import _gained
from medvision_agent.eval.report.words import _difference


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, "one more subject in whom on fails in 1% of its samples would undo it."),
        (0.0031, "one more subject in whom on fails in 1% of its samples would undo it."),
        (0.2939, "one more subject in whom on fails in 30% of its samples would undo it."),
        (0.3, "one more subject in whom on fails in 30% of its samples would undo it."),
    ],
)
def test_one_subject_is_enough(share, expected):
    assert undone_by_one("on", share, dear=False) == expected


def test_a_level_between_two_per_cents_is_not_rounded(store):
    answers = [f"<answer>{(10.0 + number % 31) * (1 + 0.01 * (number % 7)):.2f}</answer>" for number in range(48)]
    one = collect([store("off", answers), store("on", answers[::-1], tools=("ruler",))]).chapters[0].contrasts[0]
    test = one.tests["distance"]
    assert "; 97.5% interval " in _difference(one, "distance", test.but(primary=test.primary.but(level=0.975)))


def test_gains_are_told_of_the_arm_that_has_them():
    none, some = Part(pairs=0, difference=0.0, apart_mm=None), Part(pairs=3, difference=0.054, apart_mm=None)
    said = _gained("off", Gains(right=none, elsewhere=none, not_locatable=some))
    assert said == ("; pairs in which off is better, with what they add to the difference: not locatable 3 (+0.054)")
