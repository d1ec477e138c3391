"""Draws a tool's measurement on a copy of a view: thin, legible lines that do not cover the measured structure.

The copy has the proportions of the pixels sent, and its longer side has the length at which the model perceives the
view: what is drawn is then neither enlarged nor reduced on its way to the encoder. It is at least SMALLEST pixels, or
lines would cover what lies under them on a picture of 32 pixels, and at most LARGEST, the size to which crops are
bounded too. Coordinates of the view hold on the copy; where it is larger or smaller than the view as perceived, its
caption says that they are those of the view.

A line is thin, with a dark rim that makes it visible on any grey. The ends of a measured line stay free: the line
stops short of them, and two ticks stand beside each.
"""

import math
from collections.abc import Sequence
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Point, Region, Size
from medvision_agent.tools.view.lettering import put_text, text_size
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import View

__all__ = ["CYAN", "GREEN", "LARGEST", "SMALLEST", "YELLOW", "Overlay", "drawn_size"]

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""

# Near the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/): told apart with every kind of colour vision.
YELLOW: Final[Colour] = (255, 228, 66)
CYAN: Final[Colour] = (70, 180, 255)
GREEN: Final[Colour] = (0, 165, 90)
_RIM: Final[Colour] = (0, 0, 0)

SMALLEST = 256
"""Least length in pixels of the longer side of what is drawn."""
LARGEST = 2048
"""Greatest length in pixels of the longer side of what is drawn."""
_PER_WIDTH = 512
"""Pixels of the longer side for each pixel of a line's width."""
_SHIFT = 4
"""Fractional bits of a position handed to OpenCV: sixteenths of a pixel."""
_GAP, _TICK, _APART = 5.0, 6.0, 4.0
"""Half the opening at an end, the length of its ticks, and the distance of its name, in widths of a line."""


def drawn_size(view: View) -> Size:
    """Return the size in pixels of the copy of *view* on which a measurement is drawn."""
    longer = max(view.perceived.height, view.perceived.width)
    scale = min(max(longer, SMALLEST), LARGEST) / max(view.size.height, view.size.width)
    return Size(max(1, round(view.size.height * scale)), max(1, round(view.size.width * scale)))


