"""``oracle``: is told the ground-truth points and measures them with the tools.

It shows the tool chain's own error (crop geometry, spacing, ruler, protractor) and is labelled as no model: its
figures are a ceiling, never a result. Without tools it works the same points out from the numbers the prompt states.
"""

import math
from collections.abc import Generator
from typing import Any

from medvision_agent.agent.policies.policy import Look, Reading, final

__all__ = ["oracle"]

Unit = tuple[float, float]
Calls = Generator[tuple[str, dict[str, Any]], Reading, Any]
MARGIN = 0.15
"""Margin around the points when cropping, as a share of the whole picture."""


def oracle(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Measure the ground-truth points of the brief."""
    points = look.brief.truth
    if not points:
        return "I was told no ground-truth points for this sample."
    view, placed, region = "v0", [(u, 1.0 - v) for u, v in points], (0.0, 0.0, 1.0, 1.0)  # MedVision's frame: y up
    if "crop" in look.tools:
        view, placed, region = yield from _crop(placed)
    match look.brief.task:
        case "detection":
            x0, y0, x1, y1 = region
            corners = [(x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for x, y in placed]
            return look.final_box((*corners[0], *corners[1]), decimals=6)
        case "size":
            major = yield from _distance(look, view, placed[:2], points[:2])
            minor = yield from _distance(look, view, placed[2:], points[2:])
            return final(major, minor, decimals=4)
        case "distance":
            return final((yield from _distance(look, view, placed, points)), decimals=4)
        case _:
            return final((yield from _angle(look, view, placed, points)), decimals=4)


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


def _distance(look: Look, view: str, placed: list[Unit], points: tuple[Unit, ...]) -> Calls:
    (x0, y0), (x1, y1) = placed
    if "ruler" in look.tools:
        reading = yield "ruler", {"view": view, "x0": x0, "y0": y0, "x1": x1, "y1": y1}
        if "distance_mm" in reading:
            return reading["distance_mm"]
    return math.hypot(*_step_mm(look, *points))


def _angle(look: Look, view: str, placed: list[Unit], points: tuple[Unit, ...]) -> Calls:
    if "protractor" in look.tools:
        names = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")
        flat = [value for point in placed for value in point]
        reading = yield "protractor", {"view": view, **dict(zip(names, flat, strict=True))}
        if "acute_angle_deg" in reading:
            return reading["acute_angle_deg"]
    (ax, ay), (bx, by) = _step_mm(look, *points[:2]), _step_mm(look, *points[2:])
    return math.degrees(math.atan2(abs(ax * by - ay * bx), abs(ax * bx + ay * by)))


def _step_mm(look: Look, a: Unit, b: Unit) -> tuple[float, float]:
    width_mm, height_mm = look.field_mm()
    return (b[0] - a[0]) * width_mm, (b[1] - a[1]) * height_mm
