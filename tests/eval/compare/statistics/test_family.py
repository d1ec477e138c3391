"""Declared against exploratory; what is rejected, and what is guarded too; strata."""

import numpy as np
import pytest

from medvision_agent.eval.compare.statistics.family import family
from medvision_agent.eval.compare.statistics.pairs import Evidence, Key, Pairs, Result, Unit, pair
from medvision_agent.eval.compare.statistics.strata import strata


def arms(shift: float, *, subjects: int = 30, evidence: Evidence = "real") -> Pairs:
    units = [
        Unit(f"x{n}", f"s{n // 2}", evidence, {"plane": "axial" if n < 8 else "sagittal", "all": "yes"})
        for n in range(2 * subjects)
    ]
    a = [Result(unit.sample, 0.5, True) for unit in units]
    b = [Result(unit.sample, 0.5 + shift + 0.1 * (n * 7 % 11 - 5) / 5, True) for n, unit in enumerate(units)]
    return pair(units, a, b)


def test_only_declared_tests_have_p_values_and_verdicts():
    better, worse, same, absent, other = (Key("on - off", "size", model) for model in ("b", "w", "s", "a", "o"))
    data = {other: arms(-0.2), better: arms(-0.2), worse: arms(0.2), same: arms(0.0)}
    found = family([better, worse, same, absent], data)
    assert (found.size, [test.model for test in found.declared]) == (4, ["b", "w", "s", "a"])
    assert [test.verdict for test in found.declared] == [
        "second arm has the lower loss",
        "second arm has the higher loss",
        "no difference shown",
        None,
    ]
    first, empty = found.declared[0], found.declared[3]
    assert first.adjusted_p >= 3 * first.primary.p
    assert (empty.primary.n, empty.primary.withheld, empty.adjusted_p) == (0, "no pairs", None)
    (exploratory,) = found.exploratory
    assert (exploratory.declared, exploratory.primary.p, exploratory.verdict) == (False, None, None)
    assert exploratory.primary.interval == first.primary.interval


@pytest.mark.parametrize("evidence", ["synthetic", "demonstration"])
def test_no_verdict_without_real_data(evidence):
    key = Key("on - off", "size", "m")
    (test,) = family([key], {key: arms(-0.3, evidence=evidence)}).declared
    assert (test.primary.p, test.adjusted_p, test.verdict) == (None, None, None)
    assert evidence in test.primary.withheld


def test_a_test_is_declared_once():
    key = Key("on - off", "size", "m")
    with pytest.raises(ValueError, match="twice"):
        family([key, key], {})


def test_strata_say_their_numbers_and_small_ones_nothing_else():
    found = {(one.name, one.value): one for one in strata(arms(-0.2))}
    assert list(found) == [("all", "yes"), ("plane", "axial"), ("plane", "sagittal")]
    few, many = found["plane", "axial"], found["plane", "sagittal"]
    assert (few.chosen, few.n, few.subjects, few.estimate) == (8, 8, 4, None)
    assert few.withheld == "subjects: 4, fewer than 5; counts only"
    assert (many.n, many.subjects) == (52, 26)
    assert many.estimate.interval is not None
    assert many.estimate.p is None
    assert "exploratory" in many.withheld


def alike(spread: float) -> Pairs:
    """Return arms of 100 subjects that do not differ on average."""
    random = np.random.default_rng(7)
    units = [Unit(f"s{number}", f"p{number}") for number in range(100)]
    changes = np.clip(random.normal(0, spread, 100), -0.45, 0.45)
    a = [Result(unit.sample, 0.5, answered=True) for unit in units]
    b = [
        Result(unit.sample, 0.5 + change - changes.mean(), answered=True)
        for unit, change in zip(units, changes, strict=True)
    ]
    return pair(units, a, b)


@pytest.mark.parametrize(
    ("spread", "margin", "verdict"),
    [
        (0.05, 0.05, "equivalent: apart by less than 0.05"),
        (0.3, 0.02, "no difference shown"),
        (0.05, None, "no difference shown"),
    ],
)
def test_equivalent_and_not_shown_are_different_words(spread, margin, verdict):
    key = Key("off -> on", "size", "m")
    assert family([key], {key: alike(spread)}, margin=margin).declared[0].verdict_words == verdict
