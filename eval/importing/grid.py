"""The position of a scan's voxels in the patient, and how planes are cut from them.

Frames: positions are in mm in **LPS**, the frame of DICOM (x to the patient's left, y to the back, z to the head). The
frame of NIfTI is RAS: x and y have the opposite sign. Voxel coordinates are whole numbers at the centres of voxels.
The image of a plane is in the slice frame (``tools/view/geometry.py``).

A plane is cut along the axes of the array, and never resampled: axes are exchanged and reversed so that the image
shows what a radiologist sees. Axial: the patient's left on the right, the back below. Coronal: the left on the right,
the feet below. Sagittal: the back on the right, the feet below.
"""

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.tools.view.geometry import Point, Spacing

__all__ = ["PLANES", "Affine", "Cut", "Grid", "ras_to_lps"]

Affine = NDArray[np.float64]
"""A 4 x 4 matrix from voxel coordinates to mm in LPS."""
PLANES = ("axial", "coronal", "sagittal")
_SHOWN = {"axial": ((1, 1), (0, 1)), "coronal": ((2, -1), (0, 1)), "sagittal": ((2, -1), (1, 1))}
"""For each plane, the directions of its image, down and across, each as (axis of LPS, sign)."""
_RIGHT_ANGLE = 1e-3
"""Cosine of the angle of two axes up to which they count as perpendicular: lengths are then right within 0.05%."""
_UNDECIDED = 0.02
"""Margin by which one assignment of the array's axes must fit better than any other."""
_ALIKE_MM = 1e-2
"""Largest distance, in voxels, between the corners of two grids that count as the same grid."""


def ras_to_lps(affine: NDArray[Any]) -> Affine:
    """Return the voxel matrix in LPS for one in RAS, or the reverse: the signs of x and y are changed."""
    mirrored = np.array(affine, np.float64)
    mirrored[:2] *= -1
    return mirrored


