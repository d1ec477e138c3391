"""Measuring between points with whatever tool is offered for it: policies go by what tools declare, not by names."""

from collections.abc import Generator, Sequence
from typing import Any

from medvision_agent.agent.policies.policy import Look, Reading
from medvision_agent.quantity import Quantity

__all__ = ["Calls", "Unit", "measured"]

Unit = tuple[float, float]
"""A point in MedVision's frame of a view: x to the right, y up, 0..1."""
Calls = Generator[tuple[str, dict[str, Any]], Reading, Any]


def measured(look: Look, quantity: Quantity, view: str, points: Sequence[Unit]) -> Calls:
    """Return what the first tool measures that takes these points; None where none does, or it does not say."""
    flat = [value for point in points for value in point]
    for tool in look.brief.tools:
        taken = tool.measurand(quantity)
        if tool.name not in look.tools or tool.solver or taken is None:
            continue
        if [len(names) for names in taken.points] == [len(flat)]:
            reading = yield tool.name, {"view": view, **dict(zip(taken.points[0], flat, strict=True))}
            return reading.get(taken.fields[0])
    return None
