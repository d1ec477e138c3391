"""Shapes that a tool found and drew, for readers of a stored run; the model never gets them.

Points are in the slice frame. An outline is simplified to a twentieth of a pixel, so that a trace stays small. If it
would then have more than MOST points, this tolerance is doubled until it has not. No point of a smooth outline lies
farther from the simplified one than the tolerance; a point of a jagged one, at most 1.71 times as far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Point, Region

__all__ = ["MOST", "Drawn"]

MOST = 256
"""Points of a stored outline at most."""
_OFF = 0.05
"""Tolerance of the simplification, in pixels of the slice, if MOST points are enough.

OpenCV first keeps points so that all others lie within the tolerance of the line between them. It then leaves out each
kept point that lies within sqrt(0.5) of the tolerance of the line between its neighbours, but never two in a row: the
farthest point is therefore within 1 + sqrt(0.5) tolerances.
"""
_FARTHEST = 1e6
"""Pixels from the origin at most."""
_COUNT = {"box": 2, "ellipse": 4}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One shape in the slice frame: opposite corners of a box, the ends of an ellipse's axes, or a closed outline.

    Raises ValueError for a wrong number of points, and for coordinates that are not finite or far outside.
    """

    kind: Literal["box", "ellipse", "outline"]
    points: tuple[tuple[float, float], ...]
    """x and y of each point, in the slice frame."""

    def __post_init__(self) -> None:
        count = len(self.points)
        if count != _COUNT.get(self.kind, max(3, min(count, MOST))):
            expected = _COUNT.get(self.kind, f"3 to {MOST}")
            raise ValueError(f"Drawn shape of the kind {self.kind}: expected {expected} points, found {count}")
        if not all(abs(value) <= _FARTHEST for point in self.points for value in point):
            raise ValueError(
                f"Drawn shape of the kind {self.kind}: every coordinate must be a number from -1000000 to 1000000 "
                "(pixels of the slice)"
            )

    @classmethod
    def box(cls, region: Region) -> Self:
        """Return the shape of a box with the edges of *region*."""
        return cls("box", ((region.x0, region.y0), (region.x1, region.y1)))

    @classmethod
    def ellipse(cls, major: Sequence[Point], minor: Sequence[Point]) -> Self:
        """Return the shape of an ellipse, given by the two ends of each axis in the slice frame."""
        return cls("ellipse", tuple((point.x, point.y) for point in (*major, *minor)))

    @classmethod
    def outline(cls, points: NDArray[np.float64]) -> Self:
        """Return a simplified closed outline (n, 2); raises ValueError where the points do not form one."""
        ring, off = np.asarray(points, np.float64), _OFF
        if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3 or not (np.abs(ring) <= _FARTHEST).all():
            raise ValueError(
                f"Drawn.outline: expected an array of shape (n, 2) with at least 3 points within a million pixels, got "
                f"shape {ring.shape}"
            )
        middle = ring.mean(axis=0)
        kept = ring
        while len(kept) > MOST or off == _OFF:
            found = cv2.approxPolyDP((ring - middle).astype(np.float32).reshape(-1, 1, 2), off, closed=True)
            kept, off = found.reshape(-1, 2) + middle, 2 * off
        if len(kept) < 3:  # thinner than what is left out
            kept = ring[:: max(1, len(ring) // 3)][:3]
        return cls("outline", tuple((round(float(x), 3), round(float(y), 3)) for x, y in kept))
