"""``oracle``: is told the ground-truth points and measures them with the tools.

It shows the tool chain's own error (crop geometry, spacing, the tools that measure) and is labelled as no model: its
figures are a ceiling, never a result. Without tools it works the same points out from the numbers the prompt states.
"""

import math
from collections.abc import Generator, Sequence
from typing import Any

from medvision_agent.agent.policies.policy import Calls, Look, Reading, Unit, final, measured
from medvision_agent.quantity import BOX

__all__ = ["oracle"]

MARGIN = 0.15
"""Margin around the points when cropping, as a share of the whole picture."""


def oracle(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Measure the ground-truth points of the brief."""
    points, quantity = look.brief.truth, look.brief.quantity
    if not points:
        return "I was told no ground-truth points for this sample."
    if quantity != BOX and not quantity.points:
        return f"No points determine this quantity: {quantity.name}."
    view, placed, region = "v0", [(u, 1.0 - v) for u, v in points], (0.0, 0.0, 1.0, 1.0)  # MedVision's frame: y up
    if "crop" in look.tools:
        view, placed, region = yield from _crop(placed)
    if quantity == BOX:
        x0, y0, x1, y1 = region
        corners = [(x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for x, y in placed]
        return look.final_box((*corners[0], *corners[1]), decimals=6)
    values = []
    for start in range(0, len(points), quantity.points):
        own = slice(start, start + quantity.points)
        value = yield from measured(look, quantity, view, placed[own])
        values.append(_worked_out(look, points[own]) if value is None else value)
    return final(*values, decimals=4)


def _crop(points: list[Unit]) -> Calls:
    """Crop around the points; return the crop's id, the points in its coordinates, and its region of v0."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    asked = {
        "x0": max(0.0, min(xs) - MARGIN),
        "y0": max(0.0, min(ys) - MARGIN),
        "x1": min(1.0, max(xs) + MARGIN),
        "y1": min(1.0, max(ys) + MARGIN),
    }
    taken = yield "crop", {"view": "v0", "zoom": 3.0, **asked}
    if "v0_x0" not in taken:
        return "v0", points, (0.0, 0.0, 1.0, 1.0)
    x0, y0, x1, y1 = region = taken["v0_x0"], taken["v0_y0"], taken["v0_x1"], taken["v0_y1"]
    return taken["view"], [((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)) for x, y in points], region


def _worked_out(look: Look, points: Sequence[Unit]) -> float:
    """Return the length between two points in mm, or the acute angle of the lines through four in degrees."""
    steps = [_step_mm(look, a, b) for a, b in zip(points[::2], points[1::2], strict=True)]
    if len(steps) == 1:
        return math.hypot(*steps[0])
    (ax, ay), (bx, by) = steps
    return math.degrees(math.atan2(abs(ax * by - ay * bx), abs(ax * bx + ay * by)))


def _step_mm(look: Look, a: Unit, b: Unit) -> tuple[float, float]:
    width_mm, height_mm = look.field_mm()
    return (b[0] - a[0]) * width_mm, (b[1] - a[1]) * height_mm
