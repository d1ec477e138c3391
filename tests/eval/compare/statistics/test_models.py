"""Two models over the same samples: planted interactions, and what is missing."""

import numpy as np
import pytest

from medvision_agent.eval.compare.statistics.models import between_models, interaction, mean_over
from medvision_agent.eval.compare.statistics.pairs import Pairs, Result, Unit, pair

UNITS = [Unit(f"s{number}", f"person{number // 2}") for number in range(80)]


def arms(off: float, on: float, *, seed: int, lost: int | None = None) -> Pairs:
    """Return the arms of one model with mean losses *off* and *on*."""
    random = np.random.default_rng(seed)
    sides = [
        [Result(unit.sample, float(np.clip(random.normal(mean, 0.05), 0, 0.99)), answered=True) for unit in UNITS]
        for mean in (off, on)
    ]
    if lost is not None:
        sides[1][lost] = Result(UNITS[lost].sample, None, answered=False)
    return pair(UNITS, *sides)


def test_tools_that_help_one_model_and_harm_the_other():
    base, tuned = arms(0.5, 0.3, seed=1), arms(0.4, 0.45, seed=2)
    found = interaction(base, tuned, role="declared")
    assert found.difference == pytest.approx(0.25, abs=0.03)
    assert found.p is not None
    assert found.p < 1e-9
    assert mean_over([base, tuned]).difference == pytest.approx((-0.2 + 0.05) / 2, abs=0.02)
    assert between_models(base, tuned, "a").difference == pytest.approx(-0.1, abs=0.02)
    assert between_models(base, tuned, "b").difference == pytest.approx(0.15, abs=0.02)


def test_it_is_the_mean_of_differences_within_samples():
    base, tuned = arms(0.5, 0.3, seed=3), arms(0.4, 0.45, seed=4)
    by_hand = [
        (two.b.loss - two.a.loss) - (one.b.loss - one.a.loss) for one, two in zip(base.all, tuned.all, strict=True)
    ]
    assert interaction(base, tuned, role="exploratory").difference == pytest.approx(np.mean(by_hand))
    assert interaction(base, tuned, role="exploratory").p is None


def test_a_sample_lost_in_one_arm_of_one_model_is_in_neither():
    found = interaction(arms(0.5, 0.3, seed=5), arms(0.5, 0.3, seed=6, lost=7), role="declared")
    assert found.n == 79


def test_equal_changes_are_no_interaction():
    rejected = [
        interaction(arms(0.5, 0.3, seed=seed), arms(0.4, 0.2, seed=1000 + seed), role="declared").p or 1
        for seed in range(100)
    ]
    assert sum(p <= 0.05 for p in rejected) <= 12
