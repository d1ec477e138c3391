"""A sample's image with its ground truth drawn on it, for people only; no model ever sees it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.outline import ellipse
from medvision_agent.eval.data.sample import Sample
from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.overlay import CYAN, GREEN, YELLOW, Overlay
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Slice, grey_slice
from medvision_agent.tools.view.views import ViewSet

__all__ = ["draw_truth"]

_SIDE = 900
"""Approximate longest side of the drawing in pixels: images are enlarged or reduced to it."""


def draw_truth(shown: Slice, sample: Sample) -> NDArray[np.uint8]:
    """Return an RGB drawing (h, w, 3) of a sample's slice with its true box, axes or landmark lines.

    *shown* is the slice as grey levels. The drawing is resampled so that its pixels are square in mm.
    """
    height_mm = shown.size.height * shown.spacing.height_mm
    width_mm = shown.size.width * shown.spacing.width_mm
    per_mm = _SIDE / max(height_mm, width_mm)
    size = (max(1, round(width_mm * per_mm)), max(1, round(height_mm * per_mm)))
    canvas = grey_slice(cv2.resize(shown.grey, size, interpolation=cv2.INTER_LINEAR), Spacing(1 / per_mm, 1 / per_mm))
    overlay = Overlay(ViewSet(canvas, Native()).whole)
    _draw(overlay, sample, size[0] / shown.size.width, size[1] / shown.size.height, size)
    return overlay.picture("truth").pixels


def _draw(overlay: Overlay, sample: Sample, fx: float, fy: float, size: tuple[int, int]) -> None:
    points = [Point(point.x * fx, point.y * fy) for point in sample.truth_points]
    if sample.asks.drawing == "box":
        x1, y1, x2, y2 = sample.target
        width, height = size
        overlay.box(Region(x1 * width, (1 - y2) * height, x2 * width, (1 - y1) * height), GREEN)
    elif sample.asks.drawing == "ellipse" and len(points) == 4:
        overlay.ring(ellipse(points, 120), GREEN).line(points[0], points[1], YELLOW).line(points[2], points[3], CYAN)
    elif len(points) >= 2:
        for (a, b), colour in zip(zip(points[::2], points[1::2], strict=False), (YELLOW, CYAN), strict=False):
            overlay.line(a, b, colour)
