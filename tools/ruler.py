"""The ``ruler`` tool: the physical distance of two points."""

from pydantic import Field

from medvision_agent.quantity import LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import distance_mm
from medvision_agent.tools.view.overlay import YELLOW, Overlay
from medvision_agent.tools.view.views import ViewSet, line_of

__all__ = ["Ruler", "RulerArguments", "ruler"]


class RulerArguments(Arguments):
    """Two points of one view."""

    view: str = Field(default="v0", description="Id of the view the points are given in (v0 if left out)")
    x0: float = Field(description="x of the first point, from 0 to {width}")
    y0: float = Field(description="y of the first point, from 0 to {height}")
    x1: float = Field(description="x of the second point, from 0 to {width}")
    y1: float = Field(description="y of the second point, from 0 to {height}")


class Ruler(Result):
    """The distance and its parts across and down, all at least 0."""

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
    view = views.get(args.view)
    a, b = line_of(views, view, (args.x0, args.y0), (args.x1, args.y1))
    spacing = view.slice.spacing
    result = Ruler(
        view=view.id,
        distance_mm=round(distance_mm(a, b, spacing), 4),
        dx_mm=round(abs(b.x - a.x) * spacing.width_mm, 4),
        dy_mm=round(abs(b.y - a.y) * spacing.height_mm, 4),
    )
    return Output(result, Overlay(view).line(a, b, YELLOW, ("A", "B")).picture("the line measured, yellow"))
