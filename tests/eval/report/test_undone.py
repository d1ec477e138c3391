"""The words on what undoes a difference, and the level of an interval."""

import pytest

from medvision_agent.eval.compare.statistics.family import family
from medvision_agent.eval.compare.statistics.guard import Tipping
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.place.compare import Gains, Part
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.place_tables import _gained
from medvision_agent.eval.report.words import _difference, _undone


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, ". One more subject in whom B fails in 1% of its samples would undo it"),
        (0.0031, ". One more subject in whom B fails in 1% of its samples would undo it"),
        (0.2939, ". One more subject in whom B fails in 30% of its samples would undo it"),
        (0.3, ". One more subject in whom B fails in 30% of its samples would undo it"),
    ],
)
def test_one_subject_is_enough(share, expected):
    key = Key("off -> on", "size", "m")
    (test,) = family([key], {key: Pairs((), "real")}).declared
    found = test.but(primary=test.primary.but(difference=-0.1), tipping=Tipping(subjects=1, share=share))
    assert _undone(found) == expected


def test_a_level_between_two_per_cents_is_not_rounded(store):
    answers = [f"<answer>{(10.0 + number % 31) * (1 + 0.01 * (number % 7)):.2f}</answer>" for number in range(48)]
    one = collect([store("off", answers), store("on", answers[::-1], tools=("ruler",))]).chapters[0].contrasts[0]
    test = one.tests["distance"]
    assert "; 97.5% interval " in _difference(one, "distance", test.but(primary=test.primary.but(level=0.975)))


def test_gains_are_told_of_the_arm_that_has_them():
    none, some = Part(pairs=0, difference=0.0, apart_mm=None), Part(pairs=3, difference=0.054, apart_mm=None)
    said = _gained("off", Gains(right=none, elsewhere=none, not_locatable=some))
    assert said == ("; pairs in which off is better, with what they add to the difference: not locatable 3 (+0.054)")