class Overlay:
    """A picture of *view* being drawn on; every position is given in the slice frame."""

    def __init__(self, view: View) -> None:
        self._view, size = view, drawn_size(view)
        way = cv2.INTER_AREA if size.width < view.size.width else cv2.INTER_LINEAR
        grey = cv2.resize(view.pixels, (size.width, size.height), interpolation=way)
        self._size = size
        self._pixels = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
        self._free: list[NDArray[np.float64]] = []
        self._width = max(1, round(max(size.height, size.width) / _PER_WIDTH))

    def line(self, a: Point, b: Point, colour: Colour, names: tuple[str, str] = ("", "")) -> Self:
        """Draw the line from *a* to *b*, open at its ends, each between two ticks; *names* are written at them."""
        ends = self._positions([a, b])
        length = float(np.hypot(*(ends[1] - ends[0])))
        along = (ends[1] - ends[0]) / length if length > 0 else np.array((1.0, 0.0))
        across = np.array((-along[1], along[0]))
        gap = min(_GAP * self._width, length / 4)
        strokes = [ends[0] + gap * along, ends[1] - gap * along]
        lines = [np.stack(strokes)] if length > 0 else []
        lines += [self._tick(end, side) for end in ends for side in (-across, across)]
        self._draw(lines, colour)
        self._free += list(ends)
        for end, outward, name in zip(ends, (-along, along), names, strict=True):
            self._name(end, outward, name, colour)
        return self

    def point(self, point: Point, label: str = "", colour: Colour = YELLOW) -> Self:
        """Mark a point by four ticks around it, which leave it free, and its label beside them."""
        (end,) = self._positions([point])
        sides = np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])
        width = self._width
        self._draw(
            [np.stack((end + side * _GAP * width, end + side * (_GAP + _TICK) * width)) for side in sides], colour
        )
        self._name(end, np.array((1.0, -1.0)) / math.sqrt(2), label, colour)
        return self

    def ends(self, a: Point, b: Point, colour: Colour) -> Self:
        """Mark the ends of an axis by two ticks in its direction, outside of it, and leave the axis itself free."""
        ends = self._positions([a, b])
        length = float(np.hypot(*(ends[1] - ends[0])))
        along = (ends[1] - ends[0]) / length if length > 0 else np.array((1.0, 0.0))
        self._draw([self._tick(ends[0], -along), self._tick(ends[1], along)], colour)
        self._free += list(ends)
        return self

    def box(self, region: Region, colour: Colour) -> Self:
        """Draw the corners of a region: a quarter of each edge from each corner."""
        edges = np.array([(region.x0, region.y0), (region.x1, region.y1)])
        lines = []
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)):
            corner, other = np.array((edges[x, 0], edges[y, 1])), np.array((edges[1 - x, 0], edges[1 - y, 1]))
            arms = corner + (other - corner) * ((0.25, 0.0), (0.0, 0.0), (0.0, 0.25))
            lines.append(self._positions([Point(*arm) for arm in arms.tolist()]))
        self._draw(lines, colour)
        return self

    def ring(self, points: NDArray[np.float64], colour: Colour) -> Self:
        """Draw a closed line through points (n, 2)."""
        self._draw([self._positions([Point(x, y) for x, y in points.tolist()])], colour, closed=True)
        return self

    def picture(self, what: str) -> Picture:
        """Return the picture drawn so far; the caption names the view and says *what* the picture shows."""
        name, longer = self._view.id, max(self._size.height, self._size.width)
        perceived = max(self._view.perceived.height, self._view.perceived.width)
        how = "larger" if longer > perceived else "smaller"
        rest = "" if longer == perceived else f"; shown {how} than {name}, in the coordinates of {name}"
        return Picture(self._pixels, f"overlay on {name}: {what}{rest}")

    def _positions(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """Return slice points as positions (n, 2) on the copy, as OpenCV counts: the first pixel's centre is (0, 0)."""
        units = np.array([self._view.region.unit(point) for point in points])
        return units * (self._size.width, self._size.height) - 0.5

    def _tick(self, end: NDArray[np.float64], side: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the two ends of a tick in the direction *side* from *end*, with a gap between."""
        return np.stack((end + side * _GAP * self._width, end + side * (_GAP + _TICK) * self._width))

    def _draw(self, lines: Sequence[NDArray[np.float64]], colour: Colour, *, closed: bool = False) -> None:
        """Draw lines of positions (n, 2), all rims first."""
        fixed = [np.rint(line * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2) for line in lines]
        for paint, width in ((_RIM, 3 * self._width), (colour, self._width)):
            cv2.polylines(self._pixels, fixed, closed, paint, width, cv2.LINE_AA, _SHIFT)

    def _name(self, end: NDArray[np.float64], outward: NDArray[np.float64], name: str, colour: Colour) -> None:
        """Write a name beyond an end, or beside it where there is no room; if possible, it covers no measured end."""
        if not name:
            return
        size, edge = np.array(text_size(name, self._width)), float(self._width)
        limit = np.array((self._size.width, self._size.height)) - size - edge
        turns = (outward, np.array((-outward[1], outward[0])), np.array((outward[1], -outward[0])), -outward)
        away = (_GAP + _TICK + _APART) * self._width
        corners = [end + turn * (away + np.abs(turn) @ size / 2) - size / 2 for turn in turns]
        fitting = [
            one for one in corners if (one >= edge).all() and (one <= limit).all() and not self._covers(one, size)
        ]
        x, y = fitting[0] if fitting else np.clip(corners[0], edge, np.maximum(limit, edge))
        put_text(self._pixels, name, (round(x), round(y)), width=self._width, paint=colour)

    def _covers(self, corner: NDArray[np.float64], size: NDArray[np.int_]) -> bool:
        """Return whether a name of *size* at *corner* (top left) would cover or touch an end of a measured line."""
        room = _GAP * self._width
        return any((end > corner - room).all() and (end < corner + size + room).all() for end in self._free)
