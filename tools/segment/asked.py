"""What the tools that outline share: how a model asks, and what is stated and drawn of an outline."""

from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.contour import Measured
from medvision_agent.tools.view.geometry import Point, Region
from medvision_agent.tools.view.overlay import CYAN, GREEN, YELLOW, Overlay
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["Maybe", "named", "outlined", "point_of", "region_of", "results", "touches"]


def _leave_out(schema: dict[str, Any]) -> None:
    """Drop ``default: null``: an optional number is declared as a plain number, which every provider reads."""
    schema.pop("default", None)


Maybe = Annotated[float | SkipJsonSchema[None], Field(json_schema_extra=_leave_out)]
"""A number that may be left out."""


def region_of(
    views: ViewSet, view: View, corners: tuple[float | None, ...], *, any_slice: bool = False
) -> Region | None:
    """Return the region of two corners x0, y0, x1, y1, None without any; raises ToolError for half a region."""
    given = [value for value in corners if value is not None]
    if not given:
        return None
    if len(given) < len(corners):
        raise ToolError("a region needs all of x0, y0, x1 and y1; give all four or none")
    x0, y0, x1, y1 = given
    return views.region(view, x0, y0, x1, y1, any_slice=any_slice)


def point_of(views: ViewSet, view: View, x: float | None, y: float | None, name: str) -> Point | None:
    """Return a point, None without any; raises ToolError for half a point. *name* is that of its arguments."""
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise ToolError(f"a point needs both {name}_x and {name}_y")
    return views.point(view, x, y)


def results(views: ViewSet, view: View, found: Measured) -> dict[str, float]:
    """Return the numbers of an outline: box in view and v0, physical sizes, ends of the axes in the view, area."""
    box, ellipse, frame = found.box, found.ellipse, views.frame
    ends = {"major": ellipse.major, "minor": ellipse.minor}
    numbers = named("box", frame.rounded(views.corners(view, box)))
    numbers |= named("v0_box", frame.rounded(views.corners(views.whole, box)))
    for name, (a, b) in ends.items():
        numbers |= named(name, frame.rounded((*views.coordinates(view, a), *views.coordinates(view, b))))
    return numbers | {
        "box_width_mm": round(box.width * view.slice.spacing.width_mm, 4),
        "box_height_mm": round(box.height * view.slice.spacing.height_mm, 4),
        "major_mm": round(ellipse.major_mm, 4),
        "minor_mm": round(ellipse.minor_mm, 4),
        "area_mm2": round(found.area_mm2, 4),
    }


def named(prefix: str, values: tuple[float, ...]) -> dict[str, float]:
    """Return the corners of a box, or the ends of an axis, by the names of a result."""
    keys = (f"{prefix}_x0", f"{prefix}_y0", f"{prefix}_x1", f"{prefix}_y1")
    return dict(zip(keys, values, strict=True))


def touches(box: Region, region: Region) -> bool:
    """Tell whether a box reaches an edge of a region, or lies beyond it."""
    return box.x0 <= region.x0 or box.y0 <= region.y0 or box.x1 >= region.x1 or box.y1 >= region.y1


def outlined(view: View, found: Measured) -> Picture:
    """Return a picture of the view with what was outlined."""
    overlay = Overlay(view).box(found.box, CYAN).ring(found.outline, GREEN)
    overlay.line(*found.ellipse.major, YELLOW).line(*found.ellipse.minor, YELLOW)
    return overlay.picture("outline green, box cyan, axes yellow")
