"""The score of one sample: MedVision's metrics beside our own loss.

Contract: scoring never fails on a response, whatever it says. A response that does not parse is a failure:
MAE and MRE are undefined (NaN), overlap is 0, the loss (``metrics``) is 1. Infrastructure failures are not scored at
all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.scorer.metrics import (
    LOSSES,
    Floats,
    Values,
    box_loss,
    mean_absolute_error,
    mean_relative_error,
    overlap,
)
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS, TaskName

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
    """All tasks but boxes."""
    iou: float = NAN
    f1: float = NAN
    precision: float = NAN
    recall: float = NAN
    """IoU to recall: boxes only."""
    loss: float = 1.0


def score(task: TaskName, response: str | None, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of a response; None stands for a failed outcome, whose text is not read."""
    asked = TASKS[task]
    count = len(asked.numbers)
    if len(target) != count:
        raise ValueError(f"target has {len(target)} numbers, a {task} sample needs {count}")
    extracted = "" if response is None else extract(response, count, protocol)
    values = parse(extracted, count)
    truth = np.array(target, dtype=np.float64)
    if asked.loss == "overlap":
        return _score_box(extracted, values, truth, protocol)
    if values is None:
        return Score(extracted)
    return Score(
        extracted,
        success=True,
        values=tuple(values.tolist()),
        mae=float(mean_absolute_error(values, truth)),
        mre=float(mean_relative_error(values, truth)),
        loss=float(LOSSES[asked.loss](values, truth)),
    )


def score_record(record: Record, protocol: Protocol) -> Score | None:
    """Return the score of a record, or None for an infrastructure failure.

    Only the text of an answered record is read: text kept from a refusal or a cut-off reply is no answer. Boxes are
    read in MedVision's convention, whatever the model spoke.
    """
    if record.outcome.infrastructure:
        return None
    return score(record.sample.task, scored_text(record), record.sample.target, protocol)


def _score_box(extracted: str, values: Values | None, truth: Floats, protocol: Protocol) -> Score:
    if values is None:
        return Score(extracted, iou=0.0, f1=0.0, precision=0.0, recall=0.0)
    found = overlap(values, truth, protocol)
    return Score(
        extracted,
        success=True,
        values=tuple(values.tolist()),
        mae=float(mean_absolute_error(values, truth)),
        iou=float(found.iou),
        f1=float(found.f1),
        precision=float(found.precision),
        recall=float(found.recall),
        loss=float(box_loss(found.iou)),
    )
