"""Random effects against published figures: thirteen trials of BCG vaccine (Colditz et al. 1994, JAMA 271)."""

import numpy as np
import pytest

from medvision_agent.eval.compare.statistics.random_effects import random_effects

TRIALS = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    np.float64,
)
"""Vaccinated with and without tuberculosis, and the same of those not vaccinated."""


def log_risk_ratios() -> tuple[np.ndarray, np.ndarray]:
    ill, well, ill_without, well_without = TRIALS.T
    n, n_without = ill + well, ill_without + well_without
    return np.log(ill / n / (ill_without / n_without)), np.sqrt(1 / ill - 1 / n + 1 / ill_without - 1 / n_without)


def test_the_figures_that_metafor_documents():
    found = random_effects(*log_risk_ratios())
    assert found.between**2 == pytest.approx(0.3132, abs=5e-5)
    assert found.mean == pytest.approx(-0.7145, abs=5e-5)
    assert found.mean / found.error == pytest.approx(-3.9522, abs=5e-5)  # Hartung and Knapp's t
    assert found.interval == pytest.approx((-1.1084, -0.3206), abs=2e-4)


def test_groups_that_agree_have_no_variance_between_and_the_factor_is_not_below_1():
    effects, errors = np.full(6, -0.1), np.full(6, 0.05)
    found = random_effects(effects, errors)
    assert found.between == 0
    assert found.error == pytest.approx(0.05 / np.sqrt(6))


def test_few_groups_are_not_averaged():
    with pytest.raises(ValueError, match="expected at least 5"):
        random_effects(np.zeros(4), np.ones(4))


def test_the_next_group_lies_in_the_prediction_interval_a_little_less_often_than_it_says():
    random, hits = np.random.default_rng(2), 0
    for _ in range(400):
        errors = random.uniform(0.05, 0.2, 8)
        true = random.normal(0.1, 0.15, 9)
        low, high = random_effects(random.normal(true[:8], errors), errors).prediction
        hits += low <= true[8] <= high
    assert 0.85 <= hits / 400 <= 0.97
