"""Declared metrics: each against a direct computation, and for which tasks they are defined."""

import math

import pytest
from identities import a_sample

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.primary import Metric, Primary, primaries_of
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.tasks import TaskName

V12 = PROTOCOLS["medvision-1.2"]
SIZE = (40.0, 20.0)
BOX = (0.2, 0.2, 0.6, 0.6)


def loss(one: Primary, target: tuple[float, ...], *answer: float) -> tuple[float, bool]:
    text = f"<answer>{', '.join(map(repr, answer))}</answer>" if answer else "I cannot say"
    return one.of(score(one.task, text, target, V12), target)


@pytest.mark.parametrize(
    ("task", "metric", "target", "answer", "expected"),
    [
        ("size", "loss", SIZE, (50.0, 80.0), (0.25 + 1) / 2),
        ("size", "relative", SIZE, (50.0, 80.0), (0.25 + 1) / 2),
        ("angle", "relative", (20.0,), (15.0,), 0.25),
        ("size", "log-ratio", SIZE, (20.0, 5.0), (math.log(2) / math.log(4) + 1) / 2),
        ("size", "log-ratio", SIZE, (80.0, 900.0), (math.log(2) / math.log(4) + 1) / 2),
        ("angle", "absolute", (20.0,), (65.0,), 0.5),
        ("detection", "iou", BOX, (0.2, 0.2, 0.6, 0.4), 0.5),
        ("detection", "iou>0.5", BOX, (0.2, 0.2, 0.6, 0.41), 0.0),
        ("detection", "iou>0.5", BOX, (0.2, 0.2, 0.6, 0.39), 1.0),
        ("size", "mre<0.1", SIZE, (43.9, 20.0), 0.0),
        ("size", "mre<0.1", SIZE, (44.0, 24.0), 1.0),
    ],
)
def test_the_loss_of_an_answer(
    task: TaskName, metric: Metric, target: tuple[float, ...], answer: tuple[float, ...], expected: float
) -> None:
    one = Primary(task=task, metric=metric)
    assert loss(one, target, *answer) == (pytest.approx(expected, abs=1e-6), True)
    assert loss(one, target) == (1.0, False)
    chance = Primary(task=task, metric=metric, failures="chance", chance=0.3)
    assert loss(chance, target, *answer)[0] == pytest.approx(min(expected / 0.3, 2), abs=1e-5)
    assert loss(chance, target) == (1.0, False)


@pytest.mark.parametrize("length", [0.0, -5.0])
def test_no_length_has_no_ratio(length: float) -> None:
    assert loss(Primary(task="size", metric="log-ratio"), SIZE, 40.0, length) == (1.0, False)


def test_errors_in_mm_count_in_units_of_twice_the_error_of_the_best_constant() -> None:
    one = Primary(task="distance", metric="absolute", chance=8.0)
    assert loss(one, (30.0,), 34.0) == (0.25, True)
    assert loss(one, (30.0,), 90.0) == (1.0, True)
    assert loss(one.but(failures="chance"), (30.0,), 34.0) == (0.5, True)
    assert loss(one.but(failures="chance"), (30.0,), 90.0) == (2.0, True)


def lengths(*values: float) -> list[Sample]:
    return [a_sample(f"s{at}", subject=f"p{at}", target=(value,)) for at, value in enumerate(values)]


def test_chance_is_the_mean_loss_of_the_best_constants_of_the_planned_ground_truths() -> None:
    values = (10.0, 20.0, 40.0, 80.0, 30.0, 15.0, 60.0, 33.0)
    expected = 0.0
    for left_out in values:
        others = [value for value in values if value != left_out]
        best = min(others, key=lambda c: sum(min(abs(math.log(c / value)), math.log(4)) for value in others))
        expected += min(abs(math.log(best / left_out)) / math.log(4), 1) / len(values)
    found = primaries_of(lengths(*values), "log-ratio", "chance")
    assert found["distance"].chance == pytest.approx(expected, rel=1e-5)
    assert found["distance"].chance == float(f"{found['distance'].chance:.6g}")


def test_the_default_needs_nothing() -> None:
    assert primaries_of(lengths(10.0), "loss", "worst") == {}
    assert primaries_of(lengths(10.0), {"size": "relative"}, "worst") == {}
    assert primaries_of(lengths(10.0), "relative", "worst")["distance"].chance is None


def test_a_metric_is_refused_for_a_task_that_has_none() -> None:
    box = a_sample("box", task="detection", landmarks=(), label="liver", target=BOX)
    with pytest.raises(ConfigError, match=r"log-ratio is not defined for detection .* \{size: log-ratio\}"):
        primaries_of([*lengths(10.0), box], "log-ratio", "worst")
    with pytest.raises(ConfigError, match="for the task 'distance' the loss of a constant answer"):
        primaries_of(lengths(10.0), "absolute", "worst")
    both = primaries_of([*lengths(10.0), box], {"detection": "iou>0.5"}, "worst")
    assert {task: one.metric for task, one in both.items()} == {"detection": "iou>0.5", "distance": "loss"}
