"""The score of one sample: the loss, and which outcomes are scored."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from identities import a_sample

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import PROTOCOLS, Protocol
from medvision_agent.eval.scorer.score import score, score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS, TaskName

V12 = PROTOCOLS["medvision-1.2"]
protocols = pytest.mark.parametrize("rules", PROTOCOLS.values(), ids=PROTOCOLS)
tasks = pytest.mark.parametrize("task", TASKS)
SENSIBLE: dict[TaskName, tuple[float, ...]] = {
    "detection": (0.1, 0.51, 0.595, 0.9),
    "size": (62.5625, 28.828125),
    "distance": (54.84375,),
    "angle": (17.3,),
}
floats = st.floats(allow_nan=False, allow_infinity=False)
unit = st.floats(0, 1, width=32)


def answer(*values: float) -> str:
    return "<answer>" + ", ".join(repr(value) for value in values) + "</answer>"


@protocols
@tasks
@given(data=st.data())
def test_loss_lies_within_0_and_1(rules: Protocol, task: TaskName, data: st.DataObject) -> None:
    length = len(TASKS[task].numbers)
    values = data.draw(st.lists(floats, min_size=length, max_size=length))
    target = data.draw(st.lists(floats | unit, min_size=length, max_size=length))
    assert 0 <= score(task, answer(*values), target, rules).loss <= 1


@protocols
@pytest.mark.parametrize("task", SENSIBLE)
def test_a_perfect_answer_costs_nothing(rules: Protocol, task: TaskName) -> None:
    result = score(task, answer(*SENSIBLE[task]), SENSIBLE[task], rules)
    assert result.success
    assert result.loss == pytest.approx(0, abs=1e-6)  # the answer is rounded to float32


@protocols
@pytest.mark.parametrize("task", SENSIBLE)
@pytest.mark.parametrize("response", [None, "", "I cannot say.", "<answer></answer>"])
def test_a_failure_costs_1(rules: Protocol, task: TaskName, response: str | None) -> None:
    result = score(task, response, SENSIBLE[task], rules)
    assert (result.extracted, result.success, result.values, result.loss) == ("", False, (), 1.0)
    assert math.isnan(result.mae)
    assert math.isnan(result.mre)
    assert (result.iou == 0.0) if TASKS[task].is_box else math.isnan(result.iou)


@pytest.mark.parametrize(
    ("task", "values", "target", "loss"),
    [
        ("size", (30, 5), (20, 10), 0.5),
        ("size", (500, 10), (20, 10), 0.5),
        ("size", (1e39, 10), (20, 10), 0.5),
        ("size", (-20, 10), (20, 10), 0.5),
        ("size", (0, 1), (0, 0), 0.5),
        ("distance", (15,), (20,), 0.25),
        ("distance", (0,), (-1,), 1.0),
        ("distance", (1e39,), (20,), 1.0),
        ("angle", (50,), (5,), 0.5),
        ("angle", (9,), (0,), 0.1),
        ("angle", (170,), (5,), 1.0),
        ("angle", (1e39,), (5,), 1.0),
        ("detection", (0, 0, 0.5, 1), (0, 0, 1, 1), 0.5),
        ("detection", (1, 1, 0, 0), (0, 0, 1, 1), 0.0),
        ("detection", (0, 0, 1e39, 1), (0, 0, 1, 1), 1.0),
    ],
)
def test_loss_by_hand(task: TaskName, values: tuple[float, ...], target: tuple[float, ...], loss: float) -> None:
    result = score(task, answer(*values), target, V12)
    assert result.success
    assert result.loss == pytest.approx(loss, abs=1e-12)


@given(box=st.tuples(unit, unit, unit, unit), truth=st.tuples(unit, unit, unit, unit))
def test_corner_order_is_free_in_1_2(box: tuple[float, ...], truth: tuple[float, ...]) -> None:
    x1, y1, x2, y2 = box
    plain = score("detection", answer(x1, y1, x2, y2), truth, V12)
    for swapped in [(x2, y1, x1, y2), (x1, y2, x2, y1), (x2, y2, x1, y1)]:
        result = score("detection", answer(*swapped), truth, V12)
        assert (result.iou, result.f1) == (plain.iou, plain.f1)
        np.testing.assert_array_equal([result.precision, result.recall], [plain.precision, plain.recall])


def test_a_swapped_box_overlaps_nothing_in_v1() -> None:
    result = score("detection", answer(1, 1, 0, 0), (0, 0, 1, 1), PROTOCOLS["paper-v1"])
    assert (result.iou, result.loss) == (0.0, 1.0)


def test_overlap_ends_at_1_where_the_protocol_says_so() -> None:
    truth = (0.061, 0.008, 0.75, 0.394)  # in float32 the same box is a little smaller than its overlap
    first = score("detection", answer(*truth), truth, PROTOCOLS["paper-v1"])
    later = score("detection", answer(*truth), truth, V12)
    assert (first.iou, first.recall, first.loss) == (pytest.approx(1.0000000663241018, rel=1e-12), first.iou, 0.0)
    assert first.recall > 1
    assert later.recall == 1


def test_a_target_of_the_wrong_length_is_not_broadcast() -> None:
    with pytest.raises(ValueError, match="target: has 2 numbers; the task 'distance' needs 1"):
        score("distance", "11", (10.0, 20.0), PROTOCOLS["paper-v1"])


@pytest.mark.parametrize("outcome", Outcome)
def test_only_answered_text_is_read(outcome: Outcome) -> None:
    sample = a_sample("s1")
    result = score_record(Record(sample=sample, outcome=outcome, response="<answer>10</answer>"), V12)
    if outcome.infrastructure:
        assert result is None
    else:
        assert result is not None
        assert result.success == (outcome is Outcome.ANSWERED)
        assert result.loss == (0.0 if outcome is Outcome.ANSWERED else 1.0)
