"""The jackknife against hand-computed values, brute force and the classical paired t-test."""

import math

import numpy as np
import pytest
from hulls import chance, correlation, reach
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.estimate import Estimate, estimate
from medvision_agent.eval.compare.statistics.jackknife import by_subject, jackknife, jackknife_contrast, kish

in_clusters = st.lists(
    st.tuples(st.floats(-1, 1).map(lambda x: round(x, 3)), st.integers(0, 24)), min_size=60, max_size=90
)


def declared(values: list[float], subjects: list[str]) -> Estimate:
    return estimate(values, subjects, evidence="real", role="declared")


def test_a_hand_computed_jackknife():
    sizes, sums = by_subject(["a", "b", "a"], [0.1, 0.5, 0.3])
    found = jackknife(sums, sizes, np.zeros(()))
    # D = 0.9 / 3; without a 0.5, without b 0.2; (1/2) (0.2^2 + 0.1^2) = 0.025
    assert float(found.estimate) == pytest.approx(0.3)
    assert float(found.error) == pytest.approx(math.sqrt(0.025))


def test_kish_by_hand():
    assert float(kish(np.array([6.0, 6, 6]))) == pytest.approx(3)
    assert float(kish(np.array([4.0, 1, 1]))) == pytest.approx(2)
    assert float(kish(np.array([]))) == 0


def test_it_is_the_brute_force_jackknife():
    random = np.random.default_rng(3)
    subjects = [f"s{number}" for number in random.integers(0, 25, 140)]
    values = random.uniform(-1, 1, 140)
    names = sorted(set(subjects))
    without = [np.mean([v for v, s in zip(values, subjects, strict=True) if s != name]) for name in names]
    error = math.sqrt((len(names) - 1) / len(names) * sum((one - values.mean()) ** 2 for one in without))
    icc = correlation([[v for v, s in zip(values, subjects, strict=True) if s == name] for name in names])
    assert declared(values.tolist(), subjects).error == pytest.approx(error, rel=1e-12)
    data = clustered(subjects, values.tolist())
    found = jackknife(*data)
    assert float(data.icc) == pytest.approx(icc, rel=1e-9)
    sizes = [subjects.count(name) for name in names]
    assert float(found.margin(0.95)) == pytest.approx(reach(0.95, sizes, icc) * error, rel=1e-7)
    assert float(found.p()) == pytest.approx(chance(abs(values.mean()) / error, sizes, icc), rel=1e-4)
    effective = sum(sizes) ** 2 / sum(size**2 for size in sizes)
    assert declared(values.tolist(), subjects).effective_subjects == pytest.approx(effective)


def test_one_sample_per_subject_is_the_paired_t_test():
    random = np.random.default_rng(4)
    a, b = random.uniform(0, 1, 24), random.uniform(0, 0.9, 24)
    theirs = stats.ttest_rel(b, a)
    found = jackknife(b - a, np.ones(24), np.zeros(()))
    assert float(found.p()) == pytest.approx(theirs.pvalue, rel=1e-10)
    mean, margin = float(found.estimate), float(found.margin(0.95))
    assert (mean - margin, mean + margin) == pytest.approx(tuple(theirs.confidence_interval(0.95)), rel=1e-10)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_equal_sizes_give_the_classical_error_of_subject_means(size):
    values = np.random.default_rng(5).normal(size=(22, size))
    found = jackknife(values.sum(axis=1), np.full(22, float(size)), np.zeros(()))
    assert float(found.error) == pytest.approx(stats.sem(values.mean(axis=1)), rel=1e-12)
    assert float(found.quantile(0.95)) == pytest.approx(stats.t.ppf(0.975, 21), rel=1e-12)


def test_data_sets_before_the_last_axis_are_independent():
    random = np.random.default_rng(6)
    sizes = random.integers(1, 9, (3, 20)).astype(float)
    sums = random.normal(size=(3, 20))
    icc = np.array([0.0, 0.3, 1.0])
    together = jackknife(sums, sizes, icc)
    for row in range(3):
        alone = jackknife(sums[row], sizes[row], icc[row])
        assert together.error[row] == pytest.approx(float(alone.error))
        assert together.p()[row] == pytest.approx(float(alone.p()))


def test_a_subject_without_samples_changes_nothing():
    sums, sizes = np.array([0.4, 0.5, -0.2]), np.array([2.0, 1, 3])
    more = jackknife(np.append(sums, 0.0), np.append(sizes, 0.0), np.zeros(()))
    assert float(more.error) == pytest.approx(float(jackknife(sums, sizes, np.zeros(())).error))


def test_a_contrast_is_the_brute_force_jackknife():
    random = np.random.default_rng(7)
    sizes, first = random.uniform(1, 5, 12), random.uniform(0, 1, 12)
    ones, twos = random.normal(size=12), random.normal(size=12)
    second = sizes - first

    def difference(kept: np.ndarray) -> float:
        return float(ones[kept].sum() / first[kept].sum() - twos[kept].sum() / second[kept].sum())

    everyone = np.arange(12)
    full = difference(everyone)
    squares = sum((difference(everyone[everyone != subject]) - full) ** 2 for subject in range(12))
    found = jackknife_contrast((ones, twos), (first, second))
    assert float(found.estimate) == pytest.approx(full)
    assert float(found.error) == pytest.approx(math.sqrt(11 / 12 * squares))
    assert float(found.freedom) == pytest.approx(min(float(kish(first)), float(kish(second))) - 1)


@settings(max_examples=60, deadline=None)
@given(in_clusters, st.randoms(use_true_random=False))
def test_swapped_arms_and_shuffled_samples(rows, random):
    values, subjects = [value for value, _ in rows], [f"s{subject}" for _, subject in rows]
    found, swapped = declared(values, subjects), declared([-value for value in values], subjects)
    assert swapped.difference == pytest.approx(-found.difference, abs=1e-12)
    assert swapped.p == pytest.approx(found.p, rel=1e-6) if found.p is not None else swapped.p is None
    if found.interval is not None:
        assert swapped.interval == pytest.approx((-found.interval[1], -found.interval[0]), abs=1e-12)
    random.shuffle(rows)
    again = declared([value for value, _ in rows], [f"s{subject}" for _, subject in rows])
    assert again.difference == pytest.approx(found.difference, abs=1e-12)
    assert (again.p is None) == (found.p is None)
    if found.p is not None:
        assert again.p == pytest.approx(found.p, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(in_clusters, st.floats(-1, 1))
def test_an_added_constant_moves_the_interval_and_nothing_else(rows, constant):
    values, subjects = [value for value, _ in rows], [f"s{subject}" for _, subject in rows]
    found, moved = declared(values, subjects), declared([value + constant for value in values], subjects)
    assert moved.difference == pytest.approx(found.difference + constant, abs=1e-12)
    assert (moved.interval is None) == (found.interval is None)
    if found.interval is not None:
        assert moved.interval == pytest.approx([end + constant for end in found.interval], abs=1e-9)
