"""Finding a bright or dark structure in a grey picture, and its edge at sub-pixel accuracy.

The threshold is Otsu's at first, to find the structure; then half-way between what lies inside it and what lies just
outside it, because the true edge of a blurred or partly filled border pixel is at half height.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.contour import Cut, Mask, Measured, component, filled, measure_enlarged
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.slice import FloatImage, Grey

__all__ = ["Pixel", "Structure", "Target", "deepest", "distances", "segment"]

Target = Literal["bright", "dark"]
"""Brighter or darker than what surrounds it."""
Pixel = tuple[int, int]
"""A native pixel of the slice: row, column."""

_ROUNDS = 4
"""How often the threshold is set anew from the mask it made; two or three rounds settle it."""
_MARGIN = 3
"""Native pixels around the structure: what 'just outside' means, and what is enlarged."""


@dataclass(frozen=True, eq=False)
class Structure:
    """One connected shape, as a mask on the enlarged pixels of a part of a slice."""

    mask: Mask
    """Inside or outside, on the enlarged pixels of the cut; not empty."""
    cut: Cut
    spacing: Spacing
    """Millimetres per native pixel."""

    @cached_property
    def measured(self) -> Measured:
        """Box, ellipse, area and outline in the slice frame."""
        return measure_enlarged(self.mask, self.cut, self.spacing)

    @property
    def box(self) -> Region:
        """The box in the slice frame."""
        return self.cut.box(self.mask, self.spacing)

    def covers(self, pixel: Pixel) -> bool:
        """Return whether the middle of a native pixel lies inside, or in a hole."""
        row, column = self.at(pixel)
        height, width = self.mask.shape
        return 0 <= row < height and 0 <= column < width and bool(filled(self.mask)[row, column])

    def at(self, pixel: Pixel) -> Pixel:
        """Return row and column, in the mask, of the middle of a native pixel; they may lie outside the mask."""
        across, down = self.cut.factors(self.spacing)
        return (pixel[0] - self.cut.y0) * down + down // 2, (pixel[1] - self.cut.x0) * across + across // 2


def segment(grey: Grey, target: Target, region: Cut, spacing: Spacing, seed: Pixel | None) -> Structure:
    """Return the structure, bright or dark, within a region of the grey levels (h, w) of a whole slice.

    With *seed*, a pixel of the region, it is the structure at that pixel, or around it; without one the largest.
    Nothing outside the region is looked at. Raises ToolError if there is no such structure.
    """
    picture = grey if target == "bright" else 255 - grey
    bright = region.of(picture)
    if bright.min() == bright.max():
        raise ToolError("nothing found: all pixels of the region have the same grey level", about_image=True)
    level, _ = cv2.threshold(bright, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    image = bright.astype(np.float32)
    mask = _chosen(image > level, seed and (seed[0] - region.y0, seed[1] - region.x0))
    if not mask.any():
        hint = "move it, or give a tighter region"
        raise ToolError(f"nothing found: the seed is not on a {target} structure; {hint}", about_image=True)
    anchor = deepest(mask)
    for _ in range(_ROUNDS):
        settled = _half_height(image, mask)
        if settled is None or image[anchor] <= settled:
            break
        level, mask = settled, component(image > settled, anchor)
    tight = Cut.around(mask)
    x, y = region.x0, region.y0
    cut = Cut(tight.x0 + x, tight.y0 + y, tight.x1 + x, tight.y1 + y).grown(_MARGIN, within=region)
    enlarged = cut.enlarge(cut.of(picture).astype(np.float32), spacing) > level
    center = Structure(enlarged, cut, spacing).at((anchor[0] + y, anchor[1] + x))
    # Of a structure one pixel wide, interpolation may lower even the middle below the level.
    return Structure(component(enlarged, center if enlarged[center] else None), cut, spacing)


def _chosen(mask: Mask, seed: Pixel | None) -> Mask:
    """Return the component at the seed, or the one around it if it lies in a hole, or the largest without a seed.

    What reaches the border of the searched region is no structure with a hole but the background of one.
    """
    chosen = component(mask, seed)
    if seed is None or chosen.any():
        return chosen
    around = component(mask & component(filled(mask), seed))
    reaches = around[[0, -1]].any() or around[:, [0, -1]].any()
    return np.zeros_like(mask) if reaches else around


def deepest(mask: Mask) -> tuple[int, int]:
    """Return the pixel (row, column) of a mask that is farthest from its edge; beyond the mask's array is outside."""
    depth = distances(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = divmod(int(np.argmax(depth)), mask.shape[1])
    return row, column


def distances(mask: Mask) -> FloatImage:
    """Return for each True pixel the distance, in pixels, to the nearest False one; the border is not an edge."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _half_height(image: FloatImage, mask: Mask) -> float | None:
    """Return the grey level half-way between the medians inside *mask* and in a ring just outside it.

    None where the mask leaves no room for a ring, or the inside is not brighter than the ring.
    """
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    shape = mask.astype(np.uint8)
    core = cv2.erode(shape, cross) > 0
    ring = (cv2.dilate(shape, cross, iterations=1 + _MARGIN) > 0) & (cv2.dilate(shape, cross) == 0)
    if not ring.any():
        return None
    inside, outside = float(np.median(image[core if core.any() else mask])), float(np.median(image[ring]))
    return (inside + outside) / 2 if inside > outside else None
