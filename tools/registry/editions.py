"""Earlier declarations of shipped tools: what a model reads of them in a dated set from before their words changed.

A tool whose arguments, text or results change keeps its form here, under every set that has it so; the function is
today's. Contract: what a released set declares never changes, so nothing here is edited.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

from pydantic import Field

from medvision_agent.quantity import ANGLE_DEG, LENGTH_MM
from medvision_agent.tools import fit_contour as contour
from medvision_agent.tools import protractor as angle
from medvision_agent.tools import ruler as line
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, Tool, tool
from medvision_agent.tools.segment.candidates import candidates
from medvision_agent.tools.segment.variant import Method
from medvision_agent.tools.view.points import Maybe
from medvision_agent.tools.view.views import ViewSet

__all__ = ["EDITIONS"]

_R = TypeVar("_R", bound=Result)


def _then(now: Tool, views: ViewSet, args: Arguments, result: type[_R], method: Method | None = None) -> Output:
    """Return the output of today's tool *now*, with only the fields of *result*, the result type of the earlier form.

    *args* are arguments in the earlier form. *method* is needed only for a tool that outlines.
    """
    known = args.model_dump(include=set(now.arguments.model_fields))
    asked = now.arguments(**known)
    if now.outlines is None or method is None:
        output = now.function(views, asked)
    else:
        output = now.outlines(views, asked, method)
    return Output(result(**output.result.model_dump(include=set(result.model_fields))), output.picture)


class RulerArguments(Arguments):
    """Two points of one view."""

    view: str = Field(default="v0", description="Id of the view the points are given in (v0 if left out)")
    x0: float = Field(description="x of the first point, from 0 to {width}")
    y0: float = Field(description="y of the first point, from 0 to {height}")
    x1: float = Field(description="x of the second point, from 0 to {width}")
    y1: float = Field(description="y of the second point, from 0 to {height}")


class Ruler(Result):
    """Result of the earlier ``ruler``: the distance, and its absolute horizontal and vertical parts, in mm."""

    view: str
    distance_mm: float
    dx_mm: float
    dy_mm: float


@tool(
    RulerArguments,
    Ruler,
    overlay=", and a picture of the view with the line\ndrawn where the points lie",
    measures=Measurand(LENGTH_MM, ("distance_mm",), (("x0", "y0", "x1", "y1"),)),
)
def ruler(views: ViewSet, args: RulerArguments) -> Output:
    """Measure the physical distance in millimetres between two points of a view.

    Points are given in the coordinate convention of the instructions. Pixel spacing and zoom are accounted for.
    Returns distance_mm, its horizontal and vertical parts dx_mm and dy_mm, and a picture of the view with the line
    drawn where the points lie.
    """
    return _then(line.ruler, views, args, Ruler)


class ProtractorArguments(Arguments):
    """Two points on each of two lines, all in one view."""

    view: str = Field(default="v0", description="Id of the view the points are given in (v0 if left out)")
    ax0: float = Field(description="x of the first point on line a, from 0 to {width}")
    ay0: float = Field(description="y of the first point on line a, from 0 to {height}")
    ax1: float = Field(description="x of the second point on line a, from 0 to {width}")
    ay1: float = Field(description="y of the second point on line a, from 0 to {height}")
    bx0: float = Field(description="x of the first point on line b, from 0 to {width}")
    by0: float = Field(description="y of the first point on line b, from 0 to {height}")
    bx1: float = Field(description="x of the second point on line b, from 0 to {width}")
    by1: float = Field(description="y of the second point on line b, from 0 to {height}")


class Protractor(Result):
    """Result of the earlier ``protractor``: the acute angle (0 to 90 degrees), and 180 minus it."""

    view: str
    acute_angle_deg: float
    obtuse_angle_deg: float


@tool(
    ProtractorArguments,
    Protractor,
    overlay=", and a picture of the view with both lines drawn on it",
    measures=Measurand(ANGLE_DEG, ("acute_angle_deg",), (("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1"),)),
)
def protractor(views: ViewSet, args: ProtractorArguments) -> Output:
    """Measure the angle in degrees between two lines of a view, in physical space.

    Line a and line b each go through two points, given in the coordinate convention of the instructions; the lines
    need not cross inside the picture. Pixel spacing is accounted for. Returns acute_angle_deg (0 to 90),
    obtuse_angle_deg (180 minus it), and a picture of the view with both lines drawn on it.
    """
    return _then(angle.protractor, views, args, Protractor)


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


@tool(
    FitContourArguments,
    contour.FitContour,
    overlay=" The picture shows what was outlined.",
    measures=contour.MEASURES,
    solver=True,
    method=candidates,
)
def fit_contour(views: ViewSet, args: FitContourArguments, method: Method) -> Output:
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
    return _then(contour.fit_contour, views, args, contour.FitContour, method)


EDITIONS: Final[Mapping[str, Mapping[str, Tool]]] = {
    "2026-11": {one.name: one for one in (ruler, protractor, fit_contour)},
}
"""The earlier declarations by the month of the set and by the name of the tool."""
