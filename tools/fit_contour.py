"""The ``fit_contour`` tool: outline a structure, and measure its box, axes and area.

A region is segmented on the native slice as it is displayed, whatever the zoom of the view it is given in.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from medvision_agent.errors import ToolError
from medvision_agent.quantity import AREA_MM2, BOX, LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.segment.contour import Cut, Measured
from medvision_agent.tools.segment.search import around_seed, in_region
from medvision_agent.tools.view.geometry import Point
from medvision_agent.tools.view.overlay import CYAN, GREEN, YELLOW, Overlay
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["FitContour", "FitContourArguments", "fit_contour"]


def _leave_out(schema: dict[str, Any]) -> None:
    """Drop ``default: null``: an optional number is declared as a plain number, which every provider reads."""
    schema.pop("default", None)


Maybe = Annotated[float | SkipJsonSchema[None], Field(json_schema_extra=_leave_out)]
"""A number that may be left out."""


class FitContourArguments(Arguments):
    """Where to look and what for."""

    view: str = Field(default="v0", description="Id of the view the coordinates are given in (v0 if left out)")
    target: Literal["bright", "dark"] = Field(
        description="Whether the structure is brighter or darker than what surrounds it"
    )
    x0: Maybe = Field(default=None, description="x of one corner of the region to search, from 0 to {width}")
    y0: Maybe = Field(default=None, description="y of one corner of the region to search, from 0 to {height}")
    x1: Maybe = Field(default=None, description="x of the opposite corner of the region, from 0 to {width}")
    y1: Maybe = Field(default=None, description="y of the opposite corner of the region, from 0 to {height}")
    seed_x: Maybe = Field(default=None, description="x of a point inside the structure, from 0 to {width}")
    seed_y: Maybe = Field(default=None, description="y of a point inside the structure, from 0 to {height}")


class FitContour(Result):
    """Box in the view and in v0, physical sizes, and the end points of the ellipse's axes in the view."""

    view: str
    box_x0: float
    box_y0: float
    box_x1: float
    box_y1: float
    v0_box_x0: float
    v0_box_y0: float
    v0_box_x1: float
    v0_box_y1: float
    box_width_mm: float
    box_height_mm: float
    major_mm: float
    minor_mm: float
    major_x0: float
    major_y0: float
    major_x1: float
    major_y1: float
    minor_x0: float
    minor_y0: float
    minor_x1: float
    minor_y1: float
    area_mm2: float
    quality: float
    touches_region_border: bool


@tool(
    FitContourArguments,
    FitContour,
    overlay=" The picture shows what was outlined.",
    measures=(
        Measurand(BOX, ("v0_box_x0", "v0_box_y0", "v0_box_x1", "v0_box_y1")),
        Measurand(
            LENGTH_MM,
            ("major_mm", "minor_mm"),
            (("major_x0", "major_y0", "major_x1", "major_y1"), ("minor_x0", "minor_y0", "minor_x1", "minor_y1")),
        ),
        Measurand(AREA_MM2, ("area_mm2",)),
    ),
    solver=True,
)
def fit_contour(views: ViewSet, args: FitContourArguments) -> Output:
    """Outline a structure that is brighter or darker than its surroundings, and fit an ellipse to the outline.

    Takes a region (two opposite corners) that holds the whole structure and a margin around it, or a seed point
    inside the structure, or both, in the coordinate convention of the instructions; a call with neither is refused.
    In a region, the structure at the seed is outlined, or the largest without a seed; one that runs on beyond the
    region is cut off there if it hangs together by a narrower part. With a seed alone, windows of growing size
    around it are searched for one that holds the structure, and if there is none, the whole view.
    Returns the bounding box in coordinates of the view (box_...) and of v0 (v0_box_...), its physical size, the
    lengths and end points of the ellipse's major and minor axis, the area, and quality: the overlap of ellipse and
    outline from 0 to 1. The ellipse, and so an end point, may reach slightly beyond the view. If
    touches_region_border is true, the region (the view, where none is given) cuts the structure off, and every size
    is too small. The picture shows what was outlined.
    """
    view = views.get(args.view)
    region = _region(views, view, args)
    seed = _seed(views, view, args, region)
    if args.x0 is None and seed is not None:
        found = around_seed(view.slice.grey, args.target, region, view.slice.spacing, seed)
    else:
        found = in_region(view.slice.grey, args.target, region, view.slice.spacing, seed)
    return Output(_result(views, view, found, region), _picture(view, found))


