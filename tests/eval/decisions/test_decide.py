"""Decisions of one arm and of two: counts, kappa by another route, and what a failed answer is."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from medvision_agent.eval.decisions.compare import turned
from medvision_agent.eval.decisions.decide import Case, decide
from medvision_agent.eval.decisions.kappa import jackknifed, weighted_kappa
from medvision_agent.eval.decisions.rules import Rule
from medvision_agent.eval.why.filed import FiledQuestion

RULE = Rule(
    name="gap", task="distance", names=("gap",), categories=("low", "mid", "high"), limits=(10, 20), source="made up"
)


def case(number: int, true: float, stated: float | None, subject: str | None = None) -> Case:
    asked = FiledQuestion(f"s{number}", "distance", None, "gap", f"p{number}" if subject is None else subject)
    return Case(asked, (true,), None if stated is None else (stated,))


@pytest.mark.parametrize("size", [2, 3, 5])
def test_kappa_is_that_of_another_program(size):
    rng = np.random.default_rng(size)
    counts = rng.integers(0, 30, (size, size)).astype(float) + np.diag(rng.integers(5, 40, size))
    for power, weights in ((1, "linear"), (2, "quadratic")):
        expected = cohens_kappa(counts, wt=weights).kappa
        assert weighted_kappa(counts, power) == pytest.approx(expected, abs=1e-12)


def test_the_interval_is_the_jackknife_over_subjects_worked_out_one_by_one():
    rng = np.random.default_rng(3)
    tables = rng.integers(0, 4, (25, 3, 3)).astype(float)
    tables[:, range(3), range(3)] += 2
    without = [float(cohens_kappa(tables.sum(0) - own, wt="quadratic").kappa) for own in tables]
    whole = float(cohens_kappa(tables.sum(0), wt="quadratic").kappa)
    error = np.sqrt(24 / 25 * sum((one - whole) ** 2 for one in without))
    sizes = tables.sum(axis=(1, 2))
    margin = stats.t.ppf(0.975, sizes.sum() ** 2 / (sizes**2).sum() - 1) * error
    assert jackknifed(tables, 2) == pytest.approx((whole - margin, whole + margin), abs=1e-9)


def test_the_interval_holds_a_planted_kappa_about_as_often_as_it_says():
    """600 studies of 40 subjects with 1 to 7 samples each; a subject's answers err together."""
    rng = np.random.default_rng(11)
    chance = np.array([[0.3, 0.05, 0.01], [0.06, 0.2, 0.06], [0.02, 0.05, 0.25]])
    sizes = np.tile([1, 2, 4, 7], 10)
    flat = chance.ravel() / chance.sum()
    true = float(weighted_kappa(chance, 2))
    held = 0
    for _ in range(600):
        tables = np.array([rng.multinomial(n, rng.dirichlet(8 * flat)) for n in sizes]).reshape(-1, 3, 3).astype(float)
        low, high = jackknifed(tables, 2)
        held += low <= true <= high
    assert 0.92 <= held / 600 <= 0.98


def test_failed_answers_stay_in_the_count_and_are_never_right():
    cases = [case(1, 5, 6), case(2, 5, 12), case(3, 15, None), case(4, 25, 10.0), case(5, 10, 10)]
    (found,) = decide([RULE], cases)
    assert (found.n, found.answered, found.subjects, found.coverage) == (5, 4, 5, 0.8)
    assert found.counts == ((2, 1, 0), (0, 0, 0), (1, 0, 0))
    assert found.true == (3, 1, 1)
    assert found.right.value == pytest.approx(2 / 5)
    assert found.right.interval is None
    assert "5 subjects, fewer than 20" in found.withheld


def test_enough_subjects_have_intervals_and_unknown_ones_have_none():
    cases = [case(number, 5 + number % 20, 5 + (number * 7) % 22) for number in range(60)]
    (found,) = decide([RULE], cases)
    assert found.withheld == ""
    assert found.right.interval[0] < found.right.value < found.right.interval[1]
    assert found.kappa.interval[0] < found.kappa.value < found.kappa.interval[1]
    (nameless,) = decide([RULE], [*cases, case(99, 5, 5, subject="")])
    assert (nameless.right.interval, nameless.kappa.interval) == (None, None)
    assert "subject of 1 answer is not known" in nameless.withheld
    (told,) = decide([RULE], cases, ["demonstration data support no claim"])
    assert (told.right.interval, told.withheld) == (None, "demonstration data support no claim")


def test_an_interval_ends_where_a_share_ends():
    cases = [case(number, 5, 15 if number == 0 else 5) for number in range(30)]
    (found,) = decide([RULE], cases)
    low, high = found.right.interval
    assert found.right.value - low > 1 - found.right.value
    assert high == 1
    none = [case(number, 5, None) for number in range(30)]
    (pair,) = turned([RULE], none, cases, ({}, {}))
    assert pair.net.interval == (pytest.approx(low), 1)


def test_kappa_is_not_defined_where_all_lie_in_one_category():
    (found,) = decide([RULE], [case(number, 5, 6) for number in range(30)])
    assert (found.kappa.value, found.kappa.interval, found.right.value) == (None, None, 1.0)
    (none,) = decide([RULE], [case(number, 5, None) for number in range(30)])
    assert (none.kappa.value, none.right.value, none.answered) == (None, 0.0, 0)


def test_a_rule_that_is_about_no_sample_is_left_out():
    assert decide([RULE.but(names=("other",))], [case(1, 5, 5)]) == []


def test_what_an_arm_turns_is_counted_over_common_samples_and_priced():
    a = [case(1, 5, 15), case(2, 5, 5), case(3, 15, None), case(4, 25, 25), case(5, 25, 5), case(6, 5, 5)]
    b = [case(1, 5, 5), case(2, 5, 15), case(3, 15, 15), case(4, 25, 25), case(5, 25, 5)]
    costs = {f"s{k}": 0.01 for k in range(1, 7)}, {f"s{k}": 0.06 for k in range(1, 6)}
    (found,) = turned([RULE], a, b, costs)
    assert (found.pairs, found.turned_right, found.turned_wrong, found.both_right, found.neither) == (5, 2, 1, 1, 1)
    assert found.net.value == pytest.approx(0.2)
    assert found.more_usd == pytest.approx(0.25)
    assert found.per_dollar == pytest.approx(4.0)
    (unpriced,) = turned([RULE], a, b, (costs[0], {}))
    assert (unpriced.more_usd, unpriced.per_dollar) == (None, None)
    (cheaper,) = turned([RULE], b, a, (costs[1], costs[0]))
    assert cheaper.more_usd == pytest.approx(-0.25)
    assert cheaper.per_dollar is None
