"""Hall's transformation against its own formulas, and the interval against the p-value."""

import numpy as np
import pytest
from hulls import chance
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medvision_agent.eval.compare.statistics.hall import skewed
from medvision_agent.eval.compare.statistics.jackknife import jackknife

seeds = st.integers(0, 2**32 - 1)


def skewed_arms(seed: int, subjects: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sums, sizes and correlation where B is a little lower nearly always and fails rarely."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 7, subjects).astype(float)
    sums = sizes * random.normal(random.uniform(-0.1, 0.1), 0.05, subjects)
    sums[: random.integers(0, 4)] += 0.7
    return sums, sizes, random.uniform(0, 1)


@settings(max_examples=80, deadline=None)
@given(seeds)
@example(38618)  # its t is 0.006
def test_p_by_the_formula(seed):
    sums, sizes, icc = skewed_arms(seed)
    mean = jackknife(sums, sizes, icc)
    residuals = sums - sizes * sums.sum() / sizes.sum()
    a = float((residuals**3).sum() / (residuals**2).sum() ** 1.5)
    t = float(mean.estimate / mean.error)
    h = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
    halls = chance(abs(h), sizes, icc) if h * t > 0 else 1.0
    found = skewed(sums, sizes, icc)
    assert float(found.skewness) == pytest.approx(a, rel=1e-9)
    assert float(found.p()) == pytest.approx(max(float(mean.p()), halls), rel=1e-5)


@settings(max_examples=150, deadline=None)
@given(seeds, st.floats(0.5, 0.999))
def test_the_interval_leaves_0_out_exactly_where_p_is_under_its_level(seed, level):
    found = skewed(*skewed_arms(seed))
    low, high = found.interval(level)
    assert (low > 0 or high < 0) == (float(found.p()) < 1 - level)
    assert low <= found.mean.estimate - found.mean.margin(level) * (1 - 1e-9)
    assert high >= found.mean.estimate + found.mean.margin(level) * (1 - 1e-9)


def test_without_skew_it_is_the_jackknife():
    sums, sizes = np.array([0.3, -0.1, 0.1, 0.2, 0.0] * 5), np.full(25, 2.0)
    symmetric = np.concatenate((sums, 0.2 - sums))
    found = skewed(symmetric, np.full(50, 2.0), 0.0)
    assert float(found.p()) == pytest.approx(float(found.mean.p()), rel=1e-12)
    assert found.interval(0.95) == pytest.approx(
        (found.mean.estimate - found.mean.margin(0.95), found.mean.estimate + found.mean.margin(0.95))
    )
    assert float(skewed(sums, sizes, 0.0).skewness) != 0


def test_swapped_arms_swap_the_interval():
    sums, sizes, icc = skewed_arms(7)
    one, other = skewed(sums, sizes, icc), skewed(-sums, sizes, icc)
    assert float(one.p()) == pytest.approx(float(other.p()))
    assert one.interval(0.9) == pytest.approx(tuple(-end for end in reversed(other.interval(0.9))))


def test_data_sets_before_the_last_axis_are_independent():
    drawn = [skewed_arms(seed) for seed in range(4)]
    together = skewed(*(np.stack(column) for column in zip(*drawn, strict=True)))
    assert together.p() == pytest.approx([float(skewed(*one).p()) for one in drawn])
