"""The distribution of the mean over its error: against Student's t, eigenvalues, and simulated normal values."""

import numpy as np
import pytest
from hulls import chance
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medvision_agent.eval.compare.statistics.jackknife import jackknife
from medvision_agent.eval.compare.statistics.reference import power, quantile, tail

THREE = np.array([4.0] * 57 + [80.0] * 3)
ONE = np.array([4.0] * 39 + [60.0])
ZIPF = np.ceil(60 / np.arange(1.0, 41))
sizes_of_subjects = st.lists(st.integers(1, 60), min_size=3, max_size=40).map(lambda sizes: np.array(sizes, float))


@pytest.mark.parametrize("count", [3, 20, 200, 3000])
@pytest.mark.parametrize("icc", [0.0, 0.4, 1.0])
def test_equal_sizes_are_students_t(count, icc):
    t = np.array([1e-3, 0.5, 2.0, 6.0, 40.0])
    assert tail(t, np.full(count, 5.0), icc) == pytest.approx(2 * stats.t.sf(t, count - 1), rel=1e-12)
    for p in (0.9, 0.05, 1e-9):
        assert float(quantile(p, np.full(count, 5.0), icc)) == pytest.approx(stats.t.isf(p / 2, count - 1), rel=1e-11)


@pytest.mark.parametrize("count", [5, 40, 1000])
def test_the_integral_itself_goes_over_into_students_t(count):
    nearly = np.full(count, 5.0)
    nearly[0] += 1e-11
    t = np.array([1.0, 3.0, 8.0, 30.0])
    assert tail(t, nearly, 0.3) == pytest.approx(2 * stats.t.sf(t, count - 1), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(sizes_of_subjects, st.floats(0, 1), st.floats(0.8, 12))
def test_it_is_what_the_eigenvalues_say(sizes, icc, t):
    assert float(tail(t, sizes, icc)) == pytest.approx(chance(t, sizes, icc), rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("sizes", [THREE, ONE, ZIPF])
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.7])
def test_simulated_normal_values_follow_it(sizes, icc):
    random = np.random.default_rng(1)
    sums = random.standard_normal((40_000, len(sizes))) * np.sqrt(sizes * (1 - icc) + sizes**2 * icc)
    found = jackknife(sums, np.broadcast_to(sizes, sums.shape), np.full(len(sums), icc))
    t = np.abs(found.estimate / found.error)
    for p in (0.5, 0.05, 0.005):
        assert (t > float(quantile(p, sizes, icc))).mean() == pytest.approx(p, abs=4 * (p / 40_000) ** 0.5)


@settings(max_examples=60, deadline=None)
@given(sizes_of_subjects, st.floats(0, 1), st.floats(1e-12, 0.6))
def test_a_quantile_is_the_inverse_also_at_small_levels(sizes, icc, p):
    t = quantile(p, sizes, icc)
    assert float(tail(t, sizes, icc)) == pytest.approx(p, rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(sizes_of_subjects, st.floats(0, 1))
def test_larger_values_are_rarer(sizes, icc):
    chances = tail(np.geomspace(0.5, 1e4, 60), sizes, icc)
    assert (np.diff(chances) < 0).all()
    assert ((chances > 0) & (chances < 1)).all()
    rough = tail(np.geomspace(1e-6, 0.5, 60), sizes, icc)
    assert (np.diff(rough) <= 1e-4).all()
    assert ((rough > 0) & (rough <= 1)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_data_sets_before_the_last_axis_are_independent_and_who_has_no_sample_is_none(seed):
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 6, (7, 20)).astype(float)
    sizes[0] = 3.0
    t, icc = random.uniform(0.5, 4, 7), random.uniform(0, 1, 7)
    alone = [float(tail(t[row], sizes[row][sizes[row] > 0], icc[row])) for row in range(7)]
    assert tail(t, sizes, icc) == pytest.approx(alone, rel=1e-9)
    assert quantile(0.05, sizes, icc) == pytest.approx(
        [float(quantile(0.05, sizes[row][sizes[row] > 0], icc[row])) for row in range(7)], rel=1e-9
    )
    many = np.broadcast_to(ZIPF, (3, 40))
    assert tail(np.array([1.0, 2.0, 3.0]), many, np.zeros(3)) == pytest.approx(tail(np.array([1.0, 2, 3]), ZIPF, 0.0))


def test_what_no_test_can_have_is_still_a_number():
    assert float(tail(0.0, ZIPF, 0.3)) == pytest.approx(1, abs=1e-8)
    assert 0 <= float(tail(np.inf, ZIPF, 0.3)) < 1e-30
    assert np.isnan(tail(np.nan, ZIPF, 0.3))


@pytest.mark.parametrize("sizes", [ONE, np.full(20, 5.0)])
def test_an_interval_of_level_1_has_no_ends(sizes):
    assert quantile(np.array([0.0, 0.05]), sizes, 0.3) == pytest.approx([np.inf, float(quantile(0.05, sizes, 0.3))])


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5, 4.0, 8.0])
@pytest.mark.parametrize("count", [20, 300])
def test_power_with_equal_sizes_is_that_of_noncentral_t(shift, count):
    error, t = np.sqrt((0.3 + 0.7 / 5) / count), stats.t.isf(0.005, count - 1)
    theirs = stats.ncf.sf(t**2, 1, count - 1, shift**2) if shift else 0.01
    assert power(shift * error, t, np.full(count, 5.0), 0.3) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("sizes", [THREE, ONE, ZIPF])
def test_power_is_what_simulated_normal_values_have(sizes):
    random, t = np.random.default_rng(2), float(quantile(0.05, sizes, 0.3))
    assert power(0.0, t, sizes, 0.3) == pytest.approx(0.05, abs=1e-9)
    noise = random.standard_normal((20_000, len(sizes))) * np.sqrt(0.7 * sizes + 0.3 * sizes**2)
    for shift in (0.1, 0.4, 0.8):
        found = jackknife(noise + shift * sizes, np.broadcast_to(sizes, noise.shape), np.zeros(20_000))
        rejected = (np.abs(found.estimate / found.error) > t).mean()
        assert power(shift, t, sizes, 0.3) == pytest.approx(rejected, abs=0.014)


@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("sizes", [[2, 2], [2, 2, 5], [1] * 22 + [100] * 3, [1] * 48 + [100, 100], [5] * 20 + [1]])
def test_power_of_few_or_very_unequal_subjects_is_what_simulated_values_have(sizes, alpha):
    random, of = np.random.default_rng(3), np.array(sizes, float)
    error, t = np.sqrt((0.7 * of + 0.3 * of**2).sum()) / of.sum(), float(quantile(alpha, of, 0.3))
    noise = random.standard_normal((10_000, len(of))) * np.sqrt(0.7 * of + 0.3 * of**2)
    assert power(0.0, t, of, 0.3) == pytest.approx(alpha, rel=1e-4)
    for errors in (0.3 * t, t, 3 * t, 10 * t):
        found = jackknife(noise + errors * error * of, np.broadcast_to(of, noise.shape), np.zeros(10_000))
        rejected = (np.abs(found.estimate / found.error) > t).mean()
        assert power(errors * error, t, of, 0.3) == pytest.approx(rejected, abs=0.02)
