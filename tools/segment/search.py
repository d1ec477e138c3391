"""Where to look for a structure: in a region, or around a seed in windows that grow until it fits into one.

On a real picture one threshold for all of it finds the head, not the tumour; in a small window around a seed the
threshold lies between the tumour and what surrounds it.
"""

from collections.abc import Iterator

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.contour import Cut, Measured
from medvision_agent.tools.segment.detach import detached
from medvision_agent.tools.segment.threshold import Pixel, Structure, Target, segment
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import Grey

__all__ = ["around_seed", "in_region"]

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


def in_region(grey: Grey, target: Target, region: Cut, spacing: Spacing, seed: Pixel | None) -> Measured:
    """Find and measure one structure in a region, cut off what it is attached to if that makes it end within.

    *grey* is the whole slice (h, w). Raises ToolError if there is no structure.
    """
    found = segment(grey, target, region, spacing, seed)
    if not _leaks(found, region, grey):
        return found.measured
    for piece in detached(found, seed):
        if not _leaks(piece, region, grey) and piece.measured.dice >= _GOOD:
            return piece.measured
    return found.measured


def around_seed(grey: Grey, target: Target, within: Cut, spacing: Spacing, seed: Pixel) -> Measured:
    """Find and measure the structure at a seed in the first window it fits into, or else in all of *within*."""
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
    """Yield windows around the seed, square in mm and clipped, as long as they are smaller than *within*."""
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
    """Tell whether a structure takes up enough of the window, in either direction, not to be a speck of noise."""
    box = found.box
    return max(box.width / (window.x1 - window.x0), box.height / (window.y1 - window.y0)) >= _SHARE


def _leaks(found: Structure, region: Cut, grey: Grey) -> bool:
    """Tell whether a structure reaches an edge of the region beyond which the picture goes on."""
    box, (height, width) = found.box, grey.shape
    return (
        (box.x0 <= region.x0 > 0)
        or (box.y0 <= region.y0 > 0)
        or (box.x1 >= region.x1 < width)
        or (box.y1 >= region.y1 < height)
    )
