"""The simulation of ``benchmarks/calibration.py`` in small: 400 replicates a cell, seeded, with loose limits."""

import numpy as np
import pytest
from rates import measure, measure_family, measure_looks, measure_weak
from scipy import stats
from simulated_arms import Cell, WeakNull, draw, truth

from medvision_agent.eval.compare.statistics.power import pilot

REPLICATES = 400
CELLS = [(subjects, icc) for subjects in (20, 40, 100) for icc in (0.0, 0.3, 0.7)]


@pytest.fixture(scope="module")
def null():
    return {key: measure(Cell(subjects=key[0], icc=key[1], sizes="exponential"), REPLICATES) for key in CELLS}


def test_a_family_of_tests_errs_in_at_most_its_level_and_does_not_bury_the_main_question() -> None:
    none, one = (measure_family((effect, 0.0, 0.0, 0.0), 100, 400) for effect in (0.0, -0.06))
    assert none.wrong <= 0.085  # 5 % and three standard errors
    assert one.wrong <= 0.085
    assert one.found > 1.4 * one.found_by_holm


def test_false_positives(null):
    assert all(0.015 <= rates.rejected <= 0.09 for rates in null.values()), null
    assert 0.025 <= np.mean([rates.rejected for rates in null.values()]) <= 0.06  # 3,600 replicates
    assert np.mean([rates.guarded for rates in null.values()]) <= 0.05
    assert all(rates.truth == 0 and rates.undefined == 0 for rates in null.values())


def test_coverage_of_a_true_difference():
    found = [
        measure(Cell(subjects=subjects, icc=icc, sizes="exponential", mean_b=0.42), REPLICATES)
        for subjects, icc in CELLS
    ]
    assert all(0.915 <= rates.covered <= 0.985 for rates in found), found
    assert 0.935 <= np.mean([rates.covered for rates in found]) <= 0.965
    assert all(rates.truth < -0.05 for rates in found)


@pytest.mark.parametrize("subjects", [20, 60])
def test_a_gain_that_hides_rare_failures_is_rejected_too_often_and_not_guarded(subjects):
    found = measure_weak(WeakNull(subjects=subjects, harmed=0.01, noise=0.02), 2000)
    assert found.t > 0.15
    assert found.hall > 0.15
    assert found.guarded == 0
    assert measure_weak(WeakNull(subjects=subjects, harmed=0.05, noise=0.1), 2000).guarded <= 0.045


def test_an_effect_without_failures_is_found_by_the_guarded_test():
    found = measure_weak(WeakNull(subjects=60, harmed=0.0, noise=0.2, effect=-0.15), 1000)
    assert found.guarded > 0.9


def test_peeking_rejects_far_too_often_and_planned_looks_do_not():
    null = WeakNull(subjects=60, harmed=0.0, noise=0.25)
    found = measure_looks(null, (0.5, 0.75, 1.0), 1000)
    assert found.peeking > 0.1
    assert found.verdicts <= found.looks <= 0.065
    power = measure_looks(WeakNull(subjects=60, harmed=0.0, noise=0.25, effect=-0.15), (0.5, 0.75, 1.0), 300)
    assert power.verdicts > 0.9


def test_few_large_subjects_do_no_harm_where_kishs_number_would() -> None:
    one, three = (measure(Cell(subjects=100, sizes=sizes, icc=0.7), 2000) for sizes in ("1 x 0.3", "3 x 0.18"))
    assert one.on_kish < 0.04
    assert three.on_kish > 0.06
    assert all(0.035 <= rates.rejected <= 0.065 for rates in (one, three))


def test_samples_taken_for_independent_fail(null):
    assert all(rates.naive_rejected > 0.15 for (_, icc), rates in null.items() if icc > 0)


def test_lost_pairs_bias_the_figures_and_not_the_bounds():
    found = measure(
        Cell(subjects=100, sizes="linear", icc=0.3, mean_b=0.42, lost_b=0.2, fail_b=0.25, hard=1.5),
        REPLICATES,
        missing=True,
    )
    assert found.scored == pytest.approx(0.8, abs=0.01)
    assert found.covered < 0.9
    assert found.bounds_covered > 0.95


def test_the_simulated_arms_are_what_they_say():
    cell = Cell(subjects=400, icc=0.3, sizes="linear", mean_b=0.42)
    block = next(draw(cell, 20, np.random.default_rng(1)))
    subjects = [f"{subject:03}" for subject in np.repeat(np.arange(400), block.sizes)]
    correlations = [pilot((b - a).tolist(), subjects).icc for a, b in zip(block.a, block.b, strict=True)]
    assert np.mean(correlations) == pytest.approx(0.3, abs=0.03)
    assert (block.failed_a.mean(), block.failed_b.mean()) == pytest.approx((0.1, 0.1), abs=0.01)
    assert set(np.unique(block.a[block.failed_a])) == {1.0}

    def clipped(mean: float, spread: float = 0.25) -> float:
        low, high = -mean / spread, (1 - mean) / spread
        inside = stats.norm.cdf(high) - stats.norm.cdf(low)
        return mean * inside + spread * (stats.norm.pdf(low) - stats.norm.pdf(high)) + stats.norm.sf(high)

    assert truth(cell) == pytest.approx(0.9 * (clipped(0.42) - clipped(0.5)), abs=5e-4)
