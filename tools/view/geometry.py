"""Sizes, spacings, points and regions of a 2-D slice.

Frames used everywhere in this package:

* **slice frame**: continuous pixel coordinates, x to the right, y down, origin at the *outer corner* of the
  first pixel. Pixel (row r, column c) covers ``[c, c+1) x [r, r+1)``; its centre is ``(c+0.5, r+0.5)``; the
  slice spans ``0..width`` and ``0..height``.
* **unit frame**: a view's content from 0 to 1 in each direction, x to the right, y down.
* **model frame**: the coordinate convention in which a model gives points (see ``frames.py``).
* **mm**: slice frame times spacing.
"""

import math
from dataclasses import dataclass

__all__ = ["Point", "Region", "Size", "Spacing", "acute_angle_deg", "distance_mm"]

_SLIVER = 0.01


@dataclass(frozen=True, slots=True)
class Size:
    """A height and a width in whole pixels; raises ValueError where a side is below 1."""

    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"size {self.height} x {self.width}: both sides must be at least 1 px")


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres per pixel down (height) and across (width); raises ValueError unless both are finite and positive."""

    height_mm: float
    width_mm: float

    def __post_init__(self) -> None:
        for value in (self.height_mm, self.width_mm):
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f"pixel spacing {value} mm: expected a finite number above 0")


@dataclass(frozen=True, slots=True)
class Point:
    """A point; its frame is documented where it is stored (the slice frame unless stated)."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Region:
    """An axis-aligned rectangle in the slice frame; raises ValueError unless ``x0 < x1`` and ``y0 < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ValueError(
                f"region from ({self.x0}, {self.y0}) to ({self.x1}, {self.y1}): expected x0 < x1 and y0 < y1, so that "
                "it has a width and a height"
            )

    @property
    def width(self) -> float:
        """Extent in x, slice pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Extent in y, slice pixels."""
        return self.y1 - self.y0

    def holds(self, point: Point) -> bool:
        """Return whether a slice point lies within, edges included."""
        return self.x0 <= point.x <= self.x1 and self.y0 <= point.y <= self.y1

    def at(self, u: float, v: float) -> Point:
        """Return the slice point at unit coordinates (u right, v down) of this region."""
        return Point(self.x0 + u * self.width, self.y0 + v * self.height)

    def pixels(self, size: Size) -> tuple[int, int, int, int]:
        """Return ``x0, y0, x1, y1`` (ends exclusive) of the whole pixels of a slice of *size* that the region touches.

        Overlaps below 0.01 px do not count, so that coordinates rounded to six decimals find the same pixels again. At
        least one pixel is returned.
        """
        x0 = min(max(0, math.floor(self.x0 + _SLIVER)), size.width - 1)
        y0 = min(max(0, math.floor(self.y0 + _SLIVER)), size.height - 1)
        x1 = max(x0 + 1, min(size.width, math.ceil(self.x1 - _SLIVER)))
        y1 = max(y0 + 1, min(size.height, math.ceil(self.y1 - _SLIVER)))
        return x0, y0, x1, y1

    def unit(self, point: Point) -> tuple[float, float]:
        """Return the unit coordinates (u right, v down) of a slice point; outside gives values beyond 0..1."""
        return (point.x - self.x0) / self.width, (point.y - self.y0) / self.height


def distance_mm(a: Point, b: Point, spacing: Spacing) -> float:
    """Return the Euclidean distance in mm of two slice points."""
    return math.hypot((b.x - a.x) * spacing.width_mm, (b.y - a.y) * spacing.height_mm)


def acute_angle_deg(a0: Point, a1: Point, b0: Point, b1: Point, spacing: Spacing) -> float:
    """Return the acute angle (0..90 degrees) between line a0-a1 and line b0-b1 in physical space.

    MedVision's definition, ``arccos(|a.b| / (|a||b|))``, computed as ``atan2(|a x b|, |a.b|)``: the same angle,
    but exact near 0 and 90 degrees and never outside the domain. Raises ValueError for a line without length.
    """
    ax, ay = (a1.x - a0.x) * spacing.width_mm, (a1.y - a0.y) * spacing.height_mm
    bx, by = (b1.x - b0.x) * spacing.width_mm, (b1.y - b0.y) * spacing.height_mm
    if (ax == 0 and ay == 0) or (bx == 0 and by == 0):
        raise ValueError("both points of a line are the same, so that it has no direction and no angle to another line")
    return math.degrees(math.atan2(abs(ax * by - ay * bx), abs(ax * bx + ay * by)))
