"""The true outline of the structure that a sample asks about, where its ground truth gives one.

Size: the ellipse whose axes end at the true points. Detection: the ellipse that fits into the true box, so that the
box of the outline is the true one, and its axes are only as long as the box is wide and high. Other tasks, and sizes
whose source has no points, have none.
"""

import math

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.sample import Sample
from medvision_agent.tools.view.geometry import Point, Size

__all__ = ["ellipse", "has_outline", "outline_of"]

_POINTS = 360


def has_outline(sample: Sample) -> bool:
    """Return whether ``outline_of`` returns an outline for this sample."""
    return sample.asks.drawing == "box" or (sample.asks.drawing == "ellipse" and len(sample.truth_points) == 4)


def outline_of(sample: Sample, native: Size, shown: Size) -> NDArray[np.float64] | None:
    """Return the true closed outline, (n, 2), x and y in pixels of an image of size *shown*, y downwards.

    *native* is the size of the sample's own image, which may have been resampled. None where ``has_outline`` is False.
    """
    if not has_outline(sample):
        return None
    if sample.asks.drawing == "box":
        x0, y0, x1, y1 = sample.target  # y up
        x, y = (x0 + x1) / 2, 1 - (y0 + y1) / 2
        unit = [Point(x0, y), Point(x1, y), Point(x, 1 - y0), Point(x, 1 - y1)]
    else:
        unit = [Point(one.x / native.width, one.y / native.height) for one in sample.truth_points]
    return ellipse(unit, _POINTS) * (shown.width, shown.height)


def ellipse(ends: list[Point], count: int) -> NDArray[np.float64]:
    """Return *count* points (n, 2), x and y, of the ellipse whose axes end at *ends*, in the frame and unit of *ends*.

    *ends* are four points: both ends of the major axis, then both ends of the minor axis.
    """
    major_1, major_2, minor_1, minor_2 = (np.array([point.x, point.y]) for point in ends)
    turn = np.linspace(0, 2 * math.pi, count, endpoint=False)[:, None]
    ring = (major_1 + major_2) / 2 + np.cos(turn) * (major_2 - major_1) / 2 + np.sin(turn) * (minor_2 - minor_1) / 2
    return np.asarray(ring, np.float64)
