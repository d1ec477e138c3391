"""Power against published values, the noncentral t and a simulation; the pilot by hand."""

import numpy as np
import pytest
from scipy import stats

from medvision_agent.eval.compare.statistics.jackknife import jackknife
from medvision_agent.eval.compare.statistics.power import detectable, pilot


def test_one_sample_per_subject_is_the_paired_t_test():
    # 20 pairs, 80 % power, alpha 0.05 two-sided: d = 0.66 (Cohen 1988; R: power.t.test(n = 20, type = "paired"))
    found = detectable([1] * 20, icc=0.5)
    assert found.in_sd == pytest.approx(0.6604, abs=5e-4)
    assert (found.in_metric, found.withheld) == (None, "")


@pytest.mark.parametrize("icc", [0.0, 0.3, 1.0])
def test_with_equal_sizes_the_power_is_that_of_the_noncentral_t(icc):
    found = detectable([6] * 20, icc=icc, sd=0.25)
    critical, shift = stats.t.ppf(0.975, 19), found.in_sd / np.sqrt((1 / 6 + icc * 5 / 6) / 20)
    power = stats.nct.sf(critical, 19, shift) + stats.nct.cdf(-critical, 19, shift)
    assert power == pytest.approx(0.8, abs=1e-6)
    assert found.in_metric == pytest.approx(found.in_sd * 0.25)


@pytest.mark.parametrize("many", [[2, 4, 6] * 10, [4] * 30 + [30], [4] * 57 + [80] * 3])
def test_a_simulated_study_has_the_power(many):
    sizes, count = np.array(many, dtype=float), len(many)
    found = detectable([int(size) for size in sizes], icc=0.4)
    random = np.random.default_rng(9)
    shared, own = random.normal(size=(2, 4000, count)) * np.sqrt([0.4, 0.6])[:, None, None]
    sums = sizes * (shared + found.in_sd) + np.sqrt(sizes) * own
    p = jackknife(sums, np.broadcast_to(sizes, sums.shape), np.full(4000, 0.4)).p()
    assert 0.77 < (p < 0.05).mean() < 0.83


def test_a_pilot_by_hand():
    balanced = pilot([1, 2, 3, 4], ["a", "a", "b", "b"])  # MSB 4, MSW 0.5, n0 2
    assert (balanced.icc, balanced.sd) == pytest.approx((3.5 / 4.5, 1.5))
    unequal = pilot([1, 3, 5], ["a", "a", "b"])  # MSB 6, MSW 2, n0 4/3
    assert (unequal.icc, unequal.sd) == pytest.approx((0.6, np.sqrt(5)))


def test_names_that_end_in_nothing_visible_are_told_apart():
    plain = pilot([1, 2, 3, 4], ["a", "a", "b", "b"])
    assert pilot([1, 2, 3, 4], ["a", "a", "a\0", "a\0"]) == plain


def test_a_pilot_finds_what_was_put_in():
    random = np.random.default_rng(10)
    sizes = random.integers(1, 9, 3000)
    subjects = np.repeat(np.arange(3000), sizes)
    values = np.sqrt(0.3) * random.normal(size=3000)[subjects] + np.sqrt(0.7) * random.normal(size=len(subjects))
    found = pilot((0.2 * values).tolist(), [f"{subject:04}" for subject in subjects])
    assert (found.icc, found.sd) == (pytest.approx(0.3, abs=0.03), pytest.approx(0.2, abs=0.005))


@pytest.mark.parametrize(
    ("differences", "subjects", "sd", "icc", "withheld"),
    [
        ([], [], None, None, "fewer than 2 subjects"),
        ([0.1, 0.2], ["a", "a"], None, None, "fewer than 2 subjects"),
        ([1.0, 3.0], ["a", "b"], 2**0.5, None, "one sample per subject: no icc"),
        ([0.5] * 4, ["a", "a", "b", "b"], 0.0, None, "no spread: all differences are equal"),
        ([0.0, 1.0, 0.0, 1.0], ["a", "a", "b", "b"], 0.5**0.5, 0.0, ""),
    ],
)
def test_poor_pilots_are_typed(differences, subjects, sd, icc, withheld):
    found = pilot(differences, subjects)
    assert found.sd == (None if sd is None else pytest.approx(sd))
    assert (found.icc, found.withheld) == (icc, withheld)


@pytest.mark.parametrize("sizes", [[], [5], [100, 1]])
def test_poor_designs_detect_nothing_and_say_so(sizes):
    found = detectable(sizes, icc=0.3, sd=0.2)
    assert (found.in_sd, found.in_metric) == (None, None)
    assert found.withheld


def test_a_small_design_is_told_it_makes_no_claim():
    found = detectable([5] * 12, icc=0.3)
    assert found.in_sd is not None
    assert found.withheld == "12 subjects, fewer than 20"


@pytest.mark.parametrize("bad", [{"icc": -0.1}, {"icc": 1.1}, {"icc": 0.3, "power": 0.01}])
def test_impossible_designs_are_refused(bad):
    with pytest.raises(ValueError, match="expected icc from 0 to 1"):
        detectable([5] * 20, **bad)
