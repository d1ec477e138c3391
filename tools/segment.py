"""Finding a bright or dark structure in a grey picture, and its edge at sub-pixel accuracy.

The threshold is Otsu's at first, to find the structure; then half-way between what lies inside it and what lies just
outside it, because the true edge of a blurred or partly filled border pixel is at half height.
"""

import cv2
import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.contour import Cut, Mask, Measured, component, measure_enlarged
from medvision_agent.tools.geometry import Spacing
from medvision_agent.tools.slice import FloatImage, Grey

__all__ = ["find_structure"]

_ROUNDS = 4
"""How often the threshold is set anew from the mask it made; two or three rounds settle it."""
_MARGIN = 3
"""Native pixels around the structure: what 'just outside' means, and what is enlarged."""


def find_structure(picture: Grey, region: Cut, spacing: Spacing, seed: tuple[int, int] | None) -> Measured:
    """Find and measure one bright structure within a region of a *picture* (h, w) of a whole slice.

    *seed* is a pixel (row, column) of the region that lies in it; without one the largest is taken. Nothing outside
    the region is looked at. Raises ToolError if there is no such structure.
    """
    bright = region.of(picture)
    if bright.min() == bright.max():
        raise ToolError("nothing found: all pixels of the region have the same grey level")
    level, _ = cv2.threshold(bright, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    image = bright.astype(np.float32)
    mask = _chosen(image > level, seed and (seed[0] - region.y0, seed[1] - region.x0))
    if not mask.any():
        raise ToolError("nothing found: the seed does not lie on the target; move it, or give a tighter region")
    anchor = _deepest(mask)
    for _ in range(_ROUNDS):
        settled = _half_height(image, mask)
        if settled is None or image[anchor] <= settled:
            break
        level, mask = settled, component(image > settled, anchor)
    tight = Cut.around(mask)
    x, y = region.x0, region.y0
    cut = Cut(tight.x0 + x, tight.y0 + y, tight.x1 + x, tight.y1 + y).grown(_MARGIN, within=region)
    across, down = cut.factors(spacing)
    enlarged = cut.enlarge(cut.of(picture).astype(np.float32), spacing) > level
    row, column = anchor[0] + y - cut.y0, anchor[1] + x - cut.x0
    center = row * down + down // 2, column * across + across // 2
    # Of a structure one pixel wide, interpolation may lower even the middle below the level.
    return measure_enlarged(component(enlarged, center if enlarged[center] else None), cut, spacing)


def _chosen(mask: Mask, seed: tuple[int, int] | None) -> Mask:
    """Return the component at the seed, or the one around it if it lies in a hole, or the largest without a seed."""
    chosen = component(mask, seed)
    if seed is None or chosen.any():
        return chosen
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0
    return component(mask & component(np.asarray(filled, np.bool_), seed))


def _deepest(mask: Mask) -> tuple[int, int]:
    """Return the pixel (row, column) farthest from the edge, where a noisy edge cannot reach."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = divmod(int(np.argmax(depth)), mask.shape[1])
    return row, column


def _half_height(image: FloatImage, mask: Mask) -> float | None:
    """Return the level half-way between the inside and a ring just outside, or None where they do not differ."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    shape = mask.astype(np.uint8)
    core = cv2.erode(shape, cross) > 0
    ring = (cv2.dilate(shape, cross, iterations=1 + _MARGIN) > 0) & (cv2.dilate(shape, cross) == 0)
    if not ring.any():
        return None
    inside, outside = float(np.median(image[core if core.any() else mask])), float(np.median(image[ring]))
    return (inside + outside) / 2 if inside > outside else None
