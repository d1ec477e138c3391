"""Boxes, contours, ellipses and areas of shapes, measured at their true edges.

A raw ``cv2.findContours`` runs through the *centres* of border pixels and makes every length about one pixel too
short. Here a contour is taken on an enlarged image and set between the outermost pixels inside and the first ones
outside, so it lies on the edge itself. Ellipses are fitted in millimetres, to points at equal steps along the
contour, so that neither anisotropic pixels nor uneven sampling pull them. Everything returned is in the slice frame.
"""

import math
from dataclasses import dataclass
from typing import Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.segment.ellipse import MmEllipse, Points, fit_oval
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing

__all__ = [
    "Cut",
    "Ellipse",
    "Mask",
    "Measured",
    "component",
    "filled",
    "measure_enlarged",
    "measure_mask",
    "measure_outline",
]

Mask = NDArray[np.bool_]
"""Inside or outside, shape (height, width)."""

Scalar = TypeVar("Scalar", bound=np.generic)

_BUDGET = 1_000_000
"""Most pixels of an enlarged cut, but for rounding (below twice that); a larger one is not enlarged at all."""
_FINENESS = 8
"""Enlarged pixels per native pixel along the axis of the finer spacing."""
_GRID = 96
"""Rows and columns by which the inside of an outline is compared with its ellipse."""
_FINER = 5
"""Rows and columns of an outline's drawing for each of the grid; odd, so that a cell has a middle."""
_SHIFT = 4
"""Fractional bits of a position handed to OpenCV."""
_LEAST = 1e-9
"""Least area of what an outline surrounds, in native pixels."""
_SAMPLES = 512
"""Points at equal steps along a contour that an ellipse is fitted to."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse: full axis lengths in mm; centre and the end points of the axes in the slice frame."""

    center: Point
    major_mm: float
    minor_mm: float
    major: tuple[Point, Point]
    minor: tuple[Point, Point]


