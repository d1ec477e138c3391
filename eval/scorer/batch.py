"""Many answers of one family, scored together: columns of extracted numbers and metrics.

Contract: every answer has a row, whatever it says; the rows keep the order of the answers. Metrics are the same to
the last bit as those of ``score``. NaN where a metric is undefined or the family has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.answer import COUNTS
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.metrics import (
    Floats,
    Values,
    angle_loss,
    box_loss,
    float32_errors,
    mean_absolute_error,
    mean_relative_error,
    overlap,
    relative_loss,
)
from medvision_agent.eval.scorer.nmae import diagonals, drawn_scales, parsed_nmae, summary_nmae
from medvision_agent.eval.scorer.numbers import extract_all, parse_all
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import Family

__all__ = ["OVERLAPS", "Batch", "Flags", "angle_rows", "join_batches", "score_batch"]

Flags = NDArray[np.bool_]
OVERLAPS = ("IoU", "F1", "Precision", "Recall")


@dataclass(frozen=True, slots=True)
class Batch:
    """The scores of the answers of one family."""

    family: Family
    answers: Answers
    target: Floats
    """One row of numbers per answer."""
    extracted: list[str]
    success: Flags
    metrics: dict[str, Floats]
    """By MedVision's names: MAE, and MRE (and nMAE) or the overlap metrics; failures overlap nothing."""
    loss: Floats
    lengths: Floats
    """Physical diagonals of the slices in mm, where the protocol has nMAE."""
    nmae_success: Flags
    parsed_nmae: Floats
    parsed_nmae_success: Flags
    """nMAE before the summary's conditions."""
    drawn_scales: int = 0
    """Answers whose diagonal goes by factors that are not stored, but drawn."""

    def __len__(self) -> int:
        return len(self.answers)


def score_batch(family: Family, answers: Answers, protocol: Protocol) -> Batch:
    """Return the scores of *answers*, all of one family; targets have as many numbers as the answers."""
    count = COUNTS[family]
    extracted = _extracted(answers, count, protocol)
    values, success = parse_all(extracted, count)
    flat = chain.from_iterable(answers.column("target"))
    target = np.fromiter(flat, np.float64, len(answers) * count).reshape(-1, count)
    if family == "Detection":
        found = overlap(values, target, protocol)
        metrics = {name: np.where(success, value, 0.0) for name, value in zip(OVERLAPS, found, strict=True)}
        metrics["MAE"] = mean_absolute_error(values, target)
        loss = box_loss(metrics["IoU"])
    else:
        metrics, loss = _errors(family, answers, values, target, protocol)
    none, no = np.full(len(answers), np.nan), np.zeros(len(answers), dtype=np.bool_)
    batch = Batch(family, answers, target, extracted, success, metrics, loss, none, no, none, no)
    if not protocol.nmae or family == "Detection":
        return batch
    return _with_nmae(batch, mean_absolute_error(values, target), protocol)


def join_batches(parts: Sequence[Batch]) -> Batch:
    """Return the scores of the answers of all *parts*, one after the other; they are of one family and protocol."""
    first = parts[0]
    return Batch(
        family=first.family,
        answers=Answers.joined(part.answers for part in parts),
        target=np.concatenate([part.target for part in parts]),
        extracted=list(chain.from_iterable(part.extracted for part in parts)),
        success=np.concatenate([part.success for part in parts]),
        metrics={name: np.concatenate([part.metrics[name] for part in parts]) for name in first.metrics},
        loss=np.concatenate([part.loss for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        nmae_success=np.concatenate([part.nmae_success for part in parts]),
        parsed_nmae=np.concatenate([part.parsed_nmae for part in parts]),
        parsed_nmae_success=np.concatenate([part.parsed_nmae_success for part in parts]),
        drawn_scales=sum(part.drawn_scales for part in parts),
    )


def angle_rows(answers: Answers) -> Flags:
    """Return which answers of the family AD are angles, by MedVision's metric type; the others are distances."""
    return np.array([kind == "angle" for kind in answers.column("doc.metric_type")], dtype=np.bool_)


def _extracted(answers: Answers, count: int, protocol: Protocol) -> list[str]:
    responses = answers.column("response")
    extracted = extract_all([response or "" for response in responses], count, protocol)
    if None not in responses:
        return extracted
    rows = zip(responses, answers.column("extracted"), extracted, strict=True)
    return [own if response is not None else stored or "" for response, stored, own in rows]


def _errors(
    family: Family, answers: Answers, values: Values, target: Floats, protocol: Protocol
) -> tuple[dict[str, Floats], Floats]:
    mae, mre = mean_absolute_error(values, target), mean_relative_error(values, target)
    loss = relative_loss(values, target)
    if family == "AD":
        loss = np.where(angle_rows(answers), angle_loss(values, target), loss)
        if protocol.numpy1:
            bare = np.array(answers.column("bare_target"), dtype=np.bool_)
            mae32, mre32 = float32_errors(values, target)
            mae, mre = np.where(bare, mae32, mae), np.where(bare, mre32, mre)
    return {"MAE": mae, "MRE": mre}, loss


def _with_nmae(batch: Batch, plain_mae: Floats, protocol: Protocol) -> Batch:
    lengths = diagonals(batch.answers, protocol.scaled_pixel_size)
    parsed, parsed_success = parsed_nmae(batch.answers, batch.metrics["MAE"], lengths, plain_mae)
    summary, summary_success = summary_nmae(parsed, parsed_success, batch.success)
    return replace(
        batch,
        metrics=batch.metrics | {"nMAE": summary},
        lengths=lengths,
        nmae_success=summary_success,
        parsed_nmae=parsed,
        parsed_nmae_success=parsed_success,
        drawn_scales=drawn_scales(batch.answers),
    )
