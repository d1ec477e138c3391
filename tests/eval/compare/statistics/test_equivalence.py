"""Equivalence, worked out by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats

from medvision_agent.eval.compare.statistics.clusters import Clusters
from medvision_agent.eval.compare.statistics.equivalence import equivalent
from medvision_agent.eval.compare.statistics.hall import skewed

HALF = np.asarray(0.5)


def arms(count: int, difference: float, spread: float, seed: int = 0) -> Clusters:
    random = np.random.default_rng(seed)
    return Clusters(random.normal(difference, spread, count), np.ones(count), np.zeros(()))


def verdict(data: Clusters, *, level: float = 0.05, margin: float = 0.05) -> bool:
    return bool(equivalent(data, HALF, HALF, level=level, margin=margin))


def test_a_small_difference_with_little_spread_is_equivalent_and_a_large_one_is_not():
    assert verdict(arms(150, 0.0, 0.05))
    assert not verdict(arms(150, 0.06, 0.05))


def test_wide_intervals_show_nothing():
    assert not verdict(arms(20, 0.0, 0.3))


def test_the_interval_is_that_of_two_one_sided_tests():
    sums = arms(40, 0.0, 0.1).sums
    symmetric = np.concatenate((sums, -sums))  # without skew Hall's interval is the t interval
    low, high = skewed(symmetric, np.ones(80), np.zeros(())).interval(1 - 2 * 0.05)
    error = symmetric.std(ddof=1) / np.sqrt(80)
    assert (float(low), float(high)) == pytest.approx((-stats.t.ppf(0.95, 79) * error, stats.t.ppf(0.95, 79) * error))


def test_one_more_subject_in_whom_an_arm_fails_must_not_undo_it():
    data = arms(20, 0.0, 0.02)
    low, high = skewed(*data).interval(1 - 2 * 0.05)
    assert -0.05 < float(low) < float(high) < 0.05  # without the guard it would be a verdict
    assert not verdict(data)


def test_arms_that_differ_by_the_margin_are_called_equivalent_in_at_most_the_level():
    random = np.random.default_rng(4)
    sums = random.normal(0.05, 0.1, (4000, 60))
    half = np.full(4000, 0.5)
    found = equivalent(Clusters(sums, np.ones_like(sums), np.zeros(4000)), half, half, level=0.05, margin=0.05)
    assert found.mean() <= 0.05
