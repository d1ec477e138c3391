"""The square around a region on which a method works, and back: an outline of the slice from labels on the square.

The square is stretched so that the ellipse that fits into the region becomes the circle of radius 1 in its middle. With
a point alone, the region is the box of the outline that the default method finds around it.
"""

from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt, candidates
from medvision_agent.tools.segment.contour import Mask, measure_outline
from medvision_agent.tools.segment.rays import RAYS, Oval
from medvision_agent.tools.view.geometry import Point
from medvision_agent.tools.view.slice import Slice

__all__ = ["INSIDE", "OUTSIDE", "Square"]

_REACH = 1.3
"""Half the side of the square, relative to the oval of the region."""
_NEAR = 2.0
"""Places around a point that are marked with it."""
INSIDE, OUTSIDE = 0.5, 1.15
"""Radii of the markers: what is nearer than the one is inside, what is farther than the other outside."""


@dataclass(frozen=True, eq=False)
class Square:
    """A grid of ``side`` by ``side`` places around an oval, on which a method works in place of pixels."""

    oval: Oval
    side: int
    unit: tuple[NDArray[np.float64], NDArray[np.float64]] = field(init=False)
    """x and y of every place, relative to the oval."""

    def __post_init__(self) -> None:
        at = (np.arange(self.side) + 0.5) / self.side * 2 * _REACH - _REACH
        object.__setattr__(self, "unit", tuple(np.meshgrid(at, at)))

    @classmethod
    def around(cls, image: Slice, prompt: Prompt, side: int) -> Self:
        """Return the square around the region of a prompt, or around the box that the default method finds at a point.

        Raises ToolError where a prompt has neither and, without a region, where all pixels have the same value.
        """
        region = prompt.region or candidates(image, prompt)[0].measured.box
        return cls(Oval.inside(region), side)

    def markers(self, prompt: Prompt) -> tuple[Mask, Mask]:
        """Return two masks (side, side): the places surely inside, and surely outside; points overrule the oval."""
        radius = np.hypot(*self.unit)
        inside, outside = radius < INSIDE, radius > OUTSIDE
        if prompt.inside is not None:
            near = self._near(prompt.inside)
            inside, outside = inside | near, outside & ~near
        if prompt.outside is not None:
            near = self._near(prompt.outside)
            inside, outside = inside & ~near, outside | near
        return inside, outside

    def middle(self, prompt: Prompt) -> tuple[int, int]:
        """Return the row and the column of the place that is surely inside: the point inside, or else the middle."""
        if prompt.inside is None:
            return self.side // 2, self.side // 2
        x, y = (self._unit(prompt.inside) + _REACH) / (2 * _REACH) * self.side
        row, column = (int(np.clip(one, 0, self.side - 1)) for one in (y, x))
        return row, column

    def _near(self, point: Point) -> Mask:
        """Return the mask of the places close to a slice point."""
        x, y = self._unit(point)
        return np.asarray(np.hypot(self.unit[0] - x, self.unit[1] - y) < _NEAR * 2 * _REACH / self.side)

    def _unit(self, point: Point) -> NDArray[np.float64]:
        """Return x and y of a slice point relative to the oval, which is the circle of radius 1."""
        return np.asarray((np.array((point.x, point.y)) - self.oval.center) / np.diag(self.oval.matrix))

    def levels(self, image: Slice) -> NDArray[np.uint8]:
        """Return grey levels (side, side): native values, their 1st to 99th percentile spread over 0 to 255."""
        (x, y), matrix, center = self.unit, self.oval.matrix, self.oval.center
        across, down = x * matrix[0, 0] + center[0] - 0.5, y * matrix[1, 1] + center[1] - 0.5
        places = across.astype(np.float32), down.astype(np.float32)
        values = cv2.remap(image.values, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        low, high = np.percentile(values, (1, 99))
        return np.asarray(np.clip((values - low) / max(1e-9, float(high - low)) * 255, 0, 255), np.uint8)

    def candidate(self, inside: Mask, image: Slice, out: float) -> Candidate:
        """Return the area within the largest contour of *inside* (side, side), widened by *out* places, as a candidate.

        Its cost is 0. Raises ToolError where nothing is inside.
        """
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            raise ToolError("nothing found", about_image=True)
        ring = max(contours, key=len).reshape(-1, 2).astype(np.float64)
        unit = (ring + 0.5) / self.side * 2 * _REACH - _REACH
        unit *= 1 + out * 2 * _REACH / self.side / np.maximum(np.hypot(*unit.T)[:, None], 1 / RAYS)
        outline = unit @ self.oval.matrix.T + self.oval.center
        return Candidate(measure_outline(outline, image.size, image.spacing), 0.0)