def _region(views: ViewSet, view: View, args: FitContourArguments) -> Cut:
    """Return the native pixels to search; raises ToolError for half a region or no hint at all."""
    if args.x0 is not None and args.y0 is not None and args.x1 is not None and args.y1 is not None:
        region = views.region(view, args.x0, args.y0, args.x1, args.y1)
        return Cut(*region.pixels(view.slice.size))
    if not (args.x0 is args.y0 is args.x1 is args.y1 is None):
        raise ToolError("a region needs all of x0, y0, x1 and y1; give all four or none")
    if args.seed_x is None and args.seed_y is None:
        raise ToolError("give a region (x0, y0, x1, y1), a seed point (seed_x, seed_y), or both")
    return Cut(*view.region.pixels(view.slice.size))


def _seed(views: ViewSet, view: View, args: FitContourArguments, region: Cut) -> tuple[int, int] | None:
    """Return the seed as a native pixel (row, column) of the region, or None without a seed."""
    if args.seed_x is None and args.seed_y is None:
        return None
    if args.seed_x is None or args.seed_y is None:
        raise ToolError("a seed needs both seed_x and seed_y")
    point = views.point(view, args.seed_x, args.seed_y)
    if not (region.x0 <= point.x <= region.x1 and region.y0 <= point.y <= region.y1):
        raise ToolError("the seed lies outside the region; it must be a point inside the structure")
    return min(int(point.y), region.y1 - 1), min(int(point.x), region.x1 - 1)


def _result(views: ViewSet, view: View, found: Measured, region: Cut) -> FitContour:
    spacing, box, ellipse, frame = view.slice.spacing, found.box, found.ellipse, views.frame
    numbers = {
        **_named("box", frame.rounded(views.corners(view, box))),
        **_named("v0_box", frame.rounded(views.corners(views.whole, box))),
        **_named("major", frame.rounded(_ends(views, view, ellipse.major))),
        **_named("minor", frame.rounded(_ends(views, view, ellipse.minor))),
    }
    return FitContour(
        view=view.id,
        box_width_mm=round(box.width * spacing.width_mm, 4),
        box_height_mm=round(box.height * spacing.height_mm, 4),
        major_mm=round(ellipse.major_mm, 4),
        minor_mm=round(ellipse.minor_mm, 4),
        area_mm2=round(found.area_mm2, 4),
        quality=round(found.dice, 4),
        touches_region_border=(
            box.x0 <= region.x0 or box.y0 <= region.y0 or box.x1 >= region.x1 or box.y1 >= region.y1
        ),
        **numbers,
    )


def _ends(views: ViewSet, view: View, ends: tuple[Point, Point]) -> tuple[float, float, float, float]:
    return (*views.coordinates(view, ends[0]), *views.coordinates(view, ends[1]))


def _named(prefix: str, values: tuple[float, ...]) -> dict[str, float]:
    keys = (f"{prefix}_x0", f"{prefix}_y0", f"{prefix}_x1", f"{prefix}_y1")
    return dict(zip(keys, values, strict=True))


def _picture(view: View, found: Measured) -> Picture:
    overlay = Overlay(view).box(found.box, CYAN).ring(found.outline, GREEN)
    overlay.line(*found.ellipse.major, YELLOW).line(*found.ellipse.minor, YELLOW)
    return overlay.picture("outline green, box cyan, axes yellow")
