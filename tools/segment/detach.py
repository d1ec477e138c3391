"""Cutting a structure off what it is attached to: a nodule off the chest wall, a lesion off a vessel.

A morphological opening by a growing radius: what is thinner than the radius goes first, and with it the bridge. It
works on the enlarged pixels, which are nearly square in millimetres, by distances; so no kernel has to be built.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from medvision_agent.tools.segment.contour import Mask, component
from medvision_agent.tools.segment.threshold import Pixel, Structure, deepest, filled
from medvision_agent.tools.view.slice import FloatImage

__all__ = ["detached"]

_FIRST_MM = 0.5
"""Smallest radius tried, unless enlarged pixels are coarser."""
_STEP = 1.1
"""Each radius relative to the one before."""


def detached(whole: Structure, seed: Pixel | None) -> Iterator[Structure]:
    """Yield what is left of a structure when opened by one radius after the other, until nothing is; holes filled.

    Of several pieces the one at the seed is kept; without a seed, the one around the largest circle that fits into
    structure and region. Beyond the region the structure is taken to go on: an edge there is nothing to round off.
    """
    mask = filled(whole.mask)
    start = deepest(mask) if seed is None else whole.at(seed)
    if mask.all() or not (0 <= start[0] < mask.shape[0] and 0 <= start[1] < mask.shape[1]):
        return
    across, down = whole.cut.factors(whole.spacing)
    pixel_mm = max(whole.spacing.width_mm / across, whole.spacing.height_mm / down)
    depth = _distance(mask)
    radius = max(1.0, _FIRST_MM / pixel_mm)
    while (piece := _opened(mask, depth, start, radius)) is not None:
        yield replace(whole, mask=piece)
        radius *= _STEP


def _opened(mask: Mask, depth: FloatImage, start: Pixel, radius: float) -> Mask | None:
    """Return the piece of *mask* opened by *radius* (enlarged pixels) that covers *start*, or None if none does."""
    row, column = start
    reach = math.ceil(radius)
    top, left = max(0, row - reach), max(0, column - reach)
    core = np.argwhere(depth[top : row + reach + 1, left : column + reach + 1] > radius)
    if len(core) == 0:
        return None
    nearest = core[np.argmin(np.square(core - (row - top, column - left)).sum(axis=1))]
    kept = component(depth > radius, (top + int(nearest[0]), left + int(nearest[1])))
    # Only within the radius: what was opened away must not grow back through the bridge.
    piece = np.asarray((_distance(~kept) <= radius) & mask, np.bool_)
    return component(piece, start) if piece[start] else None


def _distance(mask: Mask) -> FloatImage:
    """Return for each pixel inside how far the nearest one outside is; beyond the picture nothing is outside."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
