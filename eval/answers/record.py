"""A record of a result file as MedVision writes it: the quick way from its line to the columns of an answer.

Contract: a line is taken only if what is declared here has the declared types; then the answer is the one that
``build`` makes of the same record. Every other line is refused, and left to ``build``, which knows all that can be
in a record and what to say about it. Nothing undeclared is kept, nor even made into an object.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from medvision_agent.eval.answers.build import Heading
from medvision_agent.eval.answers.plans import Plans
from medvision_agent.eval.answers.target import Numbers
from medvision_agent.eval.scorer.answer import Stored
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["Record", "columns", "decode_record"]


# Of each request all repeats, of each repeat a text or (MedVision takes the first) several; a text that stands for a
# whole request is read as its first character. None is empty.
_Texts = Annotated[list[str], Meta(min_length=1)]
_Repeats = Annotated[list[str | _Texts], Meta(min_length=1)]
_Requests = Annotated[list[_Repeats | Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class _Boxes(Struct, frozen=True, gc=False):
    dimensions: list[list[int]] = []


class _Profile(Struct, frozen=True, gc=False):
    metric_type: str | list[str] | None = None
    """A list is a size's, which has no use for it."""
    metric_key: str | int | None = None


class _Doc(Struct, frozen=True, gc=False, rename={"task_id": "taskID"}):
    label: int | str | None = ""
    bounding_boxes: _Boxes | None = None
    biometric_profile: _Profile | None = None
    dataset_name: str | None = None
    image_file: str | None = None
    task_id: str | int | None = None
    slice_dim: int | None = None
    slice_idx: int | None = None
    image_size_2d: list[int] | None = None


class _Nmae(Struct, frozen=True, gc=False, rename={"value": "NMAE"}):
    value: float | None = None
    success: bool = False


class _Scale(Struct, frozen=True, gc=False):
    s_h: float
    s_w: float


class Record(Struct, frozen=True, gc=False, rename={"nmae": "nMAE", "raw_nmae": "raw_nMAE", "f1": "F1"}):
    """What is used of a record. ``gc``: these hold no cycles, and the collector need not walk them."""

    target: str | float | list[float]
    resps: _Requests
    doc: _Doc = _Doc()
    id: str | int | UnsetType = UNSET
    doc_id: str | int | None = None
    task: str | None = None
    file: str | None = None
    task_type: str | None = None
    label_name: str | None = None
    image_modality: str | None = None
    image_header_zooms: tuple[float, ...] | None = None
    nmae: _Nmae | UnsetType | None = UNSET
    raw_nmae: _Nmae | UnsetType | None = UNSET
    pixel_size_scale: _Scale | UnsetType | None = UNSET
    raw_pixel_size_scale: _Scale | UnsetType | None = UNSET
    f1: Any = UNSET

    @property
    def later(self) -> bool:
        """Whether a key says that the later generation of MedVision wrote this."""
        keys = (self.nmae, self.raw_nmae, self.pixel_size_scale, self.raw_pixel_size_scale, self.f1)
        return any(value is not UNSET for value in keys)


decode_record = msgspec.json.Decoder(Record).decode
"""Return the record in a line, or raise ValueError or RecursionError. What is skipped is not checked to be UTF-8."""


def columns(
    records: Sequence[Record], heading: Heading, targets: list[Numbers], bare: list[bool], plans: Plans | None
) -> Answers:
    """Return the answers in *records*, all under one *heading*; their targets are read."""
    count, prefix, family = len(records), f"{heading.task}/", heading.family
    docs, none = [one.doc for one in records], [None] * len(records)
    made: dict[str, list[Any]] = {
        "id": [prefix + str(one.doc_id) if one.id is UNSET else str(one.id) for one in records],
        "family": [family] * count,
        "task": [heading.task] * count,
        "file": [heading.file] * count,
        "response": list(map(_response, records)),
        "extracted": none,
        "target": targets,
        "bare_target": bare,
        "label_name": [one.label_name for one in records],
        "modality": [one.image_modality for one in records],
        "zooms": [one.image_header_zooms for one in records],
        "nmae": list(map(_stored, records)),
        "pixel_scale": list(map(_scale, records)),
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
    }
    if plans is not None and family != "AD":
        names = {label: plans.names(heading.task, family, label, None, None) for label in set(made["doc.label"])}
        made["label_name"] = [one.label_name or names[one.doc.label][0] for one in records]
        made["modality"] = [one.image_modality or names[one.doc.label][1] for one in records]
    if plans is not None and family != "Detection":
        rows = zip(made["zooms"], made["nmae"], made["doc.image"], strict=True)
        made["zooms"] = [plans.zooms(image) if own is None and stored is None else own for own, stored, image in rows]
    return Answers(count, made)


def _response(record: Record) -> str:
    first = record.resps[0][0]
    return first if isinstance(first, str) else first[0]


def _stored(record: Record) -> Stored | None:
    found = record.nmae if record.raw_nmae is UNSET else record.raw_nmae
    if found is UNSET or found is None:
        return None
    return Stored(math.nan if found.value is None else found.value, found.success)


def _scale(record: Record) -> tuple[float, float] | None:
    found = record.pixel_size_scale if record.raw_pixel_size_scale is UNSET else record.raw_pixel_size_scale
    return (found.s_h, found.s_w) if isinstance(found, _Scale) else None


def _box(doc: _Doc) -> list[int] | None:
    boxes = doc.bounding_boxes
    return boxes.dimensions[0] if boxes is not None and boxes.dimensions else None


def _metric_type(doc: _Doc) -> str | None:
    profile = doc.biometric_profile
    return profile.metric_type if profile is not None and isinstance(profile.metric_type, str) else None


def _metric_key(doc: _Doc) -> str | int | None:
    profile = doc.biometric_profile
    return None if profile is None else profile.metric_key
