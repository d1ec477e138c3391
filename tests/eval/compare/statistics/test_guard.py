"""The guard and the tipping point, worked out again by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.eval.compare.statistics.guard import against, guarded_p, tipping
from medvision_agent.eval.compare.statistics.hall import skewed


def better_arm(subjects: int = 30, shift: float = -0.1, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(subjects)
    sizes = random.integers(1, 7, subjects).astype(float)
    return sizes * random.normal(shift, spread, subjects), sizes


def test_a_failure_of_the_better_arm_costs_what_the_other_does_not():
    assert against(np.array(-0.1), np.array(0.4), np.array(0.3)) == pytest.approx(0.6)  # B is better, and costs 1
    assert against(np.array(0.1), np.array(0.3), np.array(0.4)) == pytest.approx(-0.6)
    assert against(np.array(-0.1), np.array(0.4), np.array(0.3), largest=2.0) == pytest.approx(1.6)


def test_the_guard_is_one_subject_of_mean_size_that_fails_by_half():
    sums, sizes = better_arm()
    mean = sizes.mean()
    by_hand = skewed(np.append(sums, mean * 0.5 * 0.6), np.append(sizes, mean))
    assert float(guarded_p(sums, sizes, np.asarray(0.6))) == pytest.approx(float(by_hand.p()))


def test_a_sign_that_flips_is_never_guarded():
    sums, sizes = np.full(30, -0.001), np.ones(30)
    sums[::2] -= 1e-4
    assert float(skewed(sums, sizes).p()) < 1e-9
    assert float(guarded_p(sums, sizes, np.asarray(0.6))) == 1.0


def level_after(sums: np.ndarray, sizes: np.ndarray, count: int, share: float) -> float:
    more = skewed(np.append(sums, [sizes.mean() * share * 0.6] * count), np.append(sizes, [sizes.mean()] * count))
    return 1.0 if more.mean.estimate >= 0 else float(more.p())


@pytest.mark.parametrize("shift", [-0.03, -0.1, -0.3])
def test_the_tipping_point_is_the_first_that_undoes_it(shift):
    sums, sizes = better_arm(shift=shift)
    assert float(skewed(sums, sizes).p()) < 0.05
    found = tipping(sums, sizes, 0.6, 0.05)
    assert level_after(sums, sizes, found.subjects, 1.0) > 0.05
    assert all(level_after(sums, sizes, fewer, 1.0) <= 0.05 for fewer in range(1, found.subjects))
    if found.subjects == 1:
        assert level_after(sums, sizes, 1, found.share + 1e-3) > 0.05 >= level_after(sums, sizes, 1, found.share - 1e-3)
    else:
        assert found.share is None


def test_what_nothing_undoes_says_so():
    sums, sizes = np.full(4000, -1.0) + np.linspace(0, 1e-3, 4000), np.ones(4000)
    assert (found := tipping(sums, sizes, 0.1, 0.05)).subjects is None
    assert found.share is None


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_data_sets_before_the_last_axis_are_independent(seed):
    random = np.random.default_rng(seed)
    sums, sizes = random.normal(-0.1, 0.2, (3, 25)), random.integers(1, 5, (3, 25)).astype(float)
    limit = np.array([0.5, 0.6, 0.7])
    together = guarded_p(sums, sizes, limit)
    alone = [float(guarded_p(sums[row], sizes[row], limit[row])) for row in range(3)]
    assert together == pytest.approx(alone)
