"""Counts, bounds, and when failures are called informative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.eval.compare.statistics.estimate import estimate
from medvision_agent.eval.compare.statistics.informative import signals
from medvision_agent.eval.compare.statistics.missing import missing
from medvision_agent.eval.compare.statistics.pairs import Evidence, Pairs, Result, Unit, pair


def test_what_is_missing_is_counted_and_bounded():
    units = [Unit(sample, f"s{sample}") for sample in "uvwxy"]
    a = [Result("u", 0.2, True), Result("v", 0.4, True), Result("w", None, False), Result("x", 0.6, True)]
    b = [Result("u", 0.1, True), Result("v", None, False), Result("w", 0.5, True), Result("x", 1.0, False)]
    found = missing(pair(units, a, b))
    assert (found.chosen, found.scored, found.not_asked) == (5, 2, 1)
    assert (found.lost_only_a, found.lost_only_b, found.lost_both, found.lost_epochs) == (1, 1, 0, 0)
    assert (found.failed_only_a, found.failed_only_b, found.failed_both) == (0, 1, 0)
    assert found.success.difference == -0.5
    assert (found.complete.difference, found.complete.n) == (pytest.approx(-0.1), 1)
    # u -0.1; v -0.4..0.6; w -0.5..0.5; x 0.4, or -0.6..0.4 had it been answered; y was not asked
    assert (found.bounds.low, found.bounds.high) == pytest.approx((-0.6 / 4, 1.4 / 4))
    assert (found.answered_bounds.low, found.answered_bounds.high) == pytest.approx((-1.6 / 4, 1.4 / 4))
    assert found.bounds.interval is None
    assert "fewer than 20" in found.bounds.withheld
    assert "unknown kind" in found.warning


def test_nothing_missing():
    units = [Unit(f"x{n}", f"s{n}") for n in range(30)]
    a, b = ([Result(u.sample, (n * k % 7) / 7, True) for n, u in enumerate(units)] for k in (3, 5))
    found = missing(pair(units, a, b))
    assert (found.bounds.low, found.bounds.high) == (found.complete.difference,) * 2
    assert found.bounds.interval == found.complete.interval
    assert (found.signals, found.warning) == ((), "")
    assert missing(pair([], [], [])).bounds is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 2, *[st.booleans()] * 4), min_size=1, max_size=30))
def test_bounds_hold_whatever_was_missing(rows):
    units = [Unit(f"x{n}", f"s{n % 7}") for n in range(len(rows))]
    results = []
    for arm in (0, 1):
        lost, failed = 2 + arm, 4 + arm
        results.append(
            [
                Result(f"x{n}", None if row[lost] else 1.0 if row[failed] else row[arm], not (row[lost] or row[failed]))
                for n, row in enumerate(rows)
            ]
        )
    found = missing(pair(units, *results))
    costs = [[1.0 if row[4 + arm] else row[arm] for row in rows] for arm in (0, 1)]
    assert found.bounds.low - 1e-9 <= np.mean(costs[1]) - np.mean(costs[0]) <= found.bounds.high + 1e-9
    true = np.mean([row[1] - row[0] for row in rows])  # had nothing been missing at all
    assert found.answered_bounds.low - 1e-9 <= true <= found.answered_bounds.high + 1e-9


def arms(seed: int, kind: str, *, subjects: int = 40, evidence: Evidence = "real") -> Pairs:
    """Return arms of which B fails on samples taken at random, hard in A, or with small targets."""
    random = np.random.default_rng(seed)
    units, a, b = [], [], []
    for n in range(subjects * 5):
        size, hard = random.uniform(1, 50), random.uniform(0, 1)
        chance = {"random": 0.2, "hard": 0.6 * hard**2, "small": 0.4 if size < 25 else 0.0, "lost": 0.6 * hard**2}[kind]
        failed_a, missing_b = random.uniform() < 0.2, random.uniform() < chance
        units.append(Unit(f"x{n}", f"s{n // 5}", evidence, target_size=size))
        a.append(Result(f"x{n}", 1.0 if failed_a else hard, not failed_a))
        if kind == "lost" and missing_b:
            b.append(Result(f"x{n}", None, False))
        else:
            b.append(Result(f"x{n}", 1.0 if missing_b else random.uniform(), not missing_b))
    return pair(units, a, b)


def test_the_interval_of_the_bounds_is_that_of_its_ends():
    pairs = arms(3, "lost")
    subjects = [one.unit.subject for one in pairs.all]
    worst, best = (
        estimate(
            [(end if one.b.loss is None else one.b.loss) - one.a.loss for one in pairs.all],
            subjects,
            evidence="real",
            role="exploratory",
        )
        for end in (0.0, 1.0)
    )
    found = missing(pairs).bounds
    assert (found.low, found.high) == pytest.approx((worst.difference, best.difference))
    assert found.interval == pytest.approx((worst.interval[0], best.interval[1]))
    assert found.interval[0] < found.low < found.high < found.interval[1]


def findings(pairs: Pairs) -> dict[tuple[str, str, str], str]:
    return {(one.kind, one.arm, one.check): one.finding for one in signals(pairs)}


@pytest.mark.parametrize(
    ("kind", "key"),
    [("hard", ("failed", "B", "loss")), ("small", ("failed", "B", "size")), ("lost", ("lost", "B", "loss"))],
)
def test_informative_failures_are_found(kind, key):
    assert all(findings(arms(seed, kind))[key] == "informative" for seed in range(5))
    assert "What is missing is informative" in missing(arms(0, kind)).warning


def test_random_failures_raise_few_false_alarms():
    found = [findings(arms(seed, "random")) for seed in range(200)]
    for key in (("failed", "both", "rate"), ("failed", "A", "loss"), ("failed", "B", "loss"), ("failed", "B", "size")):
        alarms = sum(one[key] == "informative" for one in found)
        assert 1 <= alarms <= 22, key  # 10 expected


@pytest.mark.parametrize(("subjects", "evidence", "word"), [(19, "real", "19"), (40, "demonstration", "demonstration")])
def test_small_and_demonstration_data_cannot_be_told(subjects, evidence, word):
    pairs = arms(1, "hard", subjects=subjects, evidence=evidence)
    assert set(findings(pairs).values()) == {"cannot be told"}
    assert all(word in one.why for one in signals(pairs))
    assert "unknown kind" in missing(pairs).warning


def test_failures_of_two_subjects_tell_nothing():
    units = [Unit(f"x{n}", f"s{n // 2}") for n in range(60)]
    a = [Result(unit.sample, n % 5 / 5, True) for n, unit in enumerate(units)]
    b = [Result(unit.sample, 1.0 if n < 4 else 0.3, n >= 4) for n, unit in enumerate(units)]
    found = {one.check: one for one in signals(pair(units, a, b)) if one.arm == "B"}
    assert found["loss"].finding == "cannot be told"
    assert found["loss"].why == "2.0 effective subjects on one side, fewer than 5"


def test_an_arm_that_always_fails_is_certain():
    units = [Unit(f"x{n}", f"s{n}") for n in range(60)]
    a = [Result(unit.sample, n % 5 / 5, True) for n, unit in enumerate(units)]
    pairs = pair(units, a, [Result(unit.sample, 1.0, False) for unit in units])
    assert [(one.arm, one.check, one.finding) for one in signals(pairs)] == [
        ("both", "rate", "certain"),
        ("B", "rate", "certain"),
    ]
    assert missing(pairs).warning.startswith("What is missing is certain: failures of B in all 60 samples.")
    few = pair(units[:5], a[:5], [Result(unit.sample, 1.0, False) for unit in units[:5]])
    assert {one.finding for one in signals(few)} == {"cannot be told"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_the_parts_of_a_difference_add_up_to_it(rows):
    units = [Unit(f"x{n}", f"s{n}") for n in range(len(rows))]
    a, b = (
        [
            Result(f"x{n}", row[2 + arm] if epoch < row[arm] else 1.0, epoch < row[arm])
            for n, row in enumerate(rows)
            for epoch in range(3)
        ]
        for arm in (0, 1)
    )
    found = missing(pair(units, a, b))
    # Directly: of each pair the epochs that can be matched as answered in both arms, and the rest.
    matched = [min(in_a, in_b) / 3 * (loss_b - loss_a) for in_a, in_b, loss_a, loss_b in rows]
    whole = [(3 - in_b + in_b * loss_b - 3 + in_a - in_a * loss_a) / 3 for in_a, in_b, loss_a, loss_b in rows]
    assert found.by_answers == pytest.approx(np.mean(matched), abs=1e-12)
    assert found.by_answers + found.by_failures == pytest.approx(np.mean(whole), abs=1e-12)
