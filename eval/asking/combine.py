"""Combines several answers to the same question into one.

Contract: numbers become the median of each over the answers that could be read, where an answer has several of a kind
(the axes of a size) after sorting them, largest first. Of boxes the one with the highest mean IoU to the others is
taken, as the model wrote it; with a tie, or of two at most, the first. Where under half could be read there is no
answer. What it took is the sum of what they took.
"""

import math
from collections.abc import Sequence
from statistics import median

import numpy as np

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.scorer.metrics import overlap
from medvision_agent.eval.scorer.numbers import extract
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.spoken import as_number, scored_text
from medvision_agent.eval.store.record import Record

__all__ = ["central_box", "combined", "medians", "read"]

Numbers = tuple[float, ...]
_TAGGED, _BARE = PROTOCOLS["medvision-1.2"], PROTOCOLS["paper-v1"]
_DIGITS = 9
"""Decimals of a mean overlap that tell two boxes apart: the last bits depend on the order of a sum."""


def combined(draws: Sequence[Record], attempt: int, *, tagged: bool) -> Record:
    """Return the record made from the answers drawn for a sample, as attempt number *attempt*.

    *tagged*: the prompt asks for answer tags. If under half of the answers can be read, the outcome is that of no
    answer.
    """
    answers = [(record, numbers) for record in draws if (numbers := read(record, tagged=tagged)) is not None]
    whole = _sum(draws, attempt)
    if 2 * len(answers) < len(draws):
        detail = f"only {len(answers)} of the {len(draws)} answers drawn could be read, less than half"
        return whole.model_copy(update={"outcome": Outcome.NO_ANSWER, "response": "", "detail": detail})
    if whole.sample.asks.is_box:
        chosen, _ = answers[central_box([numbers for _, numbers in answers])]
        return whole.model_copy(update={"outcome": Outcome.ANSWERED, "response": chosen.response})
    text = ", ".join(map(as_number, medians([numbers for _, numbers in answers])))
    response = f"<answer>{text}</answer>" if tagged else text
    return whole.model_copy(update={"outcome": Outcome.ANSWERED, "response": response})


def read(record: Record, *, tagged: bool) -> Numbers | None:
    """Return the numbers of an answer, in the task's order; a box in MedVision's convention.

    *tagged*: they stand between answer tags. None if the answer does not hold as many finite numbers as the task asks
    for.
    """
    count, text = len(record.sample.asks.numbers), scored_text(record)
    extracted = "" if text is None else extract(text, count, _TAGGED if tagged else _BARE)
    numbers = tuple(map(float, extracted.split(","))) if extracted else ()
    return numbers if numbers and all(map(math.isfinite, numbers)) else None


def medians(answers: Sequence[Numbers]) -> list[float]:
    """Return the medians over the answers, after the numbers of each answer are sorted, largest first."""
    ordered = [sorted(numbers, reverse=True) for numbers in answers]
    return [median(values) for values in zip(*ordered, strict=True)]


def central_box(boxes: Sequence[Numbers]) -> int:
    """Return the index of the box with the highest mean IoU to the others; 0 for one or two boxes.

    Of equal ones the first is taken. Boxes are x1, y1, x2, y2.
    """
    if len(boxes) <= 2:
        return 0
    values = np.array(boxes, np.float32)
    pairs = np.array([overlap(values, box, _TAGGED).iou for box in np.array(boxes, np.float64)])
    np.fill_diagonal(pairs, 0.0)
    return int(np.argmax(np.round((pairs + pairs.T).sum(axis=1), _DIGITS)))


def _sum(draws: Sequence[Record], attempt: int) -> Record:
    """Return the last record with the effort (tokens, cost in US dollars, seconds, calls) of all records added up.

    It is attempt number *attempt*, and its answer is yet to be set.
    """
    costs = [record.cost_usd for record in draws]
    update = {
        "attempt": attempt,
        "part": False,
        "draws": len(draws),
        "detail": "",
        "forced": any(record.forced for record in draws),
        "tool_uses": tuple(use for record in draws for use in record.tool_uses),
        "usage": sum((record.usage for record in draws), Usage()),
        "cost_usd": None if None in costs else math.fsum(cost for cost in costs if cost is not None),
        "seconds": round(math.fsum(record.seconds for record in draws), 4),
        "waited_seconds": round(math.fsum(record.waited_seconds for record in draws), 4),
        "failed_tries": sum(record.failed_tries for record in draws),
        "finish_reasons": tuple(one for record in draws for one in record.finish_reasons),
        "unread_calls": sum(record.unread_calls for record in draws),
        "model_versions": tuple(dict.fromkeys(one for record in draws for one in record.model_versions)),
        "fingerprints": tuple(dict.fromkeys(one for record in draws for one in record.fingerprints)),
        "asked_at": draws[0].asked_at,
    }
    return draws[-1].model_copy(update=update)
