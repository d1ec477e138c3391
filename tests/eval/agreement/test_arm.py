"""The agreement of one arm: intervals, logarithms, pairs, and what is undefined."""

import math

import numpy as np
import pytest

from medvision_agent.eval.agreement import arm
from medvision_agent.eval.agreement.arm import Figure, agreement
from medvision_agent.eval.agreement.coverage import coverage, spread
from medvision_agent.eval.data.sample import PixelSize, Sample


def sample(number: int, *, true: float = 20.0, error: float | None = None, subject: int | None = None) -> Sample:
    return Sample(
        id=f"s{number}",
        task="distance",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="CT",
        plane="axial",
        landmarks=("p", "q"),
        target=(true,),
        convention="edge",
        dataset="d",
        subject=f"d/{number if subject is None else subject}",
        annotator_error=error,
    )


def holds(figure: Figure, value: float) -> bool:
    return figure.interval is not None and figure.interval[0] < value < figure.interval[1]


def test_a_planted_bias_is_found_with_intervals_over_subjects():
    rng = np.random.default_rng(2)
    samples = [sample(i, true=float(10 + i % 40)) for i in range(80)]
    stated = {one.id: [one.target[0] + 2 + rng.normal(0, 1)] for one in samples}
    found = agreement(samples, stated)[0]
    assert (found.number, found.unit, found.n, found.subjects) == ("distance", "mm", 80, 80)
    assert holds(found.bias, 2)
    assert holds(found.lower, 2 - 1.96)
    assert holds(found.upper, 2 + 1.96)
    assert found.ccc.value is not None
    assert holds(found.ccc, found.ccc.value)


def test_lengths_have_log_ratios_and_leave_out_what_has_no_logarithm():
    samples = [sample(i) for i in range(4)]
    stated = {"s0": [40.0], "s1": [40.0], "s2": [40.0], "s3": [-1.0]}
    plain, logs = agreement(samples, stated)
    assert (plain.n, plain.left_out, logs.n, logs.left_out, logs.logarithmic) == (4, 0, 3, 1, True)
    assert logs.bias.value == pytest.approx(math.log(2))


def test_two_arms_are_compared_on_the_samples_both_answered():
    samples = [sample(i) for i in range(3)]
    found = agreement(samples, {"s0": [20.0], "s1": [30.0]}, {"s1": [20.0], "s2": [20.0]})[0]
    assert (found.n, found.bias.value, found.chosen) == (1, 10.0, 3)


def test_few_subjects_have_no_drawn_intervals_and_nothing_is_nan():
    few = agreement([sample(i, true=20.0 + i) for i in range(29)], {f"s{i}": [21.0 + i] for i in range(29)})[0]
    assert few.lower.interval is None
    assert few.bias.value == pytest.approx(1.0)
    one = agreement([sample(0)], {"s0": [21.0]})[0]
    assert (one.bias.value, one.bias.interval, one.lower.value, one.icc.value) == (1.0, None, None, None)
    nobody = agreement([sample(0)], {})[0]
    assert (nobody.n, nobody.bias.value, nobody.icc.value) == (0, None, None)


def test_no_interval_on_demonstration_data_or_with_under_20_subjects():
    many = [sample(i, true=20.0 + i) for i in range(40)]
    stated = {one.id: [one.target[0] + 1 + i % 3] for i, one in enumerate(many)}
    assert agreement(many, stated)[0].bias.interval
    shown = agreement(many, stated, evidence="demonstration")[0]
    few = agreement(many[:19], stated)[0]
    assert {one.interval for one in (shown.bias, shown.upper, shown.ccc, few.bias, few.upper)} == {None}
    assert few.bias.value == pytest.approx(2.0, abs=0.1)


def test_within_the_error_of_annotators_where_a_sample_states_it():
    samples = [sample(0, error=2.0), sample(1, error=2.0), sample(2)]
    found = agreement(samples, {"s0": [21.9], "s1": [25.0], "s2": [20.0]})[0]
    assert (found.within, found.within_of) == (0.5, 2)
    assert agreement([sample(2)], {"s2": [20.0]})[0].within is None


def test_the_draws_of_many_subjects_are_those_that_would_be_kept_of_few(monkeypatch):
    """Draws of many subjects are not kept, and made in smaller blocks; they are the same draws."""
    samples = [sample(i, true=float(10 + i % 40)) for i in range(40)]
    stated = {one.id: [one.target[0] + i % 7] for i, one in enumerate(samples)}
    kept = agreement(samples, stated)
    monkeypatch.setattr(arm, "_FEW", 39)
    drawn = agreement(samples, stated)
    assert kept[0].ccc.interval is not None
    for one, other in zip(kept, drawn, strict=True):
        for name in ("lower", "upper", "slope", "ccc", "icc"):
            assert getattr(one, name).interval == pytest.approx(getattr(other, name).interval, rel=1e-12)


def test_boxes_have_no_agreement():
    box = Sample(
        id="b",
        task="detection",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="CT",
        plane="axial",
        label="liver",
        target=(0.1, 0.1, 0.2, 0.2),
        convention="edge",
        dataset="d",
        subject="d/1",
    )
    assert agreement([box], {"b": [0.1, 0.1, 0.2, 0.2]}) == []


def test_risk_falls_where_the_least_sure_answers_are_left_out():
    found = coverage(5, [0.1, 0.2, 0.9], [(0.5, "c", 0.9), (0.0, "a", 0.1), (0.1, "b", 0.2)])
    assert found.curve == tuple(map(pytest.approx, ((0.2, 0.1), (0.4, 0.15), (0.6, 0.4))))
    assert found.risk == pytest.approx(0.4)
    assert (found.at(0.4), found.at(0.7)) == (pytest.approx(0.15), None)
    assert coverage(2, []).risk is None


def test_samples_of_equal_spread_enter_the_curve_together():
    found = coverage(2, [0.0, 1.0], [(0.0, "a", 0.0), (0.0, "b", 1.0)])
    assert found.curve == ((1.0, 0.5),)


def test_spread_of_repeated_answers():
    assert spread([[10.0, 4.0]]) is None
    assert spread([[9.0], [11.0]]) == pytest.approx(0.2)
    assert spread([[0.0], [0.0]]) == 0.0
