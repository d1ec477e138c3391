"""Landmark files: the points behind lesion axes, distances and angles.

Coordinates are voxel indices; a point is given in the slice frame, where index i has its centre at i + 0.5, columns
to the right and rows down.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision.bounded import read_gzip
from medvision_agent.frozen import complaint

__all__ = ["LandmarkFile", "read_landmarks"]

_LIMIT = 64 << 20
_AGAIN = "download the data of this dataset again"
Voxel = tuple[int, int, int]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    slice_idx: int
    landmarks: dict[str, Voxel] | list[dict[str, Any]]


_ENTRIES = TypeAdapter(dict[str, list[_Entry]])
_POINTS = TypeAdapter(dict[str, Voxel])
_POINT_KEYS = 4
"""A lesion's entry holds the points P1 to P4, and other fields."""


class LandmarkFile:
    """The landmarks of one volume, as the voxels of named points on each annotated slice."""

    def __init__(self, path: Path, points: Mapping[tuple[int, int], Mapping[str, Voxel]]) -> None:
        self._path = path
        self._points = points

    def point(self, name: str, slice_dim: int, slice_idx: int) -> tuple[float, float]:
        """Return x and y in pixels of the landmark *name* in the slice frame.

        Raises DataError if the slice does not have it. *slice_dim* is the axis of the volume that the slice leaves out,
        *slice_idx* its index along this axis, from 0.
        """
        voxel = self._points.get((slice_dim, slice_idx), {}).get(name)
        axis = f"slice_landmarks_{'xyz'[slice_dim]}"
        if voxel is None:
            raise DataError(
                f"{self._path}: {axis}: the landmark {name!r} of the annotation plan is missing on slice {slice_idx}; "
                f"{_AGAIN}"
            )
        if voxel[slice_dim] != slice_idx:
            raise DataError(
                f"{self._path}: {axis}: the landmark {name!r} of slice {slice_idx} has the voxel {list(voxel)}, which "
                f"lies on slice {voxel[slice_dim]}; {_AGAIN}"
            )
        row, column = (value for axis_number, value in enumerate(voxel) if axis_number != slice_dim)
        return column + 0.5, row + 0.5


def read_landmarks(path: Path) -> LandmarkFile:
    """Return a landmark file, of either of MedVision's two forms (points by name, or a list of lesions with P1 to P4).

    Entries of one slice are merged; of several lesions the first is used. Raises DataError for any other content.
    """
    try:
        data = json.loads(read_gzip(path, _LIMIT))
        entries = _ENTRIES.validate_python(data)
        points: dict[tuple[int, int], dict[str, Voxel]] = {}
        for slice_dim, axis in enumerate("xyz"):
            for entry in entries.get(f"slice_landmarks_{axis}", ()):
                found = points.setdefault((slice_dim, entry.slice_idx), {})
                for name, voxel in _first(entry).items():
                    found.setdefault(name, voxel)
    except ValidationError as error:
        raise DataError(f"{path}: is not a landmark file of MedVision ({complaint(error)}); {_AGAIN}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this landmark file is not JSON of the expected form ({error}); {_AGAIN}") from None
    return LandmarkFile(path, points)


def _first(entry: _Entry) -> dict[str, Voxel]:
    if isinstance(entry.landmarks, dict):
        return entry.landmarks
    lesion = entry.landmarks[0] if entry.landmarks else {}
    named = {name: value for name, value in lesion.items() if name in {f"P{n + 1}" for n in range(_POINT_KEYS)}}
    return _POINTS.validate_python(named)
