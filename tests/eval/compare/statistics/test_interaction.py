"""Interactions of a difference with its strata, worked out by hand and by simulation."""

import numpy as np
import pytest

from medvision_agent.eval.compare.statistics.interaction import interactions
from medvision_agent.eval.compare.statistics.pairs import Evidence, Pairs, Result, Unit, pair


def pairs(groups: dict[str, float], *, each: int = 30, evidence: Evidence = "real", seed: int = 0) -> Pairs:
    """Return arms whose difference is that of each modality, with a spread of 0.1."""
    random = np.random.default_rng(seed)
    units, a, b = [], [], []
    for value, shift in groups.items():
        for number in range(each):
            unit = Unit(f"{value}{number}", f"{value}-person{number}", evidence, {"modality": value})
            units.append(unit)
            a.append(Result(unit.sample, 0.5, answered=True))
            b.append(Result(unit.sample, float(np.clip(0.5 + random.normal(shift, 0.1), 0, 0.99)), answered=True))
    return pair(units, a, b)


def test_ct_and_mr_that_go_apart_are_no_no_difference():
    (found,) = interactions(pairs({"CT": -0.15, "MR": 0.36}), ["modality"])
    assert (found.name, found.value, found.against) == ("modality", "CT", "MR")
    assert (found.here, found.there) == pytest.approx((-0.15, 0.36), abs=0.05)
    assert found.difference == pytest.approx(found.here - found.there)
    assert found.apart
    assert found.p is not None
    assert found.p < 1e-9


def test_two_strata_are_a_welch_test_where_each_subject_has_one_sample():
    data = pairs({"CT": 0.0, "MR": 0.1}, each=12)
    (found,) = interactions(data)
    values = {
        name: np.array([one.b.loss - one.a.loss for one in data.all if one.unit.strata["modality"] == name])
        for name in ("CT", "MR")
    }
    assert found.difference == pytest.approx(values["CT"].mean() - values["MR"].mean())
    width = (found.interval[1] - found.interval[0]) / 2
    error = np.sqrt(sum(one.var(ddof=1) / 12 for one in values.values()))
    assert width == pytest.approx(2.201 * error, rel=0.06)  # t of 11 degrees; the jackknife's error is a little larger


def test_more_than_two_strata_are_each_set_against_the_rest_and_corrected():
    found = interactions(pairs({"CT": -0.3, "MR": 0.0, "US": 0.0}), ["modality"])
    assert [(one.value, one.against) for one in found] == [(value, "the others") for value in ("CT", "MR", "US")]
    assert found[0].there == pytest.approx(0.0, abs=0.05)
    raw = interactions(pairs({"CT": 0.0, "MR": 0.0, "US": 0.0}, seed=3), ["modality"])
    assert all(one.p is not None and one.p <= 1 for one in raw)
    assert min(one.p or 0 for one in raw) >= 0.05


def test_small_strata_and_lone_ones_have_none():
    assert interactions(pairs({"CT": 0.0, "MR": 0.3}, each=9)) == ()
    assert interactions(pairs({"CT": 0.2})) == ()


def test_only_what_was_declared_on_real_data_has_a_p():
    assert interactions(pairs({"CT": 0.0, "MR": 0.3}))[0].p is None
    assert interactions(pairs({"CT": 0.0, "MR": 0.3}, evidence="synthetic"), ["modality"])[0].p is None
    assert interactions(pairs({"CT": 0.0, "MR": 0.3}, evidence="demonstration"), ["modality"]) == ()


def test_equal_differences_are_called_apart_in_at_most_five_of_a_hundred():
    found = [interactions(pairs({"CT": 0.1, "MR": 0.1}, each=15, seed=seed))[0].apart for seed in range(400)]
    assert sum(found) <= 30
