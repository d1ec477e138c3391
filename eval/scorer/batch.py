"""Many answers of one family, scored together: columns of extracted numbers and metrics. One answer is the case n = 1.

Contract: every answer has a row, whatever it says; the rows keep the order of the answers. NaN where a metric is
undefined or the family has none. Answers may come block by block (``score_blocks``): then their texts are read and let
go, and all numbers are scored at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from medvision_agent.eval.scorer.answer import COUNTS
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.metrics import (
    Flags,
    Floats,
    Target,
    Values,
    angle_loss,
    float32_errors,
    measure,
)
from medvision_agent.eval.scorer.nmae import StoredNmae, diagonals, drawn_scales, parsed_nmae, summary_nmae
from medvision_agent.eval.scorer.numbers import Found, find_numbers, parse_numbers, written_out
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import Family

__all__ = ["Batch", "angle_rows", "joined", "score_batch", "score_blocks"]

_NAMES = ("label_name", "modality", "doc.slice_dim")
_NEEDED: dict[Family, tuple[str, ...]] = {
    "Detection": ("task", *_NAMES, "doc.size"),
    "TL": ("task", *_NAMES),
    "AD": ("task", "file", "doc.metric_type", "doc.metric_key"),
}
"""Columns that a summary reads."""
_Part = TypeVar("_Part", "Batch", "_Inputs")


@dataclass(frozen=True, slots=True)
class Batch:
    """The scores of the answers of one family."""

    family: Family
    answers: Answers
    target: Floats
    """One row of numbers per answer."""
    extracted: list[str]
    """Empty where the texts were let go."""
    success: Flags
    metrics: dict[str, Floats]
    """By MedVision's names: MAE, and MRE (and nMAE) or the overlap metrics; failures overlap nothing."""
    loss: Floats
    lengths: Floats
    """Physical diagonals of the slices in mm, where the protocol has nMAE; with the texts went those of no use."""
    nmae_success: Flags
    parsed_nmae: Floats
    parsed_nmae_success: Flags
    """nMAE before the summary's conditions."""
    drawn_scales: int = 0
    """Answers whose diagonal goes by factors that are not stored, but drawn."""

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What is scored of answers: what must be read from texts is read, and all else is numbers."""

    values: Values
    success: Flags
    target: Target
    extracted: list[str]
    angle: Flags | None
    """Angles and distances only."""
    bare: Flags | None
    """The same, where the protocol follows NumPy 1."""
    length: Flags | None
    """From here on: where the protocol has nMAE."""
    lengths: Floats | None
    """Physical diagonals."""
    stored: StoredNmae | None
    drawn_scales: int


def score_batch(family: Family, answers: Answers, protocol: Protocol) -> Batch:
    """Return the scores of *answers*, all of one family; targets have as many numbers as the answers."""
    return _score(family, answers, _read(family, answers, protocol, whole=True), protocol)


def score_blocks(blocks: Iterable[Answers], protocol: Protocol) -> list[Batch]:
    """Return the scores of the answers in *blocks* by family, with the columns that a summary reads alone."""
    found: dict[Family, tuple[list[Answers], list[_Inputs]]] = {family: ([], []) for family in COUNTS}
    for block in blocks:
        for family, own in block.by_family().items():
            found[family][0].append(own.only(_NEEDED[family]))
            found[family][1].append(_read(family, own, protocol, whole=False))
    return [
        _score(family, Answers.joined(parts).only(_NEEDED[family]), joined(inputs), protocol)
        for family, (parts, inputs) in found.items()
        if parts
    ]


def joined(parts: Sequence[_Part]) -> _Part:
    """Return the rows of all *parts*, one after the other; they are of one family and protocol."""
    first = parts[0]
    return type(first)(**{one.name: _together([getattr(part, one.name) for part in parts]) for one in fields(first)})


def _together(values: list[Any]) -> Any:
    match values[0]:
        case np.ndarray():
            return np.concatenate(values)
        case Answers():
            return Answers.joined(values)
        case dict() as columns:
            found: Any = {name: _together([own[name] for own in values]) for name in columns}
        case StoredNmae():
            found = StoredNmae(*map(np.concatenate, zip(*values, strict=True)))
        case list():
            found = list(chain.from_iterable(values))
        case int():
            found = sum(values)
        case same:
            found = same
    return found


def angle_rows(answers: Answers) -> Flags:
    """Return which answers of the family AD are angles, by MedVision's metric type; the others are distances."""
    return _of_kind("angle", answers)


def _of_kind(kind: str, answers: Answers) -> Flags:
    return np.array([one == kind for one in answers.column("doc.metric_type")], dtype=np.bool_)


def _read(family: Family, answers: Answers, protocol: Protocol, *, whole: bool) -> _Inputs:
    count, column, landmarks = COUNTS[family], answers.column, family == "AD"
    found = _found(answers, count, protocol)
    values, success = parse_numbers(found, count)
    target = np.fromiter(chain.from_iterable(column("target")), np.float64, len(answers) * count)
    has_nmae = protocol.nmae and family != "Detection"
    return _Inputs(
        values=values,
        success=success,
        target=target.reshape(-1, count),
        extracted=written_out(found) if whole else [],
        angle=angle_rows(answers) if landmarks else None,
        bare=np.array(column("bare_target"), dtype=np.bool_) if landmarks and protocol.numpy1 else None,
        length=(_of_kind("distance", answers) if landmarks else np.ones(len(answers), np.bool_)) if has_nmae else None,
        lengths=diagonals(answers, protocol.scaled_pixel_size, stored=whole or protocol.numpy1) if has_nmae else None,
        stored=StoredNmae.of(answers) if has_nmae else None,
        drawn_scales=drawn_scales(answers) if has_nmae else 0,
    )


def _found(answers: Answers, count: int, protocol: Protocol) -> list[Found]:
    responses = answers.column("response")
    if None not in responses:
        return find_numbers(responses, count, protocol)
    found = find_numbers([response or "" for response in responses], count, protocol)
    rows = zip(responses, answers.column("extracted"), found, strict=True)
    return [own if response is not None else (stored or "").split(",") for response, stored, own in rows]


def _score(family: Family, answers: Answers, read: _Inputs, protocol: Protocol) -> Batch:
    values, target, success = read.values, read.target, read.success
    metrics, loss = measure("overlap" if family == "Detection" else "relative error", values, success, target, protocol)
    plain_mae = metrics["MAE"]
    if read.angle is not None:
        loss = np.where(read.angle, angle_loss(values, target), loss)
    if read.bare is not None:
        errors = zip(("MAE", "MRE"), float32_errors(values, target), strict=True)
        metrics |= {name: np.where(read.bare, error, metrics[name]) for name, error in errors}
    parsed, parsed_success, nmae_success = np.full(len(answers), np.nan), *np.zeros((2, len(answers)), dtype=np.bool_)
    lengths = parsed if read.lengths is None else read.lengths
    if read.stored is not None and read.length is not None:
        parsed, parsed_success = parsed_nmae(read.stored, read.length, metrics["MAE"], lengths, plain_mae)
        metrics["nMAE"], nmae_success = summary_nmae(parsed, parsed_success, success)
    return Batch(
        family=family,
        answers=answers,
        target=target,
        extracted=read.extracted,
        success=success,
        metrics=metrics,
        loss=loss,
        lengths=lengths,
        nmae_success=nmae_success,
        parsed_nmae=parsed,
        parsed_nmae_success=parsed_success,
        drawn_scales=read.drawn_scales,
    )
