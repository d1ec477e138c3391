"""From the records of a result file to the columns of their answers.

Contract: a column is made of the records when it is asked for (``Block.column``); one record is the case n = 1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from medvision_agent.eval.results.heading import Heading
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Nmae, Scale, Scored
from medvision_agent.eval.results.target import Numbers
from medvision_agent.eval.scorer.answer import Stored
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["Block", "first_later"]

_LATER = attrgetter("nmae", "raw_nmae", "pixel_size_scale", "raw_pixel_size_scale", "f1")
_NOT_LATER = (UNSET,) * 5
_Column = list[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Records, all under one heading, and their targets."""

    records: Sequence[Scored]
    heading: Heading
    targets: list[Numbers]
    bare: list[bool]
    plans: Plans | None

    def answers(self) -> Answers:
        """Return their answers."""
        return Answers(len(self.records), self.column)

    def column(self, name: str) -> _Column:
        """Return a column of the answers."""
        field = _FIELDS.get(name)
        return _MAKERS[name](self) if field is None else list(map(field, self.records))


def first_later(records: Sequence[Scored]) -> int | None:
    """Return the row of the first record in which a key says that the later generation of MedVision wrote it."""
    return next((row for row, own in enumerate(map(_LATER, records)) if own != _NOT_LATER), None)


def _ids(block: Block) -> _Column:
    prefix = f"{block.heading.task}/"
    return [f"{prefix}{one.doc_id}" if one.id is UNSET else str(one.id) for one in block.records]


def _responses(block: Block) -> _Column:
    found: _Column = [one.resps[0][0] for one in block.records]
    return [one[0] if type(one) is list else one for one in found] if list in set(map(type, found)) else found


def _names(block: Block, name: str, place: int) -> _Column:
    """Return what the records say themselves under a name, or else what is planned at a place of ``Plans.names``."""
    own, (task, family, _) = list(map(attrgetter(name), block.records)), block.heading
    if block.plans is None or family == "AD":
        return own
    labels = list(map(str, map(attrgetter("doc.label"), block.records)))
    planned = {label: block.plans.names(task, family, label, None, None)[place] for label in set(labels)}
    return [one or planned[label] for one, label in zip(own, labels, strict=True)]


def _zooms(block: Block) -> _Column:
    own, plans = [one.image_header_zooms for one in block.records], block.plans
    if plans is None or not plans.has_zooms or block.heading.family == "Detection":
        return own
    rows = zip(own, _stored(block, "nmae", Nmae), block.column("doc.image"), strict=True)
    return [plans.zooms(image) if zooms is nmae is None else zooms for zooms, nmae, image in rows]


def _nmae(block: Block) -> _Column:
    return [
        None if one is None else Stored(math.nan if one.value is None else one.value, one.success)
        for one in _stored(block, "nmae", Nmae)
    ]


def _scales(block: Block) -> _Column:
    return [None if one is None else (one.s_h, one.s_w) for one in _stored(block, "pixel_size_scale", Scale)]


def _stored(block: Block, name: str, kind: type) -> _Column:
    """Return what is stored under a name, or rather as ``raw_`` of it where that is there; None for what is not."""
    own: _Column = list(map(attrgetter(name), block.records))
    raw: _Column = list(map(attrgetter(f"raw_{name}"), block.records))
    if raw.count(UNSET) < len(raw):
        own = [one if other is UNSET else other for one, other in zip(own, raw, strict=True)]
    return [one if type(one) is kind else None for one in own]


def _boxes(block: Block) -> _Column:
    if block.heading.family != "Detection":
        return [None] * len(block.records)
    boxes: _Column = list(map(attrgetter("doc.bounding_boxes"), block.records))
    return [one.dimensions[0] if one is not None and one.dimensions else None for one in boxes]


def _metric_types(block: Block) -> _Column:
    types = [None if one is None else one.metric_type for one in _profiles(block)]
    return [one if isinstance(one, str) else None for one in types]


def _metric_keys(block: Block) -> _Column:
    return [None if one is None else one.metric_key for one in _profiles(block)]


def _profiles(block: Block) -> _Column:
    if block.heading.family != "AD":
        return [None] * len(block.records)
    return [one.doc.biometric_profile for one in block.records]


def _points(block: Block) -> _Column:
    points: _Column = list(map(attrgetter("truth_points"), block.records))
    return [None if one is None else tuple(one) for one in points]


_FIELDS: dict[str, Callable[[Scored], Any]] = {
    "subject": attrgetter("subject"),
    "doc.label": attrgetter("doc.label"),
    "doc.dataset": attrgetter("doc.dataset_name"),
    "doc.image": attrgetter("doc.image_file"),
    "doc.task": attrgetter("doc.task_id"),
    "doc.slice_dim": attrgetter("doc.slice_dim"),
    "doc.slice_idx": attrgetter("doc.slice_idx"),
    "doc.size": attrgetter("doc.image_size_2d"),
    "doc.pixel_size": attrgetter("doc.pixel_size"),
    "doc.landmark_file": attrgetter("doc.landmark_file"),
}
_MAKERS: dict[str, Callable[[Block], _Column]] = {
    "id": _ids,
    "family": lambda block: [block.heading.family] * len(block.records),
    "task": lambda block: [block.heading.task] * len(block.records),
    "file": lambda block: [block.heading.file] * len(block.records),
    "response": _responses,
    "extracted": lambda block: [getattr(one, "extracted", None) for one in block.records],
    "target": lambda block: block.targets,
    "bare_target": lambda block: block.bare,
    "label_name": lambda block: _names(block, "label_name", 0),
    "modality": lambda block: _names(block, "image_modality", 1),
    "zooms": _zooms,
    "nmae": _nmae,
    "stored": lambda block: _stored(block, "nmae", Nmae),
    "pixel_scale": _scales,
    "doc.box": _boxes,
    "doc.metric_type": _metric_types,
    "doc.metric_key": _metric_keys,
    "points": _points,
    "prompt": lambda block: [getattr(one, "input", None) for one in block.records],
}
