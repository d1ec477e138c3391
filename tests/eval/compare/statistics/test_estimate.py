"""What is withheld, when, and in which words; and nothing is ever NaN."""

import json

import pytest

from medvision_agent.eval.compare.statistics.estimate import estimate

SPREAD = (0.1, -0.2, 0.3, 0.05)
NO_SPREAD = "no spread: the mean difference is the same in every subject"


def rows(subjects: int, size: int = 2) -> tuple[list[float], list[str]]:
    names = [f"s{number}" for number in range(subjects) for _ in range(size)]
    return [SPREAD[(place * 7 + place // 3) % 4] for place in range(len(names))], names


@pytest.mark.parametrize(("subjects", "claims"), [(19, False), (20, True)])
def test_twenty_subjects_are_needed(subjects, claims):
    found = estimate(*rows(subjects), evidence="real", role="declared")
    assert (found.interval is not None, found.p is not None) == (claims,) * 2
    assert found.withheld == ("" if claims else "19 subjects, fewer than 20")
    assert found.difference is not None
    assert (found.n, found.subjects, found.largest_subject) == (2 * subjects, subjects, 2)


def test_ten_effective_subjects_are_needed():
    values, subjects = rows(30, 1)
    giant = [*subjects, *["s0"] * 20]  # 50^2 / (21^2 + 29) = 5.3
    found = estimate([*values, *SPREAD * 5], giant, evidence="real", role="declared")
    assert (found.interval, found.p) == (None, None)
    assert found.withheld == "5.3 effective subjects, fewer than 10"


def test_a_demonstration_has_figures_only():
    found = estimate(*rows(40), evidence="demonstration", role="declared")
    assert (found.interval, found.error, found.p) == (None, None, None)
    assert "demonstration" in found.withheld
    assert found.difference == estimate(*rows(40), evidence="real", role="declared").difference


def test_a_reason_of_the_caller_withholds_interval_and_p_value():
    found = estimate(*rows(40), evidence="real", role="declared", no_claim=("on: no tool was called",))
    assert (found.interval, found.error, found.p) == (None, None, None)
    assert found.withheld == "on: no tool was called"
    assert found.difference == estimate(*rows(40), evidence="real", role="declared").difference


@pytest.mark.parametrize(
    ("evidence", "role", "word"), [("synthetic", "declared", "synthetic"), ("real", "exploratory", "exploratory")]
)
def test_an_interval_without_a_p_value(evidence, role, word):
    found = estimate(*rows(40), evidence=evidence, role=role)
    assert found.interval == estimate(*rows(40), evidence="real", role="declared").interval
    assert (found.p, found.evidence) == (None, evidence)
    assert word in found.withheld


@pytest.mark.parametrize(
    ("values", "subjects", "difference", "withheld"),
    [
        ([], [], None, "no pairs"),
        ([0.5], ["a"], 0.5, "1 subject, fewer than 20; 1.0 effective subjects, fewer than 10"),
        ([0.0] * 30, [f"s{n}" for n in range(30)], 0.0, NO_SPREAD),
        ([0.1] * 100, [f"s{n % 29}" for n in range(100)], 0.1, NO_SPREAD),
        ([0.1, 0.3] * 30, [f"s{n // 2}" for n in range(60)], 0.2, NO_SPREAD),
    ],
    ids=["nothing", "one subject", "all ties", "all equal", "equal subjects"],
)
def test_degenerate_data_are_typed(values, subjects, difference, withheld):
    found = estimate(values, subjects, evidence="real", role="declared")
    assert found.difference == (None if difference is None else pytest.approx(difference))
    assert (found.error, found.interval, found.p) == (None, None, None)
    assert found.withheld == withheld
    json.loads(found.model_dump_json(), parse_constant=pytest.fail)


def test_a_difference_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="are NaN or infinite"):
        estimate([0.1, float("nan")], ["a", "b"], evidence="real", role="declared")


def test_results_refuse_nan_also_when_changed():
    found = estimate(*rows(20), evidence="real", role="declared")
    with pytest.raises(ValueError, match="finite"):
        found.but(p=float("nan"))


def test_samples_and_subjects_that_differ_are_counted():
    found = estimate([0.1, -0.2, 0.0, -0.3, 0.0], ["a", "a", "b", "c", "d"], evidence="real", role="declared").differing
    assert (found.b_lower, found.equal, found.b_higher, found.subjects) == (2, 2, 1, 2)


def test_only_losses_have_a_guard():
    values, subjects = rows(40)
    losses = [(0.5, 0.5 + value) for value in values]
    assert estimate(values, subjects, evidence="real", role="declared").guarded_p is None
    found = estimate(values, subjects, evidence="real", role="declared", losses=losses)
    assert found.guarded_p >= found.p
