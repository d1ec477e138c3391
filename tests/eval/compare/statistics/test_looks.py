"""Boundaries of planned looks, against the joint normal distribution; and a family of tests with looks."""

import numpy as np
import pytest
from scipy import stats

from medvision_agent.eval.compare.statistics.estimate import primary
from medvision_agent.eval.compare.statistics.family import Looks, family
from medvision_agent.eval.compare.statistics.looks import boundaries, sequential_p
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs, Price, Result, Unit, pair

THIRDS = (0.5, 0.75, 1.0)
KEY = Key("off -> on", "size", "m")


@pytest.mark.parametrize(
    ("fractions", "printed"),
    [(THIRDS, "0.0056 0.0216 0.0411"), ((0.25, *THIRDS), "0.0001 0.0055 0.0215 0.0411"), ((1.0,), "0.0500")],
)
def test_the_boundaries_at_5_percent(fractions: tuple[float, ...], printed: str) -> None:
    assert " ".join(f"{one:.4f}" for one in boundaries(fractions, 0.05)) == printed


@pytest.mark.parametrize("alpha", [0.05, 0.0125, 0.3])
@pytest.mark.parametrize("fractions", [THIRDS, (0.3, 0.35, 0.9, 1.0), (0.97, 1.0)])
def test_by_each_look_its_share_of_the_level_is_spent(fractions: tuple[float, ...], alpha: float) -> None:
    limits = stats.norm.isf(np.array(boundaries(fractions, alpha)) / 2)
    times = np.array(fractions)
    shared = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    for count in range(1, len(fractions) + 1):
        inside = stats.multivariate_normal.cdf(
            limits[:count],
            mean=np.zeros(count),
            cov=shared[:count, :count],
            lower_limit=-limits[:count],
            abseps=1e-5,
            releps=1e-5,
        )
        spent = 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(fractions[count - 1]))
        assert 1 - inside == pytest.approx(spent, abs=1e-4)


def test_the_sequential_p_is_the_least_level_that_is_crossed() -> None:
    for alpha in (0.001, 0.05, 0.2):
        for look in range(3):
            limit = boundaries(THIRDS, alpha)[look]
            others = [0.9] * look
            assert sequential_p([*others, limit], THIRDS) == pytest.approx(alpha, rel=1e-5)
    assert sequential_p([0.02], (1.0,)) == 0.02
    assert sequential_p([0.9, 0.9], THIRDS) == 1.0
    assert sequential_p([0.001, 0.9, 0.9], THIRDS) == sequential_p([0.001], THIRDS)  # once crossed, it stays so


def arms(subjects: int, shift: float, *, price: Price | None = None, failing: int = 0) -> Pairs:
    units = [Unit(f"x{n}", f"s{n // 2}") for n in range(2 * subjects)]
    price = price or Price()
    a = [Result(unit.sample, 0.5, True) for unit in units]
    b = [
        Result(unit.sample, price.failure, False)
        if n < failing
        else Result(unit.sample, 0.5 + shift + 0.2 * (n * 7 % 11 - 5) / 5, True)
        for n, unit in enumerate(units)
    ]
    return pair(units, a, b, price)


def looked(*shifts: float) -> Looks:
    return Looks(THIRDS, tuple(arms(subjects, shift) for subjects, shift in zip((30, 45, 60), shifts, strict=False)))


def test_a_look_rejects_at_its_own_boundary() -> None:
    (test,) = family([KEY], {}, looks={KEY: looked(-0.04)}).declared
    assert 0.0056 < test.primary.p < 0.05
    assert (test.look, test.looks, test.verdict, test.decided_at) == (1, 3, "no difference shown", None)
    assert test.primary.level == pytest.approx(1 - 0.0055746, abs=1e-6)
    low, high = test.primary.interval
    assert low < 0 < high
    assert test.adjusted_p == pytest.approx(sequential_p([test.primary.p], THIRDS))
    (at_once,) = family([KEY], {KEY: arms(30, -0.04)}).declared
    assert at_once.verdict != "no difference shown"


def test_a_very_early_look_has_an_interval_too() -> None:
    assert 1 - boundaries((0.05,), 0.01)[0] == 1.0
    early = Looks((0.05, 1.0), (arms(30, -0.04),))
    (test,) = family([KEY], {}, looks={KEY: early}, alpha=0.01, margin=0.05).declared
    for low, high in (test.primary.interval, test.local_interval):
        assert -1 < low < test.primary.difference < high < 1
    assert (test.verdict, test.primary.level < 1) == ("no difference shown", True)


def test_what_was_rejected_at_a_look_stays_rejected_at_the_next_ones() -> None:
    (test,) = family([KEY], {}, looks={KEY: looked(-0.2, -0.2, -0.001)}).declared
    assert (test.look, test.decided_at, test.verdict) == (3, 1, "second arm has the lower loss")
    assert test.primary.p > 0.0411
    assert test.tipping is not None
    (other,) = family([KEY], {}, looks={KEY: looked(-0.2, 0.1)}).declared
    assert other.verdict == "no difference shown"  # the arms changed places


def test_looks_and_single_tests_share_a_family() -> None:
    single = Key("off -> on", "angle", "m")
    found = family([KEY, single], {single: arms(60, -0.2)}, looks={KEY: looked(-0.2, -0.2)}, primaries=["off -> on"])
    one, two = found.declared
    assert (one.local_level, two.local_level) in {(0.025, 0.05), (0.05, 0.025), (0.025, 0.025)}
    assert one.verdict == two.verdict == "second arm has the lower loss"
    assert (two.look, two.looks, two.primary.level) == (1, 1, 0.95)


def test_where_abstaining_is_cheap_the_sign_must_hold_at_the_other_price() -> None:
    chance = Price(failure=0.2, largest=2.0)
    pairs = arms(40, 0.0, price=chance, failing=40)
    (test,) = family([KEY], {KEY: pairs}).declared
    losses = [(one.a.loss, one.b.loss) for one in pairs.scored]
    assert test.primary.difference == pytest.approx(np.mean([b - a for a, b in losses]))
    assert test.primary.difference < 0
    assert test.largest_price == pytest.approx(test.primary.difference + 1.8 * 0.5)
    assert (test.verdict, test.primary.p) == (None, None)
    assert test.primary.withheld.startswith("no verdict: the difference is +0.7")
    assert primary(pairs, role="declared").p < 0.05
