"""Drawing on a copy of a view: thin lines at sub-pixel positions, in colour, at the size of the view.

The picture keeps the size of the view, so that the view's coordinates hold for it. The price: on a tiny view even
lines one pixel wide hide what they outline. There they are blended with the picture, so that the structure shows
through; the lines are fainter for it.
"""

from collections.abc import Sequence
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Point, Region
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import View

__all__ = ["CYAN", "GREEN", "YELLOW", "Overlay"]

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255."""

YELLOW: Final[Colour] = (255, 220, 0)
CYAN: Final[Colour] = (0, 220, 255)
GREEN: Final[Colour] = (60, 255, 60)

_SHIFT = 4
"""Fractional bits of a position handed to OpenCV: sixteenths of a pixel."""
_TICK = 4.0
"""Half length of the tick that ends a line, in pixels."""
_GAP, _ARM = 3.0, 9.0
"""From where to where the arms of a cross go, in pixels from its point."""
_LETTER = 0.4
"""Size of letters, relative to OpenCV's font."""
_TINY = 256
"""Longer side in pixels below which lines are blended with the picture."""
_OPACITY = 0.6
"""Share of a blended line's own colour."""


class Overlay:
    """A picture of *view* being drawn on; every position is given in the slice frame."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._plain = np.stack([view.pixels] * 3, axis=-1)
        self._pixels = self._plain.copy()

    def line(self, a: Point, b: Point, colour: Colour) -> Self:
        """Draw the line from a to b with a tick across each end."""
        ends = self._positions([a, b])
        self._draw(ends, colour, closed=False)
        direction = ends[1] - ends[0]
        length = float(np.hypot(*direction))
        across = np.array((-direction[1], direction[0])) / length * _TICK if length > 0 else np.array((0.0, _TICK))
        for end in ends:
            self._draw(np.stack((end - across, end + across)), colour, closed=False)
        return self

    def cross(self, point: Point, label: str, colour: Colour) -> Self:
        """Draw a cross that leaves its point free, with a label beside it."""
        (centre,) = self._positions([point])
        for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            arm = np.array(step, np.float64)
            self._draw(np.stack((centre + _GAP * arm, centre + _ARM * arm)), colour, closed=False)
        (width, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, _LETTER, 1)
        across, down = self._view.size.width, self._view.size.height
        x = centre[0] + _GAP if centre[0] + _GAP + width < across else centre[0] - _GAP - width
        y = centre[1] - _GAP if centre[1] - _GAP - height > 0 else centre[1] + _GAP + height
        place = (round(max(0.0, float(x))), round(min(float(y), down - 1.0)))
        cv2.putText(self._pixels, label, place, cv2.FONT_HERSHEY_SIMPLEX, _LETTER, colour, 1, cv2.LINE_AA)
        return self

    def box(self, region: Region, colour: Colour) -> Self:
        """Draw the edges of a region."""
        x0, y0, x1, y1 = region.x0, region.y0, region.x1, region.y1
        return self.ring(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]), colour)

    def ring(self, points: NDArray[np.float64], colour: Colour) -> Self:
        """Draw a closed line through points (n, 2)."""
        self._draw(self._positions([Point(x, y) for x, y in points.tolist()]), colour, closed=True)
        return self

    def picture(self, what: str) -> Picture:
        """Return what was drawn; the caption names the view and says *what* it shows."""
        pixels = self._pixels
        if max(self._view.pixels.shape) < _TINY:
            blended = cv2.addWeighted(pixels, _OPACITY, self._plain, 1 - _OPACITY, 0.0)
            pixels = np.asarray(blended, np.uint8)
        return Picture(pixels, f"overlay on {self._view.id}: {what}")

    def _positions(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """Return positions in OpenCV's frame, where the centre of the first pixel is (0, 0)."""
        return np.array([self._view.pixel(point) for point in points]) - 0.5

    def _draw(self, positions: NDArray[np.float64], colour: Colour, *, closed: bool) -> None:
        fixed = np.rint(positions * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(self._pixels, [fixed], closed, colour, 1, cv2.LINE_AA, _SHIFT)
