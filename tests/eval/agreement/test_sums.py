"""Agreement against published figures, and against the formulas worked out the long way."""

import numpy as np
import pytest

from medvision_agent.eval.agreement.sums import Sums, sums_of

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
"""Peak flow in l/min by two meters: Bland and Altman (1986), Lancet 327."""
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64)
"""Six targets by four judges: Shrout and Fleiss (1979), Psychological Bulletin 86."""


def sums(stated, true, subjects=None) -> Sums:
    return sums_of(np.array(stated, float), np.array(true, float), subjects or [str(i) for i in range(len(stated))])


def icc(ratings: np.ndarray) -> float:
    """ICC(A,1) of any number of raters, from the sums of squares of two-way analysis of variance."""
    n, k = ratings.shape
    middle, rows, columns = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    of_rows = k * ((rows - middle) ** 2).sum() / (n - 1)
    of_columns = n * ((columns - middle) ** 2).sum() / (k - 1)
    rest = ((ratings - rows[:, None] - columns + middle) ** 2).sum() / ((n - 1) * (k - 1))
    return (of_rows - rest) / (of_rows + (k - 1) * rest + k / n * (of_columns - rest))


def test_the_peak_flow_meters_of_bland_and_altman():
    found = sums(WRIGHT, MINI).measures()
    assert float(found.bias) == pytest.approx(-2.1, abs=0.05)
    assert float(found.sd) == pytest.approx(38.8, abs=0.05)
    lower, upper = (float(end) for end in found.limits)
    assert (lower, upper) == pytest.approx((-2.1 - 1.96 * 38.8, -2.1 + 1.96 * 38.8), abs=0.1)


def test_the_concordance_that_epir_documents_for_the_same_meters():
    assert round(float(sums(WRIGHT, MINI).measures().ccc), 2) == 0.94


def test_the_intraclass_correlation_of_shrout_and_fleiss():
    assert icc(JUDGES) == pytest.approx(0.29, abs=0.005)  # as published; the formula is right, so it judges ours
    for a, b in [(0, 1), (0, 3), (1, 2)]:
        found = sums(JUDGES[:, a], JUDGES[:, b]).measures()
        assert float(found.icc) == pytest.approx(icc(JUDGES[:, [a, b]]), abs=1e-12)


def test_variance_between_and_within_subjects_of_unequal_numbers():
    groups = [[1.0, 2.0, 4.0], [5.0], [3.0, 7.0], [0.0, 0.0, 1.0, 1.0]]
    error = np.concatenate([np.array(group) for group in groups])
    subjects = [str(i) for i, group in enumerate(groups) for _ in group]
    n, g = len(error), len(groups)
    means = np.array([np.mean(group) for group in groups])
    sizes = np.array([len(group) for group in groups])
    between = (sizes * (means - error.mean()) ** 2).sum() / (g - 1)
    within = sum(((np.array(group) - np.mean(group)) ** 2).sum() for group in groups) / (n - g)
    n0 = (n - (sizes**2).sum() / n) / (g - 1)
    expected = np.sqrt(max(0.0, (between - within) / n0) + within)
    true = np.linspace(10, 40, n)
    assert float(sums(true + error, true, subjects).measures().sd) == pytest.approx(expected, abs=1e-10)


def test_the_slope_is_that_of_a_line_through_the_errors():
    rng = np.random.default_rng(3)
    true = rng.uniform(10, 60, 40)
    stated = 0.8 * true + 4 + rng.normal(0, 2, 40)
    expected = np.polyfit(true, stated - true, 1)[0]
    assert float(sums(stated, true).measures().slope) == pytest.approx(expected, abs=1e-12)


def test_weights_stand_for_subjects_drawn_several_times():
    rng = np.random.default_rng(5)
    true, subjects = rng.uniform(10, 60, 12), ["a", "a", "b", "b", "b", "c", "d", "d", "e", "e", "e", "e"]
    stated = true + rng.normal(1, 3, 12)
    drawn = sums(stated, true, subjects).measures(np.array([[2.0, 1, 0, 1, 1]]))
    picks = [i for i, who in enumerate(subjects) if who != "c"] + [0, 1]
    names = [subjects[i] for i in picks[:-2]] + ["a again", "a again"]
    again = sums(stated[picks], true[picks], names).measures()
    for name in ("bias", "sd", "slope", "ccc", "icc"):
        assert float(getattr(drawn, name)[0]) == pytest.approx(float(getattr(again, name)), abs=1e-10)
