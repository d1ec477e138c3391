"""Many answers of one family, scored together: columns of extracted numbers and metrics. One answer is the case n = 1.

Contract: every answer has a row, whatever its content; rows keep the order of the answers. A metric is NaN if it is
undefined or does not exist for the family. Answers may arrive in blocks (``score_blocks``): their texts are then read
and dropped, and all numbers are scored at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.answer import COUNTS
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.metrics import Flags, Floats, angle_loss, float32_errors, measure
from medvision_agent.eval.scorer.nmae import Nmae, diagonals, drawn_scales, nmae, stored_nmae
from medvision_agent.eval.scorer.numbers import Found, find_numbers, parse_numbers, written_out
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import Family, Loss

__all__ = ["NO_MORE", "Batch", "Columns", "angle_rows", "score_batch", "score_blocks"]

_NAMES = ("task", "label_name", "modality", "doc.slice_dim")
_NEEDED: dict[Family, Sequence[str]] = {
    "Detection": (*_NAMES, "doc.size"),
    "TL": _NAMES,
    "AD": ("task", "file", "doc.metric_type", "doc.metric_key"),
}
"""The columns that a summary reads."""
Columns = Mapping[Family, Sequence[str]]
"""Names of columns of answers, by family."""
NO_MORE: Columns = {}
_Numbers = dict[str, NDArray[Any]]
"""The scoring input, one row for each answer: everything that must be read from texts has been read."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The scores of the answers of one family."""

    answers: Answers
    target: Floats
    """The ground truths (answers, numbers), in mm, degrees or, for boxes, fractions of the image's sides."""
    extracted: list[str]
    """The numbers of each answer as written, joined by commas; an empty list if the texts were dropped."""
    success: Flags
    """Whether each answer was parsed."""
    metrics: dict[str, Floats]
    """Metrics by MedVision's names, one value per answer: MAE in the unit of the target, and MRE (and nMAE) or the
    overlaps, all fractions; for a failure, overlaps are 0 and the others NaN."""
    loss: Floats
    nmae: Nmae | None
    """Error by the diagonal of the slice, for sizes, angles and distances; None if the protocol does not define it."""
    drawn_scales: int
    """Number of answers whose diagonal uses factors that were drawn because they are not stored."""

    @property
    def family(self) -> Family:
        """The family of all answers."""
        return self.answers.family

    def __len__(self) -> int:
        return len(self.answers)


def score_batch(answers: Answers, protocol: Protocol) -> Batch:
    """Return the scores of *answers* by a protocol; each target must have as many numbers as an answer."""
    found = _found(answers, protocol)
    return _score(answers, _read(answers, found, protocol), written_out(found), protocol)


def score_blocks(
    blocks: Iterable[Answers],
    protocol: Protocol,
    order: Callable[[Family], Sequence[int]] | None = None,
    more: Columns = NO_MORE,
) -> list[Batch]:
    """Return the scores of the answers in *blocks*, a batch for each family, with the columns that a summary reads.

    *more* names further columns to keep. *order* is called with a family once all blocks were read, and returns the
    numbers of its rows in the order that they are to have.
    """
    names = {family: {*needed, *more.get(family, ())} for family, needed in _NEEDED.items()}
    kept: dict[Family, tuple[list[Answers], list[_Numbers]]] = {family: ([], []) for family in COUNTS}
    for block in blocks:
        answers, numbers = kept[block.family]
        numbers.append(_read(block, _found(block, protocol), protocol))
        answers.append(block.only(names[block.family]))
    batches = []
    for family in COUNTS:
        answers, parts = kept.pop(family)
        if answers:
            together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            joined = Answers.joined(answers)
            if order is not None:
                rows = order(family)
                joined, together = joined.taken(rows), {name: part[rows] for name, part in together.items()}
                joined = joined.only(names[family])  # which does not hold the blocks any more
            batches.append(_score(joined, together, [], protocol))
    return batches


def angle_rows(answers: Answers) -> Flags:
    """Return a flag for each answer of the family AD: whether it is an angle, by MedVision's metric type."""
    return _of_kind("angle", answers)


def _of_kind(kind: str, answers: Answers) -> Flags:
    return np.array([one == kind for one in answers.column("doc.metric_type")], dtype=np.bool_)


def _found(answers: Answers, protocol: Protocol) -> list[Found]:
    """Return the numbers of each response as written; without a response, the stored ones that another parser found."""
    responses, count = answers.column("response"), COUNTS[answers.family]
    if None not in responses:
        return find_numbers(responses, count, protocol)
    found = find_numbers([response or "" for response in responses], count, protocol)
    rows = zip(responses, answers.column("extracted"), found, strict=True)
    return [own if response is not None else (stored or "").split(",") for response, stored, own in rows]


def _read(answers: Answers, found: list[Found], protocol: Protocol) -> _Numbers:
    count = COUNTS[answers.family]
    values, success = parse_numbers(found, count)
    target = np.fromiter(chain.from_iterable(answers.column("target")), np.float64, len(answers) * count)
    read: _Numbers = {"values": values, "success": success, "target": target.reshape(-1, count)}
    if answers.family == "AD":
        read["angle"], read["is length"] = angle_rows(answers), _of_kind("distance", answers)
        read["bare"] = np.array(answers.column("bare_target"), dtype=np.bool_)
    elif answers.family == "TL":
        read["is length"] = np.ones(len(answers), dtype=np.bool_)
    if answers.family != "Detection" and protocol.nmae:
        read["diagonal"] = diagonals(answers, protocol.scaled_pixel_size, stored=protocol.numpy1)
        read |= stored_nmae(answers) | {"drawn": drawn_scales(answers)}
    return read


def _score(answers: Answers, read: _Numbers, extracted: list[str], protocol: Protocol) -> Batch:
    values, target, success = read["values"], read["target"], read["success"]
    rule: Loss = "overlap" if answers.family == "Detection" else "relative error"
    metrics, loss = measure(rule, values, success, target, protocol)
    plain_mae, lengths = metrics["MAE"], None
    if answers.family == "AD":
        loss = np.where(read["angle"], angle_loss(values, target), loss)
        if protocol.numpy1:
            errors = zip(("MAE", "MRE"), float32_errors(values, target), strict=True)
            metrics |= {name: np.where(read["bare"], error, metrics[name]) for name, error in errors}
    if "diagonal" in read:
        lengths = nmae(read, metrics["MAE"], plain_mae, success)
        metrics["nMAE"] = lengths.value
    drawn = int(read["drawn"].sum()) if "drawn" in read else 0
    return Batch(answers, target, extracted, success, metrics, loss, lengths, drawn)
