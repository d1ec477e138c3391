"""Values along a line of a slice: the native pixels that it crosses, and a small plot of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Point, distance_mm
from medvision_agent.tools.view.slice import Slice

__all__ = ["Profile", "plot", "profile_of"]

_SLIVER = 0.01
"""Pixels of a line that are shorter in native pixels are passed over: rounded coordinates find the same pixels."""
_NUDGE = 1e-3
"""A line on the border of two pixels, but for rounding, takes the one right of it or below."""
_PLOT = (160, 320)
_MARGIN = 10
_INK, _PAPER, _AXES = 0, 255, 170


@dataclass(frozen=True, eq=False)
class Profile:
    """The native values of the pixels that a line crosses, in order from its first to its second point."""

    values: NDArray[np.float64]
    """Native values (n,)."""
    positions_mm: NDArray[np.float64]
    """Distance of the middle of each crossing from the first point (n,)."""
    length_mm: float

    def parts(self, most: int) -> list[tuple[float, float]]:
        """Return (position in mm, native value) of each pixel, in order.

        Where there are more than *most* pixels, they are divided into *most* runs, and the means of each run are
        returned.
        """
        count = len(self.values)
        starts = np.unique(np.arange(most) * count // most)  # runs differ by a pixel, evenly along the line
        pixels = np.diff(starts, append=count)
        sums = (np.add.reduceat(column, starts) for column in (self.positions_mm, self.values))
        return [(float(place), float(value)) for place, value in zip(*(one / pixels for one in sums), strict=True)]


def profile_of(image: Slice, a: Point, b: Point) -> Profile:
    """Return the values of the pixels that the line from *a* to *b* crosses; both points lie within the slice."""
    cuts = np.unique(np.concatenate([[0.0, 1.0], _crossings(a.x, b.x), _crossings(a.y, b.y)]))
    steps, middles = np.diff(cuts), (cuts[:-1] + cuts[1:]) / 2
    long = steps * np.hypot(b.x - a.x, b.y - a.y) >= _SLIVER
    if not long.any():
        long = steps == steps.max()
    middles = middles[long]
    columns = np.floor(a.x + middles * (b.x - a.x) + _NUDGE).astype(int).clip(0, image.size.width - 1)
    rows = np.floor(a.y + middles * (b.y - a.y) + _NUDGE).astype(int).clip(0, image.size.height - 1)
    length = distance_mm(a, b, image.spacing)
    return Profile(image.values[rows, columns].astype(np.float64), middles * length, length)


def _crossings(start: float, end: float) -> NDArray[np.float64]:
    """Return the fractions, 0 to 1, of the way from *start* to *end* at which it crosses borders of pixels."""
    low, high = min(start, end), max(start, end)
    borders = np.arange(np.floor(low) + 1, np.ceil(high))
    return (borders - start) / (end - start) if len(borders) else np.empty(0)


def plot(profile: Profile) -> NDArray[np.uint8]:
    """Return a plot (160, 320), in grey, of the values against the position, without numbers.

    The horizontal axis spans the line, the vertical one its smallest to its largest value.
    """
    height, width = _PLOT
    canvas = np.full(_PLOT, _PAPER, np.uint8)
    cv2.rectangle(canvas, (_MARGIN, _MARGIN), (width - 1 - _MARGIN, height - 1 - _MARGIN), _AXES, 1)
    low, high = float(profile.values.min()), float(profile.values.max())
    share = (profile.values - low) / (high - low) if high > low else np.full(len(profile.values), 0.5)
    x = _MARGIN + profile.positions_mm / profile.length_mm * (width - 1 - 2 * _MARGIN)
    y = height - 1 - _MARGIN - share * (height - 1 - 2 * _MARGIN)
    points = np.rint(np.stack([x, y], axis=-1)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [points], False, _INK, 2, cv2.LINE_AA)
    if len(points) == 1:
        cv2.circle(canvas, (int(points[0, 0, 0]), int(points[0, 0, 1])), 2, _INK, -1)
    return canvas
