"""The square around a region on which a method works, and back: an outline of the slice from labels on the square.

The square is stretched so that the ellipse that fits into the region becomes the circle of radius 1 in its middle.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.contour import Mask, measure_outline
from medvision_agent.tools.segment.rays import RAYS, Oval
from medvision_agent.tools.view.slice import Slice

__all__ = ["INSIDE", "OUTSIDE", "Square", "region_alone"]

_REACH = 1.3
"""Half the side of the square, relative to the oval of the region."""
INSIDE, OUTSIDE = 0.5, 1.15
"""Radii of the markers: what is nearer than the one is inside, what is farther than the other outside."""


def region_alone(method: str, prompt: Prompt) -> Oval:
    """Return the oval of a region; raises ToolError for a prompt with points, or without a region."""
    if prompt.inside is not None or prompt.outside is not None:
        raise ToolError(f"the method {method} takes a region alone, no points")
    if prompt.region is None:
        raise ToolError(f"the method {method} needs a region (x0, y0, x1, y1)")
    return Oval.inside(prompt.region)


@dataclass(frozen=True, eq=False)
class Square:
    """A grid of ``side`` by ``side`` places around an oval."""

    oval: Oval
    side: int
    unit: tuple[NDArray[np.float64], NDArray[np.float64]] = field(init=False)
    """x and y of every place, relative to the oval."""

    def __post_init__(self) -> None:
        at = (np.arange(self.side) + 0.5) / self.side * 2 * _REACH - _REACH
        object.__setattr__(self, "unit", tuple(np.meshgrid(at, at)))

    @property
    def radius(self) -> NDArray[np.float64]:
        """The distance of every place from the middle; 1 on the oval."""
        return np.asarray(np.hypot(*self.unit))

    def levels(self, image: Slice) -> NDArray[np.uint8]:
        """Return the native values at the places, their first to 99th percentile spread over 0 to 255."""
        (x, y), matrix, center = self.unit, self.oval.matrix, self.oval.center
        across, down = x * matrix[0, 0] + center[0] - 0.5, y * matrix[1, 1] + center[1] - 0.5
        places = across.astype(np.float32), down.astype(np.float32)
        values = cv2.remap(image.values, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        low, high = np.percentile(values, (1, 99))
        return np.asarray(np.clip((values - low) / max(1e-9, float(high - low)) * 255, 0, 255), np.uint8)

    def candidate(self, inside: Mask, image: Slice, out: float) -> Candidate:
        """Return what the largest contour of *inside* surrounds, widened by *out* places; it has no confidence."""
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        ring = max(contours, key=len).reshape(-1, 2).astype(np.float64)
        unit = (ring + 0.5) / self.side * 2 * _REACH - _REACH
        unit *= 1 + out * 2 * _REACH / self.side / np.maximum(np.hypot(*unit.T)[:, None], 1 / RAYS)
        outline = unit @ self.oval.matrix.T + self.oval.center
        return Candidate(measure_outline(outline, image.size, image.spacing), 0.0)
