"""The group of a sample, and whether upstream's summary counts the sample.

Contract: nothing is dropped silently. A sample that is not counted has a reason in ``left_out``. If upstream would stop
(for an unknown label), the sample is left out instead.

Keys: ``<group or short name> @ <modality> (<plane>)`` for boxes and sizes, ``<data set>_<type>_<key>`` for angles and
distances. Source: MedVision's summaries, both versions.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.batch import Batch
from medvision_agent.eval.scorer.labels import PLANES, label_names, modality_code
from medvision_agent.eval.scorer.medvision.statistics import Keys, rows_by
from medvision_agent.eval.scorer.metrics import Flags
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["Grouping", "Removed", "group_batch", "region", "removal_keys"]

Removed = tuple[str, str, int, int, str]
"""A removed sample: data set, image file relative to it, slice_dim, slice_idx, task ID."""

_READ = ("Ceph-Biometrics-400", "FeTA24_BiometricsFromLandmarks_Task01")
"""The files of angles and distances that upstream summarises; it ignores all others."""
_NO_GROUP = "without a label, modality or plane"


@dataclass(frozen=True, slots=True)
class Grouping:
    """The group of each answer of a batch, and which answers upstream's summary counts."""

    keys: Keys
    """The name of each row's group; None if a row has no group."""
    counted: Flags
    """Whether upstream's summary counts the sample."""
    near_zero: Flags
    """Whether the target is below the protocol's ``near_zero`` (angles and distances only)."""
    left_out: dict[str, int]
    """Number of samples that are not counted, by reason."""


def group_batch(batch: Batch, protocol: Protocol, removed: Collection[Removed] = ()) -> Grouping:
    """Return the groups of the answers in *batch*; samples in *removed* are not counted in any group."""
    column = batch.answers.column
    if batch.family == "AD":
        kinds = Keys.of(
            zip(column("doc.metric_type"), map(_written, column("doc.metric_key")), column("file"), strict=True)
        )
        found = [_landmark_row(*kind) for kind in kinds.names]
    else:
        short, table = batch.family == "TL", protocol.label_table
        kinds = Keys.of(zip(column("label_name"), column("modality"), _planes(column("doc.slice_dim")), strict=True))
        found = [_region(*kind, short, table) for kind in kinds.names]
    reasons = kinds.renamed(reason for _, reason in found)
    near_zero = np.zeros(len(batch), dtype=np.bool_)
    if removed:
        listed = [not removal_keys(answer).isdisjoint(removed) for answer in batch.answers]
        reasons = _or(reasons, np.array(listed, dtype=np.bool_), "on the list of removed samples")
    if batch.family == "AD" and protocol.near_zero is not None:
        near_zero = batch.target[:, 0] < protocol.near_zero
        reasons = _or(reasons, near_zero, f"with a target below {protocol.near_zero}")
    counted = np.array([not reason for reason in reasons.names], dtype=np.bool_)[reasons.code]
    left_out = {reason: rows.size for reason, rows in rows_by(reasons, ~counted).items()}
    return Grouping(kinds.renamed(group for group, _ in found), counted, near_zero, left_out)


def _or(reasons: Keys, rows: Flags, reason: str) -> Keys:
    """Return *reasons*, with *reason* for each of the flagged *rows* that has none yet."""
    none = np.array([not own for own in reasons.names], dtype=np.bool_)[reasons.code]
    return Keys([*reasons.names, reason], np.where(rows & none, len(reasons.names), reasons.code))


def region(label: str | None, modality: str | None, protocol: Protocol, *, fine: bool = False) -> str | None:
    """Return a sample's ``<group> @ <modality>``, with *fine* ``<label> @ <modality>``, without the plane.

    None without a label or a modality, or for a label that has no group.
    """
    if label is None or modality is None:
        return None
    if fine:
        return f"{label} @ {modality_code(modality)}"
    names = label_names(protocol.label_table).get(label)
    return f"{names.group} @ {modality_code(modality)}" if names else None


def removal_keys(answer: Answer) -> set[Removed]:
    """Return the entries under which this sample could be in a list of removed samples; empty if facts are missing.

    The image is listed relative to its data set's folder, whose position in the path is unknown; so every tail of the
    path is returned.
    """
    doc = answer.doc
    if doc.image is None or doc.task is None:
        return set()
    try:
        slice_dim, slice_idx = int(doc.slice_dim), int(doc.slice_idx)
    except (TypeError, ValueError, OverflowError):
        return set()
    task, parts = str(doc.task), str(doc.image).split("/")
    dataset = str(doc.dataset or dataset_of(answer.file))
    return {(dataset, "/".join(parts[start:]), slice_dim, slice_idx, task) for start in range(len(parts))}


def dataset_of(file: str) -> str:
    """Return the data set in a result file's name: the text from ``samples_`` to the next ``_``; empty without it."""
    match = re.search(r"samples_([^_]+)_", file)
    return match.group(1) if match else ""


def _planes(slice_dims: Iterable[Any]) -> list[str | None]:
    return [PLANES.get(one) if type(one) is int or isinstance(one, int) else None for one in slice_dims]


@cache
def _region(
    label: str | None, modality: str | None, plane: str | None, short: bool, table: str
) -> tuple[str | None, str]:
    if label is None or modality is None or plane is None:
        return None, _NO_GROUP
    names = label_names(table).get(label)
    name = names and (names.short if short else names.group)
    if not name:
        return None, f"whose label {label!r} has no {'short name' if short else 'group'} in the label table"
    return f"{name} @ {modality_code(modality)} ({plane})", ""


def _written(key: Any) -> str:
    return str(key) if key else ""


def _landmark_row(kind: str | None, key: str, file: str) -> tuple[str | None, str]:
    if not kind or not key:
        return None, "without a metric type and key"
    dataset, read = _file(file)
    return f"{dataset}_{kind}_{key}", "" if read else "of files that upstream passes over"


@cache
def _file(file: str) -> tuple[str, bool]:
    return dataset_of(file), any(part in file for part in _READ)
