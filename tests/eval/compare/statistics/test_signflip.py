"""Sign flips: McNemar's exact test, brute force over all flips, and seeded draws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medvision_agent.eval.compare.statistics.signflip import sign_flip


def brute(sums: list[float]) -> float:
    observed = abs(sum(sums)) - 1e-9
    flips = list(itertools.product((-1, 1), repeat=len(sums)))
    return sum(abs(sum(s * x for s, x in zip(signs, sums, strict=True))) >= observed for signs in flips) / len(flips)


@pytest.mark.parametrize(("worse", "better", "ties"), [(0, 0, 5), (1, 0, 0), (3, 12, 40), (7, 7, 1), (60, 95, 300)])
def test_binary_outcomes_give_mcnemars_exact_test(worse, better, ties):
    found = sign_flip(np.array([1.0] * worse + [-1.0] * better + [0.0] * ties))
    expected = stats.binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert found.p == pytest.approx(expected, rel=1e-9)
    assert (found.method, found.subjects) == ("exact distribution", worse + better)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-4, 4), max_size=9))
def test_whole_sums_are_all_flips_by_either_method(sums):
    p = sign_flip(np.array(sums, dtype=float)).p
    assert p == pytest.approx(brute(sums))
    assert sign_flip(np.array(sums, dtype=float) * 0.1).p == pytest.approx(p)  # enumerated, with rounding and ties


def test_few_subjects_are_enumerated():
    sums = np.random.default_rng(1).normal(0.3, 1, 11).tolist()
    found = sign_flip(np.array([*sums, 0.0]))
    assert (found.method, found.subjects) == ("all flips", 11)
    assert found.p == brute(sums)


def test_drawn_flips_are_seeded_near_the_exact_value_and_never_0():
    random = np.random.default_rng(2)
    whole = random.integers(-9, 14, 40).astype(float)
    exact, found = sign_flip(whole), sign_flip(whole * 0.37, seed=5)
    assert (exact.method, found.method) == ("exact distribution", "drawn flips")
    assert found.p == pytest.approx(exact.p, abs=4 * (exact.p * (1 - exact.p) / 19_999) ** 0.5 + 1e-4)
    assert found == sign_flip(whole * 0.37, seed=5)
    assert found.p == sign_flip(random.permutation(whole * 0.37), seed=5).p
    assert sign_flip(np.full(60, 0.7), draws=99).p == 1 / 100
