"""The score of one sample: MedVision's metrics beside our own loss.

Contract: scoring never fails on a response, whatever it says. A response that does not parse is a failure:
MAE and MRE are undefined (NaN), overlap is 0, the loss (``metrics``) is 1. Infrastructure failures are not scored at
all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.scorer.metrics import measure
from medvision_agent.eval.scorer.numbers import extract, parse_numbers
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["Score", "score", "score_numbers", "score_on_donor", "score_record"]


@dataclass(frozen=True, slots=True)
class Score:
    """What one response is worth. NaN: undefined, or not a metric of this task."""

    extracted: str = ""
    """The numbers read from the response, joined by commas; empty where there were too few."""
    success: bool = False
    """The response parsed into as many numbers as the task asks for; says nothing about their plausibility."""
    values: tuple[float, ...] = ()
    """The parsed numbers (float32 values)."""
    mae: float = math.nan
    mre: float = math.nan
    """All tasks but boxes."""
    iou: float = math.nan
    f1: float = math.nan
    precision: float = math.nan
    recall: float = math.nan
    """IoU to recall: boxes only."""
    loss: float = 1.0


def score(task: TaskName, response: str | None, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of a response; None stands for a failed outcome, whose text is not read."""
    extracted = "" if response is None else extract(response, len(TASKS[task].numbers), protocol)
    return score_numbers(task, extracted, target, protocol)


def score_numbers(task: TaskName, extracted: str, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of the numbers read from a response, joined by commas; empty where there were too few."""
    asked = TASKS[task]
    count = len(asked.numbers)
    if len(target) != count:
        raise ValueError(f"target has {len(target)} numbers, a {task} sample needs {count}")
    values, success = parse_numbers([extracted.split(",")], count)
    metrics, loss = measure(asked.loss, values, success, np.array([target], dtype=np.float64), protocol)
    read = tuple(values[0].tolist()) if success[0] else ()
    found = {name.lower(): float(value[0]) for name, value in metrics.items()}
    return Score(extracted, bool(success[0]), read, loss=float(loss[0]), **found)


def score_on_donor(record: Record, protocol: Protocol) -> Score | None:
    """Return the score by the ground truth of the image that was shown; None where the sample's own was, or unknown."""
    if record.outcome.infrastructure or record.donor is None or record.donor.target is None:
        return None
    return score(record.sample.task, scored_text(record), record.donor.target, protocol)


def score_record(record: Record, protocol: Protocol) -> Score | None:
    """Return the score of a record, or None for an infrastructure failure.

    Only the text of an answered record is read: text kept from a refusal or a cut-off reply is no answer. Boxes are
    read in MedVision's convention, whatever the model spoke.
    """
    if record.outcome.infrastructure:
        return None
    return score(record.sample.task, scored_text(record), record.sample.target, protocol)
