"""Where the images of a DICOM series lie in the patient: their order, and the grid of their voxels.

Positions are in mm in LPS. The axes of the grid's array are columns (i, across), rows (j, down) and slices (k), so the
voxel (i, j, k) is the pixel in row j and column i of slice k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.dicom_frames import Frame
from medvision_agent.eval.importing.grid import Grid

__all__ = ["Placed", "grid_of"]

_UNIT = 1e-3
"""Tolerance for the direction cosines of an orientation: their length of 1 and their right angle."""
_UNEVEN, _UNEVEN_MM = 0.05, 0.05
"""Largest distance of a slice from its place on an even grid: a share of the slice distance, and mm."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The geometry of a series in the patient: its voxel grid and the order of its slices."""

    grid: Grid
    order: list[int]
    """The frames in the order of the slices."""
    thickness_mm: float
    """Slice thickness in mm, as the header states it; 0 if it does not."""


def grid_of(frames: list[Frame]) -> Placed | None:
    """Return the geometry of the frames in the patient.

    None for a single frame whose header lacks position, orientation or PixelSpacing. Raises DataError if several frames
    lack one of these, differ in orientation or spacing, or are not evenly spaced slices.
    """
    first = frames[0]
    turn, at = first.numbers("ImageOrientationPatient", 6), first.numbers("ImagePositionPatient", 3)
    pixel = first.numbers("PixelSpacing", 2)
    if turn is None or at is None or pixel is None:
        if len(frames) > 1:
            raise DataError(
                "the first image of this series lacks ImagePositionPatient, ImageOrientationPatient or PixelSpacing, "
                "so the series forms no volume; complete the headers, or import the files one at a time"
            )
        return None
    across, down = np.array(turn[:3]), np.array(turn[3:])
    lengths = np.array([across @ across, down @ down])
    if np.abs(lengths - 1).max() > 2 * _UNIT or abs(float(across @ down)) > _UNIT:
        raise DataError(
            "ImageOrientationPatient: expected two perpendicular directions of length 1; correct the header"
        )
    if min(pixel) <= 0:
        raise DataError(f"PixelSpacing: {pixel}; expected two numbers above 0, in mm; correct the header")
    _check_alike(frames, turn, pixel)
    across, down = across / np.sqrt(lengths[0]), down / np.sqrt(lengths[1])  # files round the cosines
    normal = np.cross(across, down)
    positions = np.array([frame.numbers("ImagePositionPatient", 3) or (np.nan,) * 3 for frame in frames])
    if not np.isfinite(positions).all():
        raise DataError(
            "ImagePositionPatient is missing from some images of this series; complete the headers, or remove these "
            "images"
        )
    order = np.argsort(positions @ normal, kind="stable")
    thickness = (first.numbers("SliceThickness", 1) or (0.0,))[0]
    step = _step(positions[order], normal, thickness)
    affine = np.eye(4)
    affine[:3] = np.column_stack((across * pixel[1], down * pixel[0], step, positions[order][0]))
    rows, columns = first.stored.shape[:2]
    return Placed(Grid(affine, (columns, rows, len(frames))), order.tolist(), max(0.0, thickness))


def _check_alike(frames: list[Frame], turn: tuple[float, ...], pixel: tuple[float, ...]) -> None:
    for frame in frames[1:]:
        other, size = frame.numbers("ImageOrientationPatient", 6), frame.numbers("PixelSpacing", 2)
        if other is None or np.abs(np.array(other) - turn).max() > _UNIT:
            raise DataError(
                "the images of this series differ in ImageOrientationPatient (is one a localiser?); import them one "
                "file at a time"
            )
        if size is None or not np.allclose(size, pixel, rtol=1e-4):
            raise DataError("the images of this series differ in PixelSpacing; import them one file at a time")


def _step(positions: NDArray[np.float64], normal: NDArray[np.float64], thickness: float) -> NDArray[np.float64]:
    """Return the vector from a slice to the next, in mm (LPS); raises DataError where slices are missing or coincide.

    *positions* are those of the slices in order, *normal* is perpendicular to them, *thickness* serves for a single
    slice.
    """
    if len(positions) == 1:
        return normal * (thickness if thickness > 0 else 1.0)
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    apart = np.diff(positions @ normal)
    if apart.min() < 1e-3:
        raise DataError(
            "several images of this series have the same position (echoes, phases or time points); move each echo, "
            "phase or time point to a folder of its own, and import one folder at a time"
        )
    even = positions[0] + np.arange(len(positions))[:, None] * step
    if np.abs(positions - even).max() > max(_UNEVEN * float(np.linalg.norm(step)), _UNEVEN_MM):
        raise DataError(
            f"the slices of this series are not evenly spaced ({apart.min():g} to {apart.max():g} mm apart): one is "
            "missing, or two scans are mixed; complete the series, or import single files"
        )
    return np.asarray(step, np.float64)
