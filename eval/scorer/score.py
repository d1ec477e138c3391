"""The score of one sample: MedVision's metrics beside our own loss.

Contract: scoring never fails on a response, whatever it says. A response that does not parse is a failure:
MAE and MRE are undefined (NaN), overlap is 0, the loss is 1. Infrastructure failures are not scored at all.

The loss is the primary metric: within 0..1, and a failure costs 1, so that silence never pays.

* ``size`` and ``distance``: mean over the axes of ``min(|p - t| / t, 1)``. For ``t <= 0``, where a relative error
  says nothing, an axis costs 0 if ``p = t`` and 1 otherwise.
* ``angle``: ``min(|p - t|, 90) / 90``.
* ``detection``: ``1 - IoU``, with the protocol's IoU.

What is not finite costs 1 (an axis of ``size``, or all of the others).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision_agent.agent.outcome import Outcome
from medvision_agent.eval.record import Record
from medvision_agent.eval.sample import ANSWER_LENGTH, Task
from medvision_agent.eval.scorer.metrics import (
    NO_OVERLAP,
    absolute_errors,
    mean_absolute_error,
    mean_relative_error,
    overlap,
)
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["Score", "score", "score_record"]

NAN = math.nan


@dataclass(frozen=True, slots=True)
class Score:
    """What one response is worth. NaN: undefined, or not a metric of this task."""

    extracted: str = ""
    """The numbers read from the response, joined by commas; empty where there were too few."""
    success: bool = False
    """The response parsed into as many numbers as the task asks for; says nothing about their plausibility."""
    values: tuple[float, ...] = ()
    """The parsed numbers (float32 values)."""
    mae: float = NAN
    mre: float = NAN
    """Size, distance and angle only."""
    iou: float = NAN
    f1: float = NAN
    precision: float = NAN
    recall: float = NAN
    """IoU to recall: detection only."""
    loss: float = 1.0


def score(task: Task, response: str | None, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of a response; None stands for a failed outcome, whose text is not read."""
    count = ANSWER_LENGTH[task]
    if len(target) != count:
        raise ValueError(f"target has {len(target)} numbers, a {task} sample needs {count}")
    extracted = "" if response is None else extract(response, count, protocol)
    values = parse(extracted, count)
    truth = np.array(target, dtype=np.float64)
    if task == "detection":
        return _score_box(extracted, values, truth, protocol)
    if values is None:
        return Score(extracted)
    return Score(
        extracted,
        success=True,
        values=tuple(values.tolist()),
        mae=mean_absolute_error(values, truth),
        mre=mean_relative_error(values, truth),
        loss=_angle_loss(values, truth) if task == "angle" else _length_loss(values, truth),
    )


def score_record(record: Record, protocol: Protocol) -> Score | None:
    """Return the score of a record, or None for an infrastructure failure.

    Only the text of an answered record is read: text kept from a refusal or a cut-off reply is no answer.
    """
    if record.outcome.infrastructure:
        return None
    response = record.response if record.outcome is Outcome.ANSWERED else None
    return score(record.sample.task, response, record.sample.target, protocol)


def _score_box(
    extracted: str, values: NDArray[np.float32] | None, truth: NDArray[np.float64], protocol: Protocol
) -> Score:
    found = NO_OVERLAP if values is None else overlap(values, truth, protocol)
    return Score(
        extracted,
        success=values is not None,
        values=() if values is None else tuple(values.tolist()),
        mae=NAN if values is None else mean_absolute_error(values, truth),
        iou=found.iou,
        f1=found.f1,
        precision=found.precision,
        recall=found.recall,
        loss=_within(1 - found.iou),
    )


def _angle_loss(values: NDArray[np.float32], truth: NDArray[np.float64]) -> float:
    return _within(float(absolute_errors(values, truth)[0]) / 90)


def _length_loss(values: NDArray[np.float32], truth: NDArray[np.float64]) -> float:
    errors = absolute_errors(values, truth).tolist()
    return sum(_axis_loss(error, axis) for error, axis in zip(errors, truth.tolist(), strict=True)) / len(errors)


def _axis_loss(error: float, axis: float) -> float:
    if axis <= 0:
        return 0.0 if error == 0 else 1.0
    return _within(error / axis)


def _within(loss: float) -> float:
    # Rounding in float32 can lift IoU just above 1.
    return min(max(loss, 0.0), 1.0) if math.isfinite(loss) else 1.0