@dataclass(frozen=True, eq=False)
class Cut:
    """A way to cut a scan into planes: the axis that is left out, and how the other two form an image."""

    plane: str
    axis: int
    """The axis of the array that is left out; slices are counted along it from 0, as they are stored."""
    down: int
    across: int
    turned: tuple[bool, bool]
    """Whether the array is reversed in the image, down and across."""
    spacing: Spacing
    thickness_mm: float
    """Distance of two slices, perpendicular to the plane; 0 where there is no other slice."""
    tilt_deg: float
    """Angle between the slices and the anatomical plane that names them."""

    def picture(self, values: NDArray[Any], index: int) -> NDArray[Any]:
        """Return slice *index* (from 0) of a volume (3-D array) as an image, (height, width)."""
        plane: NDArray[Any] = values.take(index, axis=self.axis)
        if self.down > self.across:
            plane = plane.T
        upright: NDArray[Any] = plane[tuple(slice(None, None, -1 if turn else 1) for turn in self.turned)]
        return upright

    def point(self, voxel: NDArray[np.float64], shape: tuple[int, ...]) -> Point:
        """Return where *voxel* (coordinates i, j, k) lies in the image of its slice: slice frame, in pixels.

        *shape* is that of the volume.
        """
        (y, x), lengths = (voxel[[self.down, self.across]] + 0.5).tolist(), (shape[self.down], shape[self.across])
        return Point(lengths[1] - x if self.turned[1] else x, lengths[0] - y if self.turned[0] else y)


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxel grid of a scan: its shape, and the matrix from voxels to mm in the patient (LPS)."""

    affine: Affine
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not np.isfinite(self.affine).all() or abs(np.linalg.det(self.affine[:3, :3])) < 1e-12:
            raise DataError(
                "the affine matrix has a value that is not finite, or linearly dependent axes; correct the header"
            )

    @property
    def steps(self) -> NDArray[np.float64]:
        """The size of a voxel along each axis of the array, in mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), np.float64)

    @property
    def names(self) -> tuple[int, int, int]:
        """For each axis of LPS (x, y, z), the array axis closest to it; raises DataError where this is ambiguous."""
        cosines = np.abs(self.affine[:3, :3] / self.steps)
        fits = sorted((sum(cosines[row, axis] for row, axis in enumerate(one)), one) for one in permutations(range(3)))
        if fits[-1][0] - fits[-2][0] < _UNDECIDED:
            raise DataError(
                "the axes of the volume lie half-way between two anatomical planes (45 degrees), so its slices are "
                "neither axial, coronal nor sagittal; resample the volume to the patient's axes first"
            )
        best = fits[-1][1]
        return best[0], best[1], best[2]

    def usual_plane(self) -> str:
        """Return the plane across the longest step of the voxels, in which scans are usually made.

        Axial where no step is over 1.1 times the others.
        """
        steps, names = self.steps, self.names
        longest = int(steps.argmax())
        others = np.delete(steps, longest)
        return PLANES[2 - names.index(longest)] if steps[longest] > 1.1 * others.max() else "axial"

    def cut(self, plane: str) -> Cut:
        """Return how to cut the volume into slices of *plane* (axial, coronal, sagittal).

        Raises DataError where the pixels of its slices are not rectangles.
        """
        names = self.names
        axes = self.affine[:3, :3] / self.steps
        (down_to, down_sign), (across_to, across_sign) = _SHOWN[plane]
        down, across, axis = names[down_to], names[across_to], names[3 - down_to - across_to]
        if abs(float(axes[:, down] @ axes[:, across])) > _RIGHT_ANGLE:
            raise DataError(
                f"the affine matrix is sheared: the pixels of {plane} slices are not rectangles, so nothing can be "
                "measured on them; resample the volume first"
            )
        normal = np.cross(axes[:, down], axes[:, across])
        normal /= np.linalg.norm(normal)
        turned = (bool(axes[down_to, down] * down_sign < 0), bool(axes[across_to, across] * across_sign < 0))
        straight = min(1.0, abs(float(normal[3 - down_to - across_to])))
        thickness = abs(float(normal @ self.affine[:3, axis]))
        spacing = Spacing(float(self.steps[down]), float(self.steps[across]))
        return Cut(plane, axis, down, across, turned, spacing, thickness, math.degrees(math.acos(straight)))

    def foot(self, cut: Cut, position: NDArray[np.float64], index: int) -> NDArray[np.float64]:
        """Return the foot of the perpendicular from a position to slice *index* of a cut, in voxel coordinates.

        *position* is in mm in LPS.
        """
        inverse = np.linalg.inv(self.affine)
        normal = np.cross(self.affine[:3, cut.down], self.affine[:3, cut.across])
        normal /= np.linalg.norm(normal)
        along = float((inverse @ np.append(position, 1.0))[cut.axis])
        away = (along - index) * float(normal @ self.affine[:3, cut.axis])
        return np.asarray((inverse @ np.append(position - away * normal, 1.0))[:3], np.float64)

    def like(self, other: "Grid") -> tuple[tuple[int, int, int], tuple[bool, bool, bool]] | None:
        """Return the order and the reversals of the axes of *other* that make its voxels match this grid.

        None if none do. Masks are often stored with other axes than their images: the same voxels, with axes exchanged
        or reversed.
        """
        order = tuple(other.names[self.names.index(axis)] for axis in range(3))
        if tuple(other.shape[axis] for axis in order) != self.shape:
            return None
        columns = other.affine[:3, order]
        turns = tuple(bool(columns[:, axis] @ self.affine[:3, axis] < 0) for axis in range(3))
        origin = other.affine[:3, 3].copy()
        for axis, turn in enumerate(turns):
            if turn:
                origin += columns[:, axis] * (self.shape[axis] - 1)
                columns[:, axis] *= -1
        turned = np.column_stack((columns, origin))
        corners = np.array(
            [[*(far * (side - 1) for far, side in zip(one, self.shape, strict=True)), 1] for one in _UNIT]
        )
        apart = np.abs(corners @ (turned - self.affine[:3]).T).max()
        if apart > _ALIKE_MM * float(self.steps.min()) + 1e-3:
            return None
        return (order[0], order[1], order[2]), (turns[0], turns[1], turns[2])


_UNIT = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
