"""How tools read points: each by coordinates of a view or by the name of a mark, so that views may be mixed.

A point has three arguments, such as ``x0``, ``y0`` and ``mark0``. All points that a call gives by coordinates lie in
the view that its argument ``view`` names; marks lie wherever they were placed.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.geometry import Point, Region, distance_mm
from medvision_agent.tools.view.marks import Placed
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["MarkName", "Maybe", "Names", "in_v0", "line_at", "point_at", "region_at", "shown_in"]

Names = tuple[str, ...]
"""The arguments of one point: x, y and, in tools that take marks, the name of a mark."""


def _plain(schema: dict[str, Any]) -> None:
    """Drop ``null``: an argument that may be left out is declared as a plain one, which every provider reads."""
    del schema["default"]
    schema |= schema.pop("anyOf")[0]


Maybe = Annotated[float | None, Field(json_schema_extra=_plain)]
"""A number that may be left out."""
MarkName = Annotated[str | None, Field(json_schema_extra=_plain)]
"""The name of a mark, in place of two coordinates."""


def point_at(views: ViewSet, args: object, names: Names, *, any_slice: bool = False) -> Placed | None:
    """Return the point that the arguments *names* of *args* give, None where they are left out.

    Raises ToolError for half a point, for coordinates and a mark at once, outside the view, in a view of another slice
    unless *any_slice* is true, and for an unknown mark.
    """
    x, y, *more = (getattr(args, name) for name in names)
    mark = more[0] if more else None
    if mark:
        if x is not None or y is not None:
            raise ToolError(f"give {names[2]}, or {names[0]} and {names[1]}, not both")
        return views.marks.get(mark)
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise ToolError(f"a point needs both {names[0]} and {names[1]}")
    view = views.get(getattr(args, "view", "v0"))
    return Placed(views.point(view, x, y, any_slice=any_slice), view.id)


def line_at(
    views: ViewSet, args: object, start: Names, end: Names, *, any_slice: bool = False
) -> tuple[Placed, Placed]:
    """Return the ends of a line; raises ToolError where one is left out, or the line has no length in mm."""
    a, b = (_needed(views, args, names, any_slice=any_slice) for names in (start, end))
    if round(distance_mm(a.point, b.point, views.slice.spacing), 4) == 0:
        place = f"at mark {a.mark}" if a.mark else f"at {views.frame.shown(*(getattr(args, n) for n in start[:2]))}"
        raise ToolError(f"both points of the line lie {place}; give two different points")
    return a, b


def _needed(views: ViewSet, args: object, names: Names, *, any_slice: bool) -> Placed:
    point = point_at(views, args, names, any_slice=any_slice)
    if point is None:
        instead = f", or {names[2]}" if names[2:] else ""
        raise ToolError(f"a point is missing: give {names[0]} and {names[1]}{instead}")
    return point


def region_at(
    views: ViewSet, args: object, first: Names, second: Names, *, any_slice: bool = False
) -> tuple[Region | None, list[Placed]]:
    """Return the region between two opposite corners, and the corners; no region where both are left out.

    Raises ToolError where one corner is left out, or nothing lies between them.
    """
    a, b = (point_at(views, args, names, any_slice=any_slice) for names in (first, second))
    if a is None and b is None:
        return None, []
    if a is None or b is None:
        raise ToolError("a region needs two opposite corners; give both or none")
    if a.point.x == b.point.x or a.point.y == b.point.y:
        raise ToolError("the region is empty; give two opposite corners")
    xs, ys = sorted((a.point.x, b.point.x)), sorted((a.point.y, b.point.y))
    return Region(xs[0], ys[0], xs[1], ys[1]), [a, b]


def shown_in(views: ViewSet, points: Iterable[Placed]) -> View:
    """Return the view to show points in: the first of their own that holds them all, or the smallest that does."""
    every = list(points)
    holding = [view for view in views if not view.slice.away and all(view.region.holds(one.point) for one in every)]
    own = [one.view for one in every]
    first = [view for view in holding if view.id in own]
    if first:
        return min(first, key=lambda view: own.index(view.id))
    return min(holding, key=lambda view: view.region.width * view.region.height, default=views.whole)


def in_v0(views: ViewSet, points: Mapping[str, Point]) -> dict[str, float]:
    """Return points in coordinates of v0 by the names of a result: ``v0_ax0`` and ``v0_ay0`` for the point ``a0``."""
    found: dict[str, float] = {}
    for name, point in points.items():
        x, y = views.frame.rounded(views.coordinates(views.whole, point))
        line, number = name[:-1], name[-1]
        found |= {f"v0_{line}x{number}": x, f"v0_{line}y{number}": y}
    return found
