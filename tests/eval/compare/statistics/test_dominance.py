"""Where few subjects hold much: when it is said, and that the simulation shows what is said."""

import pytest
from rates import measure
from simulated_arms import Cell

from medvision_agent.eval.compare.statistics.dominance import dominance
from medvision_agent.eval.compare.statistics.estimate import estimate


@pytest.mark.parametrize(
    ("largest", "five", "subjects", "said"),
    [
        (20, 24, 60, "wide"),
        (19, 24, 60, None),
        (25, 60, 60, "wide"),
        (12, 34, 40, "narrow"),
        (12, 33, 40, None),
        (12, 34, 39, None),
    ],
)
def test_it_is_said_from_these_shares_on(largest, five, subjects, said):
    assert dominance(pairs=100, subjects=subjects, largest=largest, largest_five=five) == said


def test_the_pairs_of_the_largest_subjects_are_counted():
    subjects = [*"aaaabbbccdefgh"]
    found = estimate([0.5] * len(subjects), subjects, evidence="real", role="declared")
    assert (found.largest_subject, found.largest_five) == (4, 11)
    assert estimate([0.5], ["a"], evidence="real", role="declared").largest_five == 1
    assert estimate([], [], evidence="real", role="declared").largest_five == 0


def test_one_large_subject_makes_too_wide_and_three_too_narrow():
    one, three = (measure(Cell(subjects=100, sizes=sizes, icc=0.7), 2000) for sizes in ("1 x 0.3", "3 x 0.18"))
    assert one.rejected < 0.04
    assert three.rejected > 0.055
