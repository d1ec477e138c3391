"""Which group a sample belongs to, and whether upstream's summary counts it.

Contract: nothing is dropped in silence. A sample that is not counted has a reason in ``left_out``; where upstream
itself would stop (a label it does not know), the sample is left out instead.

Keys: ``<group or short name> @ <modality> (<plane>)`` for boxes and sizes, ``<data set>_<type>_<key>`` for angles and
distances. Source: MedVision's summaries, both versions.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import numpy as np

from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.batch import Batch, Flags
from medvision_agent.eval.scorer.labels import PLANES, label_names, modality_code
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["Grouping", "Removed", "group_batch", "region", "removal_keys"]

Removed = tuple[str, str, int, int, str]
"""A removed sample: data set, image file relative to it, slice_dim, slice_idx, task ID."""

_READ = ("Ceph-Biometrics-400", "FeTA24_BiometricsFromLandmarks_Task01")
"""Files of angles and distances that upstream summarises; it passes over all others."""
_NO_GROUP = "without a label, modality or plane"


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a batch, row by row."""

    group: list[str | None]
    counted: Flags
    near_zero: Flags
    left_out: Counter[str]
    """Samples that are not counted, by reason."""


def group_batch(batch: Batch, protocol: Protocol, removed: Collection[Removed] = ()) -> Grouping:
    """Return the groups of *batch*; *removed* samples stay in no group's counts."""
    rows = [
        _landmark_row(answer) if batch.family == "AD" else _region_row(answer, batch.family, protocol)
        for answer in batch.answers
    ]
    reasons = [reason for _, reason in rows]
    if removed:
        reasons = [
            reason or ("on the list of removed samples" if not removed_here.isdisjoint(removed) else "")
            for reason, removed_here in zip(reasons, map(removal_keys, batch.answers), strict=True)
        ]
    limit = protocol.near_zero if batch.family == "AD" else None
    near_zero = [limit is not None and answer.target[0] < limit for answer in batch.answers]
    reasons = [
        reason or (f"with a target below {limit}" if small else "")
        for reason, small in zip(reasons, near_zero, strict=True)
    ]
    return Grouping(
        group=[group for group, _ in rows],
        counted=np.array([not reason for reason in reasons], dtype=np.bool_),
        near_zero=np.array(near_zero, dtype=np.bool_),
        left_out=Counter(reason for reason in reasons if reason),
    )


def region(answer: Answer, protocol: Protocol, *, fine: bool = False) -> str | None:
    """Return ``<group> @ <modality>`` (or the label's own name) of a sample, without its plane."""
    if answer.label_name is None or answer.modality is None:
        return None
    if fine:
        return f"{answer.label_name} @ {modality_code(answer.modality)}"
    names = label_names(protocol.label_table).get(answer.label_name)
    return f"{names.group} @ {modality_code(answer.modality)}" if names else None


def removal_keys(answer: Answer) -> set[Removed]:
    """Return the entries of a list of removed samples that would mean this sample.

    The image is listed relative to its data set's folder, whose place in the path is not known: any tail of the path.
    """
    doc = answer.doc
    try:
        slice_dim, slice_idx, task = int(doc["slice_dim"]), int(doc["slice_idx"]), str(doc["taskID"])
        parts = str(doc["image_file"]).split("/")
    except (KeyError, TypeError, ValueError, OverflowError):
        return set()
    dataset = str(doc.get("dataset_name") or dataset_of(answer.file))
    return {(dataset, "/".join(parts[start:]), slice_dim, slice_idx, task) for start in range(len(parts))}


def dataset_of(file: str) -> str:
    """Return the data set a result file's name starts with, as upstream reads it; empty if it has none."""
    match = re.search(r"samples_([^_]+)_", file)
    return match.group(1) if match else ""


def _region_row(answer: Answer, family: str, protocol: Protocol) -> tuple[str | None, str]:
    slice_dim = answer.doc.get("slice_dim")
    plane = PLANES.get(slice_dim) if isinstance(slice_dim, int) else None
    return _region(answer.label_name, answer.modality, plane, family == "TL", protocol.label_table)


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


def _landmark_row(answer: Answer) -> tuple[str | None, str]:
    key = answer.doc["biometric_profile"].get("metric_key") if answer.metric_type else None
    if not key:
        return None, "without a metric type and key"
    group = f"{dataset_of(answer.file)}_{answer.metric_type}_{key}"
    return group, "" if any(part in answer.file for part in _READ) else "of files that upstream passes over"
