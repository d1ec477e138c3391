"""Ellipses in the plane of the slice, in millimetres, fitted to a contour."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Oval", "Points", "fit_oval"]

Points = NDArray[np.float64]
"""Points x, y in rows, shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Oval:
    """An ellipse in mm: its centre, semi-axes (major first) and the major axis's angle to x in radians."""

    center: tuple[float, float]
    semi: tuple[float, float]
    angle: float

    @property
    def area(self) -> float:
        """Area in mm2."""
        return math.pi * self.semi[0] * self.semi[1]

    def axis(self, which: int) -> Points:
        """Return the two end points of the major (0) or minor (1) axis, (2, 2)."""
        angle = self.angle + which * math.pi / 2
        arm = np.array((math.cos(angle), math.sin(angle))) * self.semi[which]
        return np.stack((self.center - arm, self.center + arm))

    def covers(self, points: Points) -> NDArray[np.bool_]:
        """Tell for each point (n, 2) whether it lies inside."""
        x, y = (points - self.center).T
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along, across = (x * cos + y * sin) / self.semi[0], (y * cos - x * sin) / self.semi[1]
        return np.asarray(along * along + across * across <= 1.0, np.bool_)


def fit_oval(contour: Points, inside: Points) -> Oval:
    """Return the least-squares ellipse of *contour* points, given the points *inside* of the shape too.

    A contour far from any ellipse (a hook, a star) can have a fit larger than the shape itself; then the ellipse
    with the same second moments as the inside is returned.
    """
    middle = contour.mean(axis=0)
    (x, y), (width, height), degrees = cv2.fitEllipse((contour - middle).astype(np.float32))
    if height < width:  # OpenCV turns its box so that the height is the longer side; do not rely on it
        width, height, degrees = height, width, degrees + 90.0
    fitted = Oval((float(middle[0] + x), float(middle[1] + y)), (height / 2, width / 2), math.radians(degrees + 90.0))
    extent = float(np.hypot(*np.ptp(contour, axis=0)))
    if all(map(math.isfinite, (x, y, width, height, degrees))) and width > 0 and height <= 1.5 * extent:
        return fitted
    return _same_moments(inside)


def _same_moments(points: Points) -> Oval:
    center = points.mean(axis=0)
    # A uniform ellipse has a variance of a quarter of its squared semi-axis.
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    minor, major = 2.0 * np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return Oval(
        (float(center[0]), float(center[1])), (float(major), float(minor)), math.atan2(vectors[1, 1], vectors[0, 1])
    )
