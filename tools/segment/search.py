"""Where to look for a structure: in a region, or around a seed in windows that grow until it fits into one.

On a real picture one threshold for all of it finds the head, not the tumour; in a small window around a seed the
threshold lies between the tumour and what surrounds it.

A structure is cut off what it is attached to, a nodule off the chest wall, a lesion off a vessel, by a morphological
opening with a growing radius: what is thinner than the radius goes first, and with it the bridge. It works on the
enlarged pixels, which are nearly square in millimetres, by distances; so no kernel has to be built.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.contour import Cut, Mask, Measured, component, filled
from medvision_agent.tools.segment.threshold import Pixel, Structure, Target, deepest, distances, segment
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import FloatImage, Grey

__all__ = ["around_seed", "detached", "in_region"]

_GOOD = 0.8
"""Overlap with its ellipse from which a structure counts as one, not as a piece of something."""
_FIRST = 0.04
"""Half the side of the first window, relative to the longer side of what may be searched."""
_STEP = 1.25
"""Each window relative to the one before."""
_SHARE = 0.4
"""Part of a window's side that a structure takes up at least; a larger one fits into no earlier window anyway."""
_LEAST = 4
"""Native pixels that a window reaches to each side of the seed at least."""
_FIRST_RADIUS_MM = 0.5
"""Smallest radius of an opening, unless enlarged pixels are coarser."""
_RADIUS_STEP = 1.1
"""Each radius relative to the one before."""


def in_region(grey: Grey, target: Target, region: Cut, spacing: Spacing, seed: Pixel | None) -> Measured:
    """Return the measures of one structure in a region, cut from attached tissue if it then ends within the region.

    *grey* is the whole slice (h, w). The structure is that at *seed* (row, column), or else the largest. Raises
    ToolError if there is no structure.
    """
    found = segment(grey, target, region, spacing, seed)
    if not _leaks(found, region, grey):
        return found.measured
    for piece in detached(found, seed):
        if not _leaks(piece, region, grey) and piece.measured.dice >= _GOOD:
            return piece.measured
    return found.measured


def around_seed(grey: Grey, target: Target, within: Cut, spacing: Spacing, seed: Pixel) -> Measured:
    """Return the measures of the structure at *seed*, in the first window that it fits into, or else in *within*.

    *grey* is the whole slice (h, w). Raises ToolError if there is no structure.
    """
    for window in _windows(within, spacing, seed):
        try:
            found = segment(grey, target, window, spacing, seed)
        except ToolError:
            continue
        if _leaks(found, window, grey) or not found.covers(seed) or not _fills(found, window):
            continue
        if found.measured.dice >= _GOOD:
            return found.measured
    return in_region(grey, target, within, spacing, seed)


def _windows(within: Cut, spacing: Spacing, seed: Pixel) -> Iterator[Cut]:
    """Yield growing windows around the seed, square in mm and clipped to *within*, until they would be all of it."""
    width, height = within.x1 - within.x0, within.y1 - within.y0
    half_mm = _FIRST * max(width * spacing.width_mm, height * spacing.height_mm)
    row, column = seed
    window = None
    while window != within:
        across, down = (max(_LEAST, round(half_mm / side)) for side in (spacing.width_mm, spacing.height_mm))
        larger = Cut(column - across, row - down, column + across + 1, row + down + 1).grown(0, within=within)
        if larger not in (window, within):
            yield larger
        window = larger
        half_mm *= _STEP


def _fills(found: Structure, window: Cut) -> bool:
    """Return whether a structure takes up at least 40% of the window's width or height; a smaller one may be noise."""
    box = found.box
    return max(box.width / (window.x1 - window.x0), box.height / (window.y1 - window.y0)) >= _SHARE


def _leaks(found: Structure, region: Cut, grey: Grey) -> bool:
    """Return whether a structure reaches an edge of the region beyond which the image continues."""
    box, (height, width) = found.box, grey.shape
    return (
        (box.x0 <= region.x0 > 0)
        or (box.y0 <= region.y0 > 0)
        or (box.x1 >= region.x1 < width)
        or (box.y1 >= region.y1 < height)
    )


def detached(whole: Structure, seed: Pixel | None) -> Iterator[Structure]:
    """Yield the structure opened by one growing radius after the other, with holes filled, until nothing remains.

    Of several pieces, that at the seed is yielded; without a seed, the one around the largest circle that fits into
    structure and region. Beyond the region the structure is assumed to continue: its edge there is not rounded off.
    """
    mask = filled(whole.mask)
    start = deepest(mask) if seed is None else whole.at(seed)
    if mask.all() or not (0 <= start[0] < mask.shape[0] and 0 <= start[1] < mask.shape[1]):
        return
    across, down = whole.cut.factors(whole.spacing)
    pixel_mm = max(whole.spacing.width_mm / across, whole.spacing.height_mm / down)
    depth = distances(mask)
    radius = max(1.0, _FIRST_RADIUS_MM / pixel_mm)
    while (piece := _opened(mask, depth, start, radius)) is not None:
        yield replace(whole, mask=piece)
        radius *= _RADIUS_STEP


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
    piece = np.asarray((distances(~kept) <= radius) & mask, np.bool_)
    return component(piece, start) if piece[start] else None
