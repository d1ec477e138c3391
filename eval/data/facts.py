"""The facts of one MedVision annotation: a typed row of upstream's dataset, and its place there.

Contract: half-float fields hold what upstream stores. ``half`` is that rounding, an explicit step: upstream keeps
spacings, box sizes, areas and metric values as IEEE half floats (11 significant bits: relative change up to 4.9e-4;
above 65,504 they become infinite), and every target is made from the rounded value.
"""

import math
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, field_validator

from medvision_agent.frozen import Lean

__all__ = ["Area", "Box", "MedVisionFacts", "Metric", "half"]

RowColumn = tuple[int, int]
PairMm = tuple[float, float]
Triple = tuple[int, int, int]
TripleMm = tuple[float, float, float]


def half(value: float) -> float:
    """Return *value* rounded to an IEEE half float, as upstream stores it."""
    with np.errstate(over="ignore"):
        return float(np.float16(value))


class _Frozen(Lean):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Box(_Frozen):
    """A bounding box on a slice, in pixel indices from 0; each pair is (row, column), first and last pixel inclusive.

    ``dimensions`` are the height and width in pixels, ``sizes`` the height and width in mm.
    """

    min_coords: RowColumn
    max_coords: RowColumn
    center_coords: RowColumn
    dimensions: RowColumn
    sizes: PairMm


class Metric(_Frozen):
    """A measurement: a distance or an angle (one key and value), or a lesion's axes (two keys and values, major first).

    Values are half floats, in ``unit`` (mm, or degrees for an angle); keys name entries of the plan's maps.
    """

    metric_type: str
    metric_map_name: str
    keys: tuple[str, ...]
    values: tuple[float, ...]
    unit: str


class Area(_Frozen):
    """The size of a mask on a slice. MedVision asks no question about it; our task ``area`` does."""

    pixel_count: int
    roi_mm2: float
    """Infinite above 65,504 mm2, which JSON writes as null."""

    @field_validator("roi_mm2", mode="before")
    @classmethod
    def _from_json(cls, stored: object) -> object:
        return math.inf if stored is None else stored


class MedVisionFacts(_Frozen):
    """One annotation of MedVision. File names are relative to the data folder and begin with ``Datasets/``."""

    config: str
    """Upstream's name of the configuration, split included."""
    key: int
    """Place in the configuration before upstream's filters."""
    doc_id: int
    """Place among the records that the filters keep: upstream's ``doc_id``."""
    annotation_version: str
    """Version of the plan it was read from."""
    dataset_name: str
    task_id: str
    """``01``, ``02``, ...: the task's place in its plan."""
    task_type: str
    image_file: str
    landmark_file: str | None = None
    mask_file: str | None = None
    slice_dim: Literal[0, 1, 2]
    slice_idx: int
    label: int | None = None
    """Number of the structure in the plan's labels; landmarks have none."""
    image_size_2d: RowColumn
    """Height and width in pixels."""
    pixel_size: PairMm
    """Spacing from the plan, as half floats; prompts and tools use the spacing of the volume's header."""
    image_size_3d: Triple
    voxel_size: TripleMm
    header_zooms: TripleMm | None = None
    """Spacing of the volume's header, unrounded; None where only the plan was read."""
    boxes: tuple[Box, ...] = ()
    metric: Metric | None = None
    area: Area | None = None
    stored_slope: float = 1.0
    stored_offset: float = 0.0
    """In an image exported by version 0.1.0: native value = stored value x slope + offset. Now: ``Sample.values``."""

    def target(self) -> tuple[float, ...]:
        """Return the ground truth as MedVision makes it, in the order in which an answer gives its numbers.

        For a box: x1, y1, x2, y2 as fractions of the slice, from its lower left corner, y upwards; for others: lengths
        in mm, an angle in degrees or an area in mm2. Empty for an annotation without box, metric and area.
        """
        if self.boxes:
            (height, width), box = self.image_size_2d, self.boxes[0]
            (row0, column0), (row1, column1) = box.min_coords, box.max_coords
            return column0 / width, (height - row1) / height, column1 / width, (height - row0) / height
        if self.metric:
            return self.metric.values
        return (self.area.roi_mm2,) if self.area else ()

    def record(self) -> dict[str, Any]:
        """Return the annotation as a row of MedVision's dataset, with its keys in the dataset's order."""
        row = {
            "dataset_name": self.dataset_name,
            "taskID": self.task_id,
            "taskType": self.task_type,
            "image_file": self.image_file,
            "landmark_file": self.landmark_file,
            "mask_file": self.mask_file,
            "slice_dim": self.slice_dim,
            "slice_idx": self.slice_idx,
            "label": self.label,
            "image_size_2d": list(self.image_size_2d),
            "pixel_size": list(self.pixel_size),
            "image_size_3d": list(self.image_size_3d),
            "voxel_size": list(self.voxel_size),
        }
        return {key: value for key, value in row.items() if value is not None} | self._annotation()

    def _annotation(self) -> dict[str, Any]:
        if self.boxes:
            return {"bounding_boxes": {name: [list(getattr(b, name)) for b in self.boxes] for name in Box.model_fields}}
        if self.area:
            return {"pixel_count": self.area.pixel_count, "ROI_area": self.area.roi_mm2}
        return {"biometric_profile": self._profile(self.metric)} if self.metric else {}

    def _profile(self, metric: Metric) -> dict[str, Any]:
        profile: dict[str, Any] = {"metric_type": metric.metric_type, "metric_map_name": metric.metric_map_name}
        if len(metric.keys) == 1:
            (key,), (value,) = metric.keys, metric.values
            return profile | {
                "metric_key": key,
                "metric_value": value,
                "metric_unit": metric.unit,
                "slice_dim": self.slice_dim,
            }
        for axis, key, value in zip(("major", "minor"), metric.keys, metric.values, strict=True):
            profile |= {f"metric_key_{axis}_axis": key, f"metric_value_{axis}_axis": value}
        return {name: [value] for name, value in (profile | {"metric_unit": metric.unit}).items()}
