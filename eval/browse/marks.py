"""Builds the marks of the canvas: shapes from points of the slice, with bounded and printable texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from medvision_agent.eval.browse.forms import XY, Mark
from medvision_agent.text import printable
from medvision_agent.tools.view.geometry import Point, Region

__all__ = ["WITHHELD", "Pen", "degrees", "millimetres"]

WITHHELD = "withheld from the model"
_WORDS = 200
"""Longest name or value, in characters."""
_FARTHEST = 1e6
"""Largest distance from the origin in pixels: farther points cannot be on an image."""
_Kind = Literal["point", "line", "angle", "box", "outline", "ellipse"]


def millimetres(value: float) -> str:
    """Return a length in mm as the text of a mark, with two decimals."""
    return f"{value:.2f} mm"


def degrees(value: float) -> str:
    """Return an angle in degrees as the text of a mark, with two decimals."""
    return f"{value:.2f}°"


@dataclass(frozen=True, slots=True)
class Pen:
    """A maker of marks for one layer, turn, call and tool.

    Points are (x, y) in pixels of the slice. Each method takes a mark's *name* and the *value* to show beside it, and
    raises ValueError for a point more than a million pixels from the origin.
    """

    layer: Literal["truth", "answer", "tool", "view"]
    turn: int | None = None
    call: int | None = None
    tool: str = ""

    def point(self, point: Point, name: str, value: str = "") -> Mark:
        """Return the mark of a point."""
        return self._mark("point", [point], name, value)

    def lines(self, points: Sequence[Point], name: str, value: str = "") -> Mark:
        """Return the mark of the line between two points, or of the angle between two lines, given by four points."""
        return self._mark("line" if len(points) == 2 else "angle", points, name, value)

    def box(self, region: Region, name: str, value: str = "") -> Mark:
        """Return the mark of a box."""
        return self.corners(Point(region.x0, region.y0), Point(region.x1, region.y1), name, value)

    def corners(self, a: Point, b: Point, name: str, value: str = "") -> Mark:
        """Return the mark of a box given by two opposite corners."""
        return self._mark("box", [a, b], name, value)

    def ellipse(self, ends: Sequence[Point], name: str, value: str = "") -> Mark:
        """Return the mark of an ellipse given by the four ends of its axes, axis by axis."""
        return self._mark("ellipse", ends, name, value)

    def outline(self, points: Sequence[Point], name: str, value: str = "") -> Mark:
        """Return the mark of a closed outline."""
        return self._mark("outline", points, name, value)

    def _mark(self, kind: _Kind, points: Sequence[Point], name: str, value: str) -> Mark:
        placed: list[XY] = [(float(point.x), float(point.y)) for point in points]
        if not all(abs(number) <= _FARTHEST for point in placed for number in point):
            raise ValueError("a point lies more than a million pixels away")
        return Mark(
            layer=self.layer,
            kind=kind,
            points=tuple(placed),
            name=printable(name[:_WORDS]),
            value=printable(value[:_WORDS]),
            turn=self.turn,
            call=self.call,
            tool=printable(self.tool[:_WORDS]),
        )
