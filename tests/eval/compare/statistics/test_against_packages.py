"""Our statistics against SciPy's and statsmodels' own implementations."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from medvision_agent.eval.compare.statistics.graph import reject
from medvision_agent.eval.compare.statistics.jackknife import jackknife
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.compare.statistics.power import detectable, pilot
from medvision_agent.eval.compare.statistics.weights import family_graph

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 60), st.integers(1, 6), st.floats(0.5, 0.999), st.floats(-0.5, 0.5), seeds)
def test_equal_subjects_give_the_t_test_of_their_means(subjects, size, level, shift, seed):
    values = np.random.default_rng(seed).normal(shift, 1, (subjects, size))
    found = jackknife(values.sum(axis=1), np.full(subjects, float(size)), np.zeros(()))
    theirs = stats.ttest_1samp(values.mean(axis=1), 0)
    assert float(found.p()) == pytest.approx(theirs.pvalue, rel=1e-8)
    margin, mean = float(found.margin(level)), float(found.estimate)
    ends = tuple(theirs.confidence_interval(level))
    assert (mean - margin, mean + margin) == pytest.approx(ends, rel=1e-8, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=3, max_size=40), seeds)
def test_unequal_subjects_give_the_hc3_error_of_a_weighted_mean(sizes, seed):
    """The jackknife is HC3 of a regression of subject means on a constant, weighted by size, but for (G - 1) / G."""
    weights = np.array(sizes, dtype=float)
    sums = np.random.default_rng(seed).normal(0.2, 1, len(sizes)) * weights
    found = jackknife(sums, weights, np.zeros(()))
    theirs = WLS(sums / weights, np.ones(len(sizes)), weights=weights).fit(cov_type="HC3")
    assert float(found.estimate) == pytest.approx(theirs.params[0], rel=1e-9)
    assert float(found.error) == pytest.approx(theirs.bse[0] * (1 - 1 / len(sizes)) ** 0.5, rel=1e-9)


@settings(max_examples=20, deadline=None)  # multipletests collects garbage at each call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 5))
def test_holm_is_statsmodels_holm(p, without):
    """A test without a p-value counts like one whose p-value is the largest."""
    theirs = multipletests([*p, *[1.0] * without], method="holm")[1][: len(p)]
    keys = [Key("off -> on", "size", str(number)) for number in range(len(p) + without)]
    found = [one.adjusted for one in reject(family_graph(keys, ()), [*p, *[None] * without], 0.05)]
    assert found[len(p) :] == [None] * without
    np.testing.assert_allclose(found[: len(p)], theirs, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 200), st.integers(1, 8), st.floats(0, 1), st.floats(0.3, 0.97), st.floats(0.01, 0.2))
def test_the_detectable_difference_is_that_of_statsmodels_t_test(subjects, size, icc, power, alpha):
    found = detectable([size] * subjects, icc=icc, power=power, alpha=alpha)
    inflation = (1 + (size - 1) * icc) / size  # the variance of a subject's mean, in that of one difference
    reached = TTestPower().power(found.in_sd / inflation**0.5, nobs=subjects, alpha=alpha, alternative="two-sided")
    assert reached == pytest.approx(power, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=3, max_size=20), st.floats(0, 2), seeds)
def test_a_pilots_correlation_is_that_of_scipys_analysis_of_variance(sizes, spread, seed):
    assume(max(sizes) > 1)
    random = np.random.default_rng(seed)
    groups = [random.normal(random.normal(0, spread), 1, size) for size in sizes]
    names = np.repeat(np.arange(len(sizes)), sizes).astype(str).tolist()
    found = pilot(np.concatenate(groups).tolist(), names)
    ratio = stats.f_oneway(*groups).statistic  # MSB / MSW
    n, squares = sum(sizes), sum(size**2 for size in sizes)
    n0 = (n - squares / n) / (len(sizes) - 1)
    assert found.icc == pytest.approx(max(0.0, (ratio - 1) / (ratio + n0 - 1)), rel=1e-7, abs=1e-9)
