"""How tools read points: by coordinates of a view, by the name of a mark, or as text; so that views may be mixed.

A point has three arguments, such as ``x0``, ``y0`` and ``mark0``. All points that a call gives by two numbers lie in
the view that its argument ``view`` names. The third argument has the name of a mark, which lies wherever it was placed,
or a text that says view and coordinates: ``v2: x=0.31, y=0.42``. The coordinates have names, in either order.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.geometry import Point, Region, distance_mm
from medvision_agent.tools.view.marks import Placed, is_name
from medvision_agent.tools.view.views import View, ViewSet

__all__ = [
    "POINT_TEXT",
    "MarkOrPoint",
    "Maybe",
    "Names",
    "in_v0",
    "line_at",
    "mark_or_point",
    "point_at",
    "region_at",
    "shown_in",
    "written_point",
]

_NARROWEST = 0.5
"""Pixels of the slice: what is narrower surrounds nothing of it."""
Names = tuple[str, ...]
"""The arguments of one point: x, y and, in tools that take points of several views, a mark or a text."""
_FORM = "v1: x=..., y=..."
"""How a point of any view is written."""
_NUMBER = r"([-+]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,2})?)"
POINT_TEXT = rf"(v\d{{1,6}}) *: *([xy]) *= *{_NUMBER} *, *([xy]) *= *{_NUMBER}"
"""The pattern of a point as text: its view, and both coordinates with their names."""
_POINT = re.compile(POINT_TEXT, re.ASCII)


def _plain(schema: dict[str, Any]) -> None:
    """Drop ``null`` from the *schema* of an argument that may be left out: some providers do not read it."""
    del schema["default"]
    schema |= schema.pop("anyOf")[0]


Maybe = Annotated[float | None, Field(json_schema_extra=_plain)]
"""A number that may be left out."""
MarkOrPoint = Annotated[str | None, Field(json_schema_extra=_plain)]
"""The name of a mark, or a point of any view as text, in place of two coordinates."""


def mark_or_point(what: str) -> Any:
    """Return the pydantic field of an argument that gives a point by a mark or as text; *what* names the point."""
    return Field(default=None, description=f"{what}: name of a mark, or '{_FORM}' of any view")


def point_at(views: ViewSet, args: object, names: Names, *, any_slice: bool = False) -> Placed | None:
    """Return the point, in the slice frame, that the arguments *names* of *args* give; None where they are left out.

    Raises ToolError for half a point, for a point given in both ways, outside the view, in a view of another slice
    unless *any_slice* is true, for an unknown mark, and for a text that is neither a mark nor a point.
    """
    x, y, *more = (getattr(args, name) for name in names)
    mark = more[0] if more else None
    if mark:
        if x is not None or y is not None:
            raise ToolError(f"give {names[2]}, or {names[0]} and {names[1]}, not both")
        return written_point(views, mark, any_slice=any_slice)
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise ToolError(f"a point needs both {names[0]} and {names[1]}")
    view = views.get(getattr(args, "view", "v0"))
    return Placed(views.point(view, x, y, any_slice=any_slice), view.id)


def written_point(views: ViewSet, text: str, *, any_slice: bool = False) -> Placed:
    """Return the mark that *text* names, or the point that it states (``v1: x=..., y=...``), in the slice frame.

    Raises ToolError for an unknown mark or view, a point outside its view, a view of another slice unless *any_slice*
    is true, and any other text.
    """
    text = text.strip()
    if is_name(text):
        return views.marks.get(text)
    match = _POINT.fullmatch(text)
    at = {match[2]: float(match[3]), match[4]: float(match[5])} if match else {}
    if match is None or len(at) != 2:
        raise ToolError(f"{text[:40]!r} is neither a mark nor a point; write a point of a view as '{_FORM}'")
    view = views.get(match[1])
    return Placed(views.point(view, at["x"], at["y"], any_slice=any_slice), view.id)


def line_at(
    views: ViewSet, args: object, start: Names, end: Names, *, any_slice: bool = False
) -> tuple[Placed, Placed]:
    """Return the two ends of a line; *start* and *end* name their arguments.

    Raises ToolError where ``point_at`` does, where an end is left out, and where the line has no length in mm.
    """
    a, b = (_needed(views, args, names, any_slice=any_slice) for names in (start, end))
    if round(distance_mm(a.point, b.point, views.slice.spacing), 4) == 0:
        place = f"mark {a.mark}" if a.mark else views.frame.shown(*views.coordinates(views.get(a.view), a.point))
        raise ToolError(f"both points of the line lie at {place}; give two different points")
    return a, b


def _needed(views: ViewSet, args: object, names: Names, *, any_slice: bool) -> Placed:
    """Return the point that the arguments called *names* give; raises ToolError if no point is given.

    It also raises ToolError where ``point_at`` does. With *any_slice*, the point may be in a view of another slice.
    """
    point = point_at(views, args, names, any_slice=any_slice)
    if point is None:
        instead = f", or {names[2]}" if names[2:] else ""
        raise ToolError(f"a point is missing: give {names[0]} and {names[1]}{instead}")
    return point


def region_at(
    views: ViewSet, args: object, first: Names, second: Names, *, any_slice: bool = False
) -> tuple[Region | None, list[Placed]]:
    """Return the region between two opposite corners, in the slice frame, and the corners; (None, []) without corners.

    Raises ToolError where ``point_at`` does, where only one corner is given, and for a region that is less than half a
    pixel of the slice wide or high.
    """
    a, b = (point_at(views, args, names, any_slice=any_slice) for names in (first, second))
    if a is None and b is None:
        return None, []
    if a is None or b is None:
        raise ToolError("a region needs two opposite corners; give both or none")
    xs, ys = sorted((a.point.x, b.point.x)), sorted((a.point.y, b.point.y))
    if min(xs[1] - xs[0], ys[1] - ys[0]) < _NARROWEST:
        raise ToolError(
            "the region is empty, or less than half a pixel of the image wide or high; give two opposite corners"
        )
    return Region(xs[0], ys[0], xs[1], ys[1]), [a, b]


def shown_in(views: ViewSet, points: Iterable[Placed]) -> View:
    """Return the view to draw points in: the first of the views they were given in that contains all of them.

    If none does, it is the smallest view that contains all of them, preferably with the intensity window of the first
    point's view; v0 if there is no such view. Views of other slices do not count.
    """
    every = list(points)
    holding = [view for view in views if not view.slice.away and all(view.region.holds(one.point) for one in every)]
    own = [one.view for one in every]
    first = [view for view in holding if view.id in own]
    if first:
        return min(first, key=lambda view: own.index(view.id))
    window = views.get(own[0]).slice.window
    return min(
        holding,
        key=lambda view: (view.slice.window != window, view.region.width * view.region.height),
        default=views.whole,
    )


def in_v0(views: ViewSet, points: Mapping[str, Point]) -> dict[str, float]:
    """Return slice points as model coordinates of v0, by result fields: ``v0_ax0`` and ``v0_ay0`` for point ``a0``."""
    found: dict[str, float] = {}
    for name, point in points.items():
        x, y = views.frame.rounded(views.coordinates(views.whole, point))
        line, number = name[:-1], name[-1]
        found |= {f"v0_{line}x{number}": x, f"v0_{line}y{number}": y}
    return found
