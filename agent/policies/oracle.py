"""Upper and lower reference for every model: the policies ``oracle`` and ``prior``.

The oracle gets the ground-truth points and measures them with the tools. It shows the tool chain's own error (crop
geometry, spacing, the tools that measure) and is labelled as not a model: its figures are a ceiling, never a result.
Without tools it computes the values from these points and the prompt's numbers. For an area it gets the fraction of the
image that the structure covers, and uses the numbers in the prompt too: no tool takes a mask.

``baseline-prior`` answers without looking: the floor every model should beat.
"""

import math
from collections.abc import Generator, Sequence
from typing import Any

from medvision_agent.agent.policies.policy import Look, Reading, Unit, clipped, cropped, final, measured
from medvision_agent.quantity import BOX
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm

__all__ = ["oracle", "prior"]

MARGIN = 0.15
"""Margin around the points when cropping, as a fraction of the whole image."""


def prior(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Return a final message with the usual answer of the task; no tool is called and no image is looked at."""
    yield from ()  # a policy is a generator even if it calls no tool
    brief = look.brief
    if brief.quantity == BOX:
        return look.final_box(brief.usual, brief.decimals)
    return final(*brief.usual, decimals=brief.decimals)


def oracle(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Yield calls that measure the ground-truth points of the brief, and return a final message with the values."""
    points, quantity = look.brief.truth, look.brief.quantity
    if look.brief.share is not None:
        yield from ()  # no tool takes a mask: use its fraction of the image and the millimetres in the prompt
        return final(look.brief.share * math.prod(look.field_mm()), decimals=4)
    if not points:
        return "I was told no ground-truth points for this sample."
    if quantity != BOX and not quantity.points:
        return f"No points determine this quantity: {quantity.name}."
    placed = [(u, 1.0 - v) for u, v in points]  # MedVision's frame: y up
    xs, ys = zip(*placed, strict=True)
    around = clipped(min(xs) - MARGIN, min(ys) - MARGIN, max(xs) + MARGIN, max(ys) + MARGIN)
    view, placed, region = yield from cropped(look, around, 3.0, placed)
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


def _worked_out(look: Look, points: Sequence[Unit]) -> float:
    """Return the length in mm between two points, or the angle in degrees between the lines through four.

    *points* are in unit coordinates of the whole image (u right, v down). The angle is the acute one.
    """
    width_mm, height_mm = look.field_mm()
    field = Spacing(height_mm=height_mm, width_mm=width_mm)  # of unit coordinates
    a0, a1, *b = (Point(u, v) for u, v in points)
    return acute_angle_deg(a0, a1, b[0], b[1], field) if b else distance_mm(a0, a1, field)
