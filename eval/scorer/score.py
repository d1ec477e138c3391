"""The score of one sample: MedVision's metrics and our own loss.

Contract: scoring raises no error for any response. A response that cannot be parsed is a failure: MAE and MRE are
undefined (NaN), overlap is 0, the loss (``metrics``) is 1. Infrastructure failures are not scored at all.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.scorer.metrics import measure
from medvision_agent.eval.scorer.numbers import extract, find_numbers, parse_numbers, written_out
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.packed_list import Slotted
from medvision_agent.text import plural

__all__ = [
    "SampleScore",
    "Score",
    "Scored",
    "score",
    "score_numbers",
    "score_on_donor",
    "score_record",
    "score_records",
]
__all__ += ["sample_scores", "score_texts", "scored_one_by_one"]

_TOGETHER = 512
"""Number of records scored together: scoring them one by one takes longer."""


@dataclass(frozen=True, eq=False, slots=True)
class Score(Slotted):
    """The score of one response. NaN means undefined, or not a metric of this task.

    Compare scores by their fields: ``==`` asks for the same object, because NaN does not equal NaN.
    """

    extracted: str = ""
    """The numbers read from the response as written, joined by commas; empty if there were too few."""
    success: bool = False
    """Whether as many numbers were parsed as the task asks for; they need not be plausible."""
    values: tuple[float, ...] = ()
    """The parsed numbers (float32 values), in the order of the target; empty without success."""
    mae: float = math.nan
    """MedVision's mean absolute error, in the unit of the target (for a box: fractions of the image's sides)."""
    mre: float = math.nan
    """MedVision's mean relative error, a fraction of the target; NaN for boxes."""
    iou: float = math.nan
    f1: float = math.nan
    precision: float = math.nan
    recall: float = math.nan
    """Like ``iou``, ``f1`` and ``precision``: overlap with the target box, a fraction; NaN for other tasks."""
    loss: float = 1.0
    """Our primary metric, 0 (right) to 1 (``metrics``); 1 without success."""


Scored = tuple[Record, Score | None]
"""A record with its score; None for an infrastructure failure."""
SampleScore = tuple[Asked, Score | None]
"""The question of a sample with the score of its record; None for an infrastructure failure."""


def score(task: TaskName, response: str | None, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of a response to a task with this ground truth (*target*).

    A response of None stands for a sample that failed, and is scored as a failure. Raises ValueError if *target* has
    not as many numbers as the task.
    """
    extracted = "" if response is None else extract(response, len(TASKS[task].numbers), protocol)
    return score_numbers(task, extracted, target, protocol)


def score_numbers(task: TaskName, extracted: str, target: Sequence[float], protocol: Protocol) -> Score:
    """Return the score of *extracted*, the numbers read from a response, joined by commas (empty if too few).

    Raises ValueError if *target* has not as many numbers as the task.
    """
    return _scores(task, [extracted], [target], protocol)[0]


def _scores(
    task: TaskName, extracted: Sequence[str], targets: Sequence[Sequence[float]], protocol: Protocol
) -> list[Score]:
    """Return the scores of answers to one task in order; *extracted* are their numbers, joined by commas.

    Raises ValueError if a target has not as many numbers as the task.
    """
    asked = TASKS[task]
    count = len(asked.numbers)
    for target in targets:
        if len(target) != count:
            raise ValueError(f"target: has {plural(len(target), 'number')}; the task {task!r} needs {count}")
    values, success = parse_numbers([text.split(",") if text else () for text in extracted], count)
    metrics, loss = measure(asked.loss, values, success, np.array(targets, dtype=np.float64), protocol)
    columns = [success.tolist(), values.tolist(), loss.tolist(), *(column.tolist() for column in metrics.values())]
    names = [name.lower() for name in metrics]
    return [
        Score(text, parsed, tuple(read) if parsed else (), loss=cost, **dict(zip(names, found, strict=True)))
        for text, parsed, read, cost, *found in zip(extracted, *columns, strict=True)
    ]


def score_on_donor(record: Record, protocol: Protocol) -> Score | None:
    """Return the score of an answer to a swapped image, against the ground truth of the image that was shown.

    None if the image was the sample's own, if its ground truth is unknown, or for an infrastructure failure.
    """
    if record.outcome.infrastructure or record.donor is None or record.donor.target is None:
        return None
    return score(record.sample.task, scored_text(record), record.donor.target, protocol)


def score_record(record: Record, protocol: Protocol) -> Score | None:
    """Return the score of a record, or None for an infrastructure failure.

    Only the text of an answered record is read: text kept from a refusal or a cut-off reply is not an answer. A box
    that the model wrote in another convention is first converted to MedVision's (``scored_text``).
    """
    if record.outcome.infrastructure:
        return None
    return score(record.sample.task, scored_text(record), record.sample.target, protocol)


def score_texts(
    task: TaskName, responses: Sequence[str | None], targets: Sequence[Sequence[float]], protocol: Protocol
) -> list[Score]:
    """Return the scores of many responses to one task in order, as ``score`` would, but faster."""
    found = find_numbers([text or "" for text in responses], len(TASKS[task].numbers), protocol)
    return _scores(task, written_out(found), targets, protocol)


def score_records(records: Iterable[Record], protocol: Protocol) -> list[Score | None]:
    """Return the score of each record in order (None for an infrastructure failure), as ``score_record`` but faster."""
    every = list(records)
    found: list[Score | None] = [None] * len(every)
    for task in TASKS:
        own = [at for at, one in enumerate(every) if one.sample.task == task and not one.outcome.infrastructure]
        if own:
            texts = [scored_text(every[at]) for at in own]
            scores = score_texts(task, texts, [every[at].sample.target for at in own], protocol)
            for at, one in zip(own, scores, strict=True):
                found[at] = one
    return found


def scored_one_by_one(records: Iterable[Record], protocol: Protocol) -> Iterator[Scored]:
    """Yield each record with its score (None: an infrastructure failure); at most 512 records are held at a time."""
    left = iter(records)
    while some := list(islice(left, _TOGETHER)):
        yield from zip(some, score_records(some, protocol), strict=True)


def sample_scores(records: Iterable[Record], protocol: Protocol) -> Iterator[SampleScore]:
    """Yield the question of each record with its score (None: an infrastructure failure); no record is kept."""
    return ((Asked.of(record.sample), score) for record, score in scored_one_by_one(records, protocol))
