"""The noise floor: a difference beside that of two identical runs."""

import pytest

from medvision_agent.eval.compare.statistics.estimate import Estimate
from medvision_agent.eval.compare.statistics.noise import noise

BARE = Estimate(
    difference=None,
    n=40,
    subjects=40,
    largest_subject=1,
    effective_subjects=40.0,
    evidence="real",
)


def repeat(difference, interval=None, withheld=""):
    return BARE.but(difference=difference, interval=interval, withheld=withheld)


def test_a_difference_is_set_against_the_interval_of_the_repeat():
    floor = {"on -> on-repeat": repeat(0.025, (-0.01, 0.06))}
    large, small = noise(-0.1, floor), noise(-0.06, floor)
    assert (large.repeat, large.times, large.within) == ("on -> on-repeat", pytest.approx(4), False)
    assert small.within
    assert noise(0.061, floor).within is False


def test_of_several_repeats_the_noisiest_counts():
    floors = {"one": repeat(0.05, (0.04, 0.06)), "two": repeat(0.0, (-0.2, 0.2)), "three": repeat(-0.5)}
    assert noise(0.1, floors).repeat == "two"
    assert noise(0.1, floors).times is None
    assert noise(0.1, floors).within


def test_without_an_interval_nobody_knows():
    found = noise(0.1, {"on -> on-repeat": repeat(0.02, withheld="3 subjects, fewer than 20")})
    assert (found.within, found.withheld) == (None, "3 subjects, fewer than 20")
    assert noise(0.1, {"on -> on-repeat": repeat(None)}) is None
    assert noise(0.1, {}) is None
