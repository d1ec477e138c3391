"""Marker watershed in a region: the middle of its oval is inside, what lies well beyond it is outside."""

import cv2
import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.contour import measure_outline
from medvision_agent.tools.segment.rays import RAYS, Oval
from medvision_agent.tools.view.slice import Slice

__all__ = ["watershed"]

_GRID = 160
"""Rows and columns of the square on which the watershed runs."""
_REACH = 1.3
"""Half the side of the square, relative to the oval of the region."""
_INSIDE, _OUTSIDE = 0.5, 1.15
"""Ovals of the markers, relative to the region's: within the one is inside, beyond the other outside."""


def watershed(image: Slice, prompt: Prompt) -> list[Candidate]:
    """Return the structure in a region; raises ToolError without a region. Its cost is 0: it has no confidence."""
    if prompt.inside is not None or prompt.outside is not None:
        raise ToolError("the method watershed takes a region alone, no points")
    if prompt.region is None:
        raise ToolError("the method watershed needs a region (x0, y0, x1, y1)")
    oval = Oval.inside(prompt.region)
    at = (np.arange(_GRID) + 0.5) / _GRID * 2 * _REACH - _REACH
    x, y = np.meshgrid(at, at)
    across, down = x * oval.matrix[0, 0] + oval.center[0] - 0.5, y * oval.matrix[1, 1] + oval.center[1] - 0.5
    values = cv2.remap(
        image.values,
        across.astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    low, high = np.percentile(values, (1, 99))
    levels = np.clip((values - low) / max(1e-9, float(high - low)) * 255, 0, 255).astype(np.uint8)
    radius = np.hypot(x, y)
    markers = np.where(radius < _INSIDE, 1, np.where(radius > _OUTSIDE, 2, 0)).astype(np.int32)
    labels = cv2.watershed(cv2.merge([cv2.GaussianBlur(levels, (0, 0), 2.0)] * 3), markers)
    contours, _ = cv2.findContours((labels == 1).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ring = max(contours, key=len).reshape(-1, 2).astype(np.float64)
    # The line between the two is neither: the edge runs along it, one pixel outside of the ring.
    unit = (ring + 0.5) / _GRID * 2 * _REACH - _REACH
    unit *= 1 + 2 * _REACH / _GRID / np.maximum(np.hypot(*unit.T)[:, None], 1 / RAYS)
    return [Candidate(measure_outline(unit @ oval.matrix.T + oval.center, image.size, image.spacing), 0.0)]
