"""Ellipses in the plane of the slice, in millimetres, fitted to a contour."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MmEllipse", "Points", "fit_oval"]

Points = NDArray[np.float64]
"""Points x, y in rows, shape (n, 2)."""

_LONGEST = 1.1
"""Longest major axis of a fit, relative to the largest distance of two contour points; an ellipse's own is 1."""
_SURELY = 0.999
"""What is left of a distance when the rounding of another way to work it out is taken off."""


@dataclass(frozen=True, slots=True)
class MmEllipse:
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
        """Return for each point (n, 2), in mm, whether it lies inside the ellipse."""
        x, y = (points - self.center).T
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along, across = (x * cos + y * sin) / self.semi[0], (y * cos - x * sin) / self.semi[1]
        return np.asarray(along * along + across * across <= 1.0, np.bool_)

    def dice(self, inside: Points, pixel: NDArray[np.float64]) -> float:
        """Return the overlap (Dice, 0 to 1) of the ellipse with a shape.

        The shape is given by its pixel centres *inside* (n, 2) and the width and height of a *pixel*, all in mm.
        """
        shape, common = (float(count * pixel.prod()) for count in (len(inside), np.count_nonzero(self.covers(inside))))
        return min(1.0, 2 * common / (shape + self.area))


def fit_oval(contour: Points, inside: Points, pixel: NDArray[np.float64]) -> MmEllipse:
    """Return the ellipse that describes a shape, in mm: the better of a fit to its contour and one to its inside.

    *contour* are points on its edge and *inside* the centres of its pixels, (n, 2); *pixel* is the width and height of
    one pixel. The first fit is by least squares, the second has the same second moments as the inside: a contour far
    from any ellipse (a hook, a star) can have a least-squares fit far longer than itself.
    """
    moments = _same_moments(inside, pixel)
    fitted = _least_squares(contour)
    if fitted is None or _is_too_long(2 * fitted.semi[0], contour):
        return moments
    return fitted if fitted.dice(inside, pixel) >= moments.dice(inside, pixel) else moments


def _least_squares(contour: Points) -> MmEllipse | None:
    """Return OpenCV's ellipse of a contour in mm; None where an axis has length 0 or a number is not finite."""
    middle = contour.mean(axis=0)
    (x, y), (width, height), degrees = cv2.fitEllipse((contour - middle).astype(np.float32))
    if height < width:  # OpenCV turns its box so that the height is the longer side; do not rely on it
        width, height, degrees = height, width, degrees + 90.0
    if not all(map(math.isfinite, (x, y, width, height, degrees))) or width <= 0:
        return None
    center = (float(middle[0] + x), float(middle[1] + y))
    return MmEllipse(center, (height / 2, width / 2), math.radians(degrees + 90.0))


def _is_too_long(length: float, contour: Points) -> bool:
    """Return whether a major axis of *length* mm is over 1.1 times the largest distance of two contour points."""
    # The point farthest from the middle has one nearly as far from it as any two are: as a rule that settles it.
    corner = contour[np.square(contour - contour.mean(axis=0)).sum(axis=1).argmax()]
    far = math.sqrt(float(np.square(contour - corner).sum(axis=1).max()))
    return length > _LONGEST * _SURELY * far and length > _LONGEST * _diameter(contour)


def _diameter(contour: Points) -> float:
    """Return the largest distance of two points of a contour, in mm."""
    middle = contour.mean(axis=0)
    hull = cv2.convexHull((contour - middle).astype(np.float32)).reshape(-1, 2)
    return float(np.hypot(*(hull[:, None] - hull[None]).T).max())


def _same_moments(points: Points, pixel: NDArray[np.float64]) -> MmEllipse:
    """Return the ellipse in mm with the second moments of a shape, given by its pixel centres and a pixel's sides."""
    center = points.mean(axis=0)
    # A uniform ellipse has a variance of a quarter of its squared semi-axis, a pixel a twelfth of its squared side.
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True) + np.diag(pixel**2 / 12))
    minor, major = 2.0 * np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return MmEllipse(
        (float(center[0]), float(center[1])), (float(major), float(minor)), math.atan2(vectors[1, 1], vectors[0, 1])
    )
