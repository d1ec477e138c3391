"""The guard and the tipping point, worked out again by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.eval.compare.statistics.clusters import Clusters
from medvision_agent.eval.compare.statistics.guard import against, guarded_p, tipping
from medvision_agent.eval.compare.statistics.hall import skewed

ICC = np.asarray(0.3)


def better_arm(subjects: int = 30, shift: float = -0.1, spread: float = 0.05) -> Clusters:
    random = np.random.default_rng(subjects)
    sizes = random.integers(1, 7, subjects).astype(float)
    return Clusters(sizes * random.normal(shift, spread, subjects), sizes, ICC)


def test_a_failure_of_the_better_arm_costs_what_the_other_does_not():
    assert against(np.array(-0.1), np.array(0.4), np.array(0.3)) == pytest.approx(0.6)  # B is better, and costs 1
    assert against(np.array(0.1), np.array(0.3), np.array(0.4)) == pytest.approx(-0.6)
    assert against(np.array(-0.1), np.array(0.4), np.array(0.3), largest=2.0) == pytest.approx(1.6)


def test_the_guard_is_one_subject_of_mean_size_that_fails_by_half():
    data = better_arm()
    mean = data.sizes.mean()
    by_hand = skewed(np.append(data.sums, mean * 0.5 * 0.6), np.append(data.sizes, mean), ICC)
    assert float(guarded_p(data, np.asarray(0.6))) == pytest.approx(float(by_hand.p()))


def test_a_sign_that_flips_is_never_guarded():
    sums, sizes = np.full(30, -0.001), np.ones(30)
    sums[::2] -= 1e-4
    data = Clusters(sums, sizes, ICC)
    assert float(skewed(*data).p()) < 1e-9
    assert float(guarded_p(data, np.asarray(0.6))) == 1.0


def level_after(data: Clusters, count: int, share: float) -> float:
    sums, sizes, icc = data
    more = skewed(np.append(sums, [sizes.mean() * share * 0.6] * count), np.append(sizes, [sizes.mean()] * count), icc)
    return 1.0 if more.mean.estimate >= 0 else float(more.p())


@pytest.mark.parametrize("shift", [-0.03, -0.1, -0.3])
def test_the_tipping_point_is_the_first_that_undoes_it(shift):
    data = better_arm(shift=shift)
    assert float(skewed(*data).p()) < 0.05
    found = tipping(data, 0.6, 0.05)
    assert level_after(data, found.subjects, 1.0) > 0.05
    assert all(level_after(data, fewer, 1.0) <= 0.05 for fewer in range(1, found.subjects))
    if found.subjects == 1:
        assert level_after(data, 1, found.share + 1e-3) > 0.05 >= level_after(data, 1, found.share - 1e-3)
    else:
        assert found.share is None


def test_what_nothing_undoes_says_so():
    sums, sizes = np.full(4000, -1.0) + np.linspace(0, 1e-3, 4000), np.ones(4000)
    assert (found := tipping(Clusters(sums, sizes, ICC), 0.1, 0.05)).subjects is None
    assert found.share is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_data_sets_before_the_last_axis_are_independent(seed):
    random = np.random.default_rng(seed)
    sums, sizes = random.normal(-0.1, 0.2, (3, 25)), random.integers(1, 5, (3, 25)).astype(float)
    limit = np.array([0.5, 0.6, 0.7])
    icc = random.uniform(0, 1, 3)
    together = guarded_p(Clusters(sums, sizes, icc), limit)
    alone = [float(guarded_p(Clusters(sums[row], sizes[row], icc[row]), limit[row])) for row in range(3)]
    assert together == pytest.approx(alone)