@dataclass(frozen=True, eq=False)
class Measured:
    """The measures of a shape in the slice frame: its box (true pixel edges), fitted ellipse and area."""

    box: Region
    ellipse: Ellipse
    area_mm2: float
    dice: float
    """Overlap of the ellipse and the shape, 0..1."""
    outline: Points
    """The contour in the slice frame, (n, 2)."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A rectangle of whole native pixels, ``x0 <= x < x1`` and ``y0 <= y < y1``, that is looked at enlarged."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, mask: Mask) -> Self:
        """Return the smallest cut that holds all pixels inside; raises ValueError if there are none."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            raise ValueError("the mask is empty: it has no pixels inside, so there is no shape to measure")
        return cls(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    def grown(self, margin: int, within: Self) -> Self:
        """Return this cut with a margin of native pixels on each side, as far as it lies within another cut."""
        return type(self)(
            max(within.x0, self.x0 - margin),
            max(within.y0, self.y0 - margin),
            min(within.x1, self.x1 + margin),
            min(within.y1, self.y1 + margin),
        )

    def of(self, image: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return the pixels of *image* (the whole slice) that lie in this cut, as a new array."""
        return np.ascontiguousarray(image[self.y0 : self.y1, self.x0 : self.x1])

    def factors(self, spacing: Spacing) -> tuple[int, int]:
        """Return the enlargement (across, down), whole factors that make the pixels fine and nearly square in mm.

        The enlarged cut has at most about a million pixels, unless the cut has more itself.
        """
        field = (self.x1 - self.x0) * spacing.width_mm * (self.y1 - self.y0) * spacing.height_mm
        step = max(min(spacing.height_mm, spacing.width_mm) / _FINENESS, math.sqrt(field / _BUDGET))
        # Where pixels are so flat that the longer side is not divided at all, the other one must not take its share.
        most = max(1, _BUDGET // ((self.x1 - self.x0) * (self.y1 - self.y0)))
        across, down = (round(side / step) for side in (spacing.width_mm, spacing.height_mm))
        return min(max(1, across), most), min(max(1, down), most)

    def enlarge(self, pixels: NDArray[np.float32], spacing: Spacing) -> NDArray[np.float32]:
        """Return the native *pixels* of this cut enlarged by ``factors``, bicubic, pixel-centre aligned."""
        across, down = self.factors(spacing)
        size = (pixels.shape[1] * across, pixels.shape[0] * down)
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.float32)

    def box(self, mask: Mask, spacing: Spacing) -> Region:
        """Return the box of all True pixels of *mask*, which is on the enlarged cut, in the slice frame."""
        across, down = self.factors(spacing)
        tight, x, y = self.around(mask), self.x0, self.y0
        return Region(x + tight.x0 / across, y + tight.y0 / down, x + tight.x1 / across, y + tight.y1 / down)


def component(mask: Mask, at: tuple[int, int] | None = None) -> Mask:
    """Return the 4-connected component that holds the pixel *at* (row, column), or the largest where *at* is None.

    All False where that pixel is False, or the mask is empty.
    """
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if at is not None:
        label = int(labels[at])
    else:
        label = int(np.argmax(statistics[1:, cv2.CC_STAT_AREA])) + 1 if len(statistics) > 1 else 0
    return np.asarray((labels == label) & (label > 0), np.bool_)


def filled(mask: Mask) -> Mask:
    """Return the mask with its holes filled."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    drawn = cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, cv2.FILLED)
    return np.asarray(drawn > 0, np.bool_)


def measure_mask(mask: Mask, spacing: Spacing) -> Measured:
    """Return the measures of a binary mask (H, W) of a slice; raises ValueError if it is empty.

    Box and area are those of all its pixels, exactly. Outline and ellipse are those of its largest component with holes
    filled; a stair of pixels is read as the slanted edge it stands for.
    """
    tight = Cut.around(mask)
    cut = Cut(tight.x0 - 1, tight.y0 - 1, tight.x1 + 1, tight.y1 + 1)
    padded = np.pad(tight.of(mask), 1)
    enlarged = cut.enlarge(padded.astype(np.float32), spacing) >= 0.5
    found = measure_enlarged(component(enlarged), cut, spacing)
    area = float(np.count_nonzero(mask)) * spacing.height_mm * spacing.width_mm
    box = Region(tight.x0, tight.y0, tight.x1, tight.y1)
    return Measured(box, found.ellipse, area, found.dice, found.outline)


def measure_enlarged(mask: Mask, cut: Cut, spacing: Spacing) -> Measured:
    """Return the measures of one component, a mask on the enlarged *cut*; holes are filled for ellipse and area.

    *spacing* is mm per native pixel of the slice.
    """
    native = np.array((spacing.width_mm, spacing.height_mm))
    fine = native / cut.factors(spacing)
    corner = np.array((cut.x0, cut.y0)) * native
    pixels = _contour(mask), _contour(_grown(np.pad(mask, 1))) - 1.0
    inner, outer = ((ring + 0.5) * fine + corner for ring in pixels)
    inside = (np.argwhere(filled(mask))[:, ::-1] + 0.5) * fine + corner
    # The edge lies half-way between the last pixels inside and the first outside: fit both rings at once.
    oval = fit_oval(np.concatenate((_even(inner), _even(outer))), inside, fine)
    area = len(inside) * float(fine.prod())
    return Measured(cut.box(mask, spacing), _ellipse(oval, native), area, oval.dice(inside, fine), inner / native)


def measure_outline(points: Points, size: Size, spacing: Spacing) -> Measured:
    """Return the measures of what a closed outline, *points* (n, 2) in the slice frame, surrounds within the slice.

    Raises ValueError where that is nothing: an outline beside the slice, a line, or one whose halves cancel out.
    """
    native = np.array((spacing.width_mm, spacing.height_mm))
    outline = np.clip(points, 0.0, (size.width, size.height))
    corner, extent = outline.min(axis=0), np.maximum(np.ptp(outline, axis=0), 1e-3)
    step = extent / _GRID
    # OpenCV also fills every pixel that the outline crosses: drawn finer, the centres of cells are told almost exactly.
    fixed = np.rint(((outline - corner) / step * _FINER - 0.5) * (1 << _SHIFT)).astype(np.int32)
    fine_grid = np.zeros((_GRID * _FINER, _GRID * _FINER), np.uint8)
    drawn = cv2.fillPoly(fine_grid, [fixed], 1, lineType=cv2.LINE_8, shift=_SHIFT)[
        _FINER // 2 :: _FINER, _FINER // 2 :: _FINER
    ]
    inside = ((np.argwhere(drawn)[:, ::-1] + 0.5) * step + corner) * native
    fine = step * native
    x, y = ((outline - corner) * native).T
    area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    if not len(inside) or area < _LEAST * spacing.height_mm * spacing.width_mm:
        raise ValueError(
            f"the outline encloses no area within the slice of {size.width} x {size.height} pixels: it lies beside the "
            "slice, is a line, or crosses itself so that its parts cancel out"
        )
    oval = fit_oval(_even(outline * native), inside, fine)
    box = Region(*(float(edge) for edge in (*corner, *(corner + extent))))
    return Measured(box, _ellipse(oval, native), area, oval.dice(inside, fine), outline)


def _ellipse(oval: MmEllipse, native: NDArray[np.float64]) -> Ellipse:
    """Return an ellipse given in mm with its points in the slice frame; *native* is mm per pixel across and down."""
    major, minor = ([Point(x, y) for x, y in (oval.axis(which) / native).tolist()] for which in (0, 1))
    x, y = (np.array(oval.center) / native).tolist()
    return Ellipse(Point(x, y), 2 * oval.semi[0], 2 * oval.semi[1], (major[0], major[1]), (minor[0], minor[1]))


def _grown(mask: Mask) -> Mask:
    """Return the mask grown by one pixel up, down, left and right."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), cross) > 0, np.bool_)


def _contour(mask: Mask) -> Points:
    """Return x and y, (n, 2), of every pixel along the longest outer contour, as indices of pixel centres."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(contours, key=len), np.float64).reshape(-1, 2)


def _even(ring: Points) -> Points:
    """Return _SAMPLES points at equal steps along a closed ring of points (n, 2)."""
    closed = np.concatenate((ring, ring[:1]))
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))))
    at = np.linspace(0.0, along[-1], _SAMPLES, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)
