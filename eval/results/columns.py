"""From records as MedVision writes them to the columns of their answers.

Contract: the same answers as ``build`` makes of the same records, one by one.
"""

import math
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from medvision_agent.eval.results.build import Heading
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Doc, Nmae, Prompted, Record, Scale
from medvision_agent.eval.results.target import Numbers
from medvision_agent.eval.scorer.answer import Stored
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["columns", "first_later"]

_TEXTS = {str}


def columns(
    records: Sequence[Record], heading: Heading, targets: list[Numbers], bare: list[bool], plans: Plans | None
) -> Answers:
    """Return the answers in *records*, all under one *heading*; their targets are read."""
    count, prefix, family = len(records), f"{heading.task}/", heading.family
    docs, none = [one.doc for one in records], [None] * len(records)
    made: dict[str, list[Any]] = {
        "id": [f"{prefix}{one.doc_id}" if one.id is UNSET else str(one.id) for one in records],
        "family": [family] * count,
        "task": [heading.task] * count,
        "file": [heading.file] * count,
        "response": _responses(records),
        "extracted": none,
        "target": targets,
        "bare_target": bare,
        "label_name": [one.label_name for one in records],
        "modality": [one.image_modality for one in records],
        "zooms": [one.image_header_zooms for one in records],
        "nmae": _nmae(records) or none,
        "pixel_scale": _scales(records) or none,
        "doc.label": [one.label for one in docs],
        "doc.box": list(map(_box, docs)) if family == "Detection" else none,
        "doc.metric_type": list(map(_metric_type, docs)) if family == "AD" else none,
        "doc.metric_key": list(map(_metric_key, docs)) if family == "AD" else none,
        "doc.dataset": [one.dataset_name for one in docs],
        "doc.image": [one.image_file for one in docs],
        "doc.task": [one.task_id for one in docs],
        "doc.slice_dim": [one.slice_dim for one in docs],
        "doc.slice_idx": [one.slice_idx for one in docs],
        "doc.size": [one.image_size_2d for one in docs],
        "doc.pixel_size": [one.pixel_size for one in docs],
        "doc.landmark_file": [one.landmark_file for one in docs],
        "subject": [one.subject for one in records],
        "points": [None if one.truth_points is None else tuple(one.truth_points) for one in records],
        "prompt": [one.input if isinstance(one, Prompted) else None for one in records],
    }
    if plans is not None and family != "AD":
        names = {label: plans.names(heading.task, family, label, None, None) for label in set(made["doc.label"])}
        made["label_name"] = [one.label_name or names[one.doc.label][0] for one in records]
        made["modality"] = [one.image_modality or names[one.doc.label][1] for one in records]
    if plans is not None and plans.has_zooms and family != "Detection":
        rows = zip(made["zooms"], made["nmae"], made["doc.image"], strict=True)
        made["zooms"] = [plans.zooms(image) if own is None and stored is None else own for own, stored, image in rows]
    return Answers(count, made)


def first_later(records: Sequence[Record]) -> int | None:
    """Return the row of the first record in which a key says that the later generation of MedVision wrote it."""
    keys = (
        [one.nmae for one in records],
        [one.raw_nmae for one in records],
        [one.pixel_size_scale for one in records],
        [one.raw_pixel_size_scale for one in records],
        [one.f1 for one in records],
    )
    firsts = [next(row for row, value in enumerate(key) if value is not UNSET) for key in keys if _any(key)]
    return min(firsts, default=None)


def _any(values: list[Any]) -> bool:
    """Return whether any key is there; a count, because nearly always all or none are."""
    return values.count(UNSET) < len(values)


def _responses(records: Sequence[Record]) -> list[str]:
    found: list[Any] = [one.resps[0][0] for one in records]
    if set(map(type, found)) == _TEXTS:
        return found
    return [one if isinstance(one, str) else one[0] for one in found]


def _nmae(records: Sequence[Record]) -> list[Stored | None] | None:
    own, raw = [one.nmae for one in records], [one.raw_nmae for one in records]
    if not _any(raw):
        return list(map(_stored, own)) if _any(own) else None
    return [_stored(one if other is UNSET else other) for one, other in zip(own, raw, strict=True)]


def _stored(found: Any) -> Stored | None:
    if type(found) is not Nmae:
        return None
    return Stored(math.nan if found.value is None else found.value, found.success)


def _scales(records: Sequence[Record]) -> list[tuple[float, float] | None] | None:
    own, raw = [one.pixel_size_scale for one in records], [one.raw_pixel_size_scale for one in records]
    if not _any(own) and not _any(raw):
        return None
    found = [one if other is UNSET else other for one, other in zip(own, raw, strict=True)]
    return [(one.s_h, one.s_w) if isinstance(one, Scale) else None for one in found]


def _box(doc: Doc) -> list[int] | None:
    boxes = doc.bounding_boxes
    return boxes.dimensions[0] if boxes is not None and boxes.dimensions else None


def _metric_type(doc: Doc) -> str | None:
    profile = doc.biometric_profile
    return profile.metric_type if profile is not None and isinstance(profile.metric_type, str) else None


def _metric_key(doc: Doc) -> str | int | None:
    profile = doc.biometric_profile
    return None if profile is None else profile.metric_key
