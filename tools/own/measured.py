"""Whether a tool measures what it declares: its lengths and angles are those between the points it declares.

``why`` and the report replay an answer from these points, so that a wrong declaration makes their figures wrong.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from medvision_agent.quantity import ANGLE_DEG, LENGTH_MM
from medvision_agent.tools.base import Measurand, Tool
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["declares_points", "unlike_points"]

_SHARE, _DEGREES = 0.02, 1.0
"""How far a value may be from its points: both are rounded."""


def declares_points(tool: Tool) -> bool:
    """Return whether a tool declares the points between which it measures a length or an angle."""
    return any(_checked(one) for one in tool.measures)


def unlike_points(tool: Tool, views: ViewSet, raw: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each length or angle of *result* that is not the one between its declared points.

    *raw* are the arguments of the call. Lengths may differ by 2% plus 2% of a pixel's longer side, angles by 1 degree.
    """
    for one in filter(_checked, tool.measures):
        for number, field in enumerate(one.fields):
            given, names = _given(tool, one, number, raw, result)
            if "view" not in given:
                yield (
                    f"{field}: neither the arguments nor the result have a field view, which must say in which view "
                    f"its points ({', '.join(names)}) lie"
                )
                continue
            view = views.get(str(given["view"])) if str(given["view"]) in views else views.whole
            between, near = _between(one, _points(views, view, [given[name] for name in names]), view.slice.spacing)
            stated = min(result[field], 180 - result[field]) if one.quantity == ANGLE_DEG else result[field]
            if abs(stated - between) > near:
                yield f"{field} is {result[field]:g}, but its points ({', '.join(names)}) give {between:g}"


def _checked(one: Measurand) -> bool:
    """Return whether a measurand is a length or an angle with declared points."""
    return bool(one.points) and one.quantity in {LENGTH_MM, ANGLE_DEG}


def _given(
    tool: Tool, one: Measurand, number: int, raw: Mapping[str, Any], result: Mapping[str, Any]
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the arguments or the result, whichever has the points of value *number*, and the names of their x and y.

    The command ``why`` looks the points of a stored call up in the same way.
    """
    names = one.points[number]
    if tool.solver:
        return result, names
    given = {**tool.measuring.defaults, **raw}
    if one.in_v0 and any(given.get(name) is None for name in names):
        return {**result, "view": "v0"}, one.in_v0[number]
    return given, names


def _points(views: ViewSet, view: View, numbers: list[Any]) -> list[Point]:
    """Return the slice points of model coordinates in *view*, given as x, y, x, y, ...; they may lie outside it."""
    units = [views.frame.to_unit(x, y, view.perceived) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return [view.region.at(*unit) for unit in units]


def _between(one: Measurand, points: list[Point], spacing: Spacing) -> tuple[float, float]:
    """Return the length (mm) or acute angle (degrees) between the points, and how far a rounded value may differ."""
    if one.quantity == ANGLE_DEG:
        return acute_angle_deg(points[0], points[1], points[2], points[3], spacing), _DEGREES
    length = distance_mm(points[0], points[1], spacing)
    return length, _SHARE * length + _SHARE * max(spacing.height_mm, spacing.width_mm)
