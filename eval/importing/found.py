"""The results of reading a user's files: images, and possible questions about them.

Nothing that is written holds the name of a file or a person: an image is named by its number (``image-3``), a person
by a pseudonym. Paths appear only in messages on the user's own terminal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.grid import PLANES, Cut, Grid
from medvision_agent.eval.tasks import TaskName
from medvision_agent.tools.view.geometry import Point, Spacing

__all__ = ["Question", "Scan"]


@dataclass(eq=False, kw_only=True)
class Scan:
    """One image that was read: a volume, which is cut into planes, or a single 2-D image."""

    path: Path
    """The file, or the folder's first file; shown on the user's terminal, never written."""
    person: str
    """The person it shows, as the files state; replaced by a pseudonym in everything written. Empty where unknown."""
    values: NDArray[Any]
    """Native values: (i, j, k) of a volume, (h, w, 1) of a picture."""
    displayed: bool = False
    """Whether the values are grey levels as displayed."""
    hu: bool = False
    grid: Grid | None = None
    """Its position in the patient; None for a 2-D image."""
    spacing: Spacing | None = None
    """Pixel size of a 2-D image; None where nothing states it."""
    modality: str = ""
    plane: str = ""
    """Plane of a 2-D image, where it is stated."""
    usual: str = ""
    """The plane in which a volume is cut by default; empty: across its longest step."""
    description: str = ""
    notes: tuple[str, ...] = ()
    """Notes for readers of a sample about its image, such as the window in the header."""
    aliases: tuple[str, ...] = ()
    """The names that tables may use for it."""
    thickness_mm: float = 0.0
    """Slice thickness in mm, as the header states it; 0 where it does not."""
    slices: Mapping[Path, int] = field(default_factory=dict)
    """The files of a series, with the index of each one's slice."""
    members: Mapping[str, int] = field(default_factory=dict)
    """The names that mean one slice of it, with its index."""
    tag: str = ""
    """``image-N``, the name of the image in everything that is written."""

    def cut(self, plane: str) -> Cut:
        """Return how planes are cut from the image.

        *plane* names one (axial, coronal, sagittal), empty: the default plane. Raises DataError if a volume has no such
        plane, or its axes lie half-way between two planes or are sheared.
        """
        if self.grid is None:
            size = self.spacing or Spacing(1.0, 1.0)
            return Cut(plane or self.plane or "unknown", 2, 0, 1, (False, False), size, 0.0, 0.0)
        if plane and plane not in PLANES:
            raise DataError(f"--plane {plane}: volumes are cut into {', '.join(PLANES)} slices; give one of these")
        return self.grid.cut(plane or self.usual or self.grid.usual_plane())

    def place(self, cut: Cut, index: int, x: float, y: float) -> Point:
        """Return where a point of the stored pixels lies in the image of a plane: slice frame, in pixels.

        x runs along the first of the two array axes that remain, y along the second: columns and rows of a DICOM image.
        Both are in pixels from the outer corner of the first pixel.
        """
        if self.grid is None:
            return Point(x, y)
        first, second = sorted((cut.down, cut.across))
        voxel = np.zeros(3)
        voxel[[first, second, cut.axis]] = x - 0.5, y - 0.5, index
        return cut.point(voxel, self.values.shape)

    def picture(self, cut: Cut, index: int) -> NDArray[np.float32]:
        """Return the native values of plane *index* of a cut, (height, width)."""
        return np.ascontiguousarray(cut.picture(self.values, index), np.float32)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A possible question about one plane of an image, with its ground truth in the slice frame."""

    task: TaskName
    index: int
    """The plane along the cut."""
    label: str = ""
    landmarks: tuple[str, ...] = ()
    measurement: str = ""
    target: tuple[float, ...]
    points: tuple[tuple[str, Point], ...] = ()
    derived: bool = False
    """Whether the ground truth was derived from a mask."""
    annotator: str = ""
    plane: str = ""
    """The plane in which the image is cut; empty: the chosen plane, or the default."""
