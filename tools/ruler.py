"""The ``ruler`` tool: the physical distance of two points."""

from pydantic import Field

from medvision_agent.quantity import LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import distance_mm
from medvision_agent.tools.view.overlay import YELLOW, Overlay
from medvision_agent.tools.view.points import MarkOrPoint, Maybe, in_v0, line_at, mark_or_point, shown_in
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Ruler", "RulerArguments", "ruler"]


class RulerArguments(Arguments):
    """Two points, each by its coordinates in one view, by a mark or as text."""

    view: str = Field(default="v0", description="Id of the view the coordinates are given in (v0 if left out)")
    x0: Maybe = Field(default=None, description="x of the first point, from 0 to {width}")
    y0: Maybe = Field(default=None, description="y of the first point, from 0 to {height}")
    x1: Maybe = Field(default=None, description="x of the second point, from 0 to {width}")
    y1: Maybe = Field(default=None, description="y of the second point, from 0 to {height}")
    mark0: MarkOrPoint = mark_or_point("First point")
    mark1: MarkOrPoint = mark_or_point("Second point")


class Ruler(Result):
    """Result of ``ruler``: the distance, its absolute horizontal and vertical parts (mm), and both points.

    The points are in model coordinates of v0; ``view`` is the view on which the line is drawn.
    """

    view: str
    distance_mm: float
    dx_mm: float
    dy_mm: float
    v0_x0: float
    v0_y0: float
    v0_x1: float
    v0_y1: float


@tool(
    RulerArguments,
    Ruler,
    overlay=",\nand a picture with the line drawn where the points lie",
    measures=Measurand(
        LENGTH_MM, ("distance_mm",), (("x0", "y0", "x1", "y1"),), (("v0_x0", "v0_y0", "v0_x1", "v0_y1"),)
    ),
)
def ruler(views: ViewSet, args: RulerArguments) -> Output:
    """Measure the physical distance in millimetres between two points.

    Each point is given by coordinates of a view, in the coordinate convention of the instructions, by the name of a
    mark, or as text with its view; the two may lie in different views. Pixel spacing and zoom are accounted for.
    Returns distance_mm, its horizontal and vertical parts dx_mm and dy_mm, both points in coordinates of v0 (v0_...),
    and a picture with the line drawn where the points lie.
    """
    ends = line_at(views, args, ("x0", "y0", "mark0"), ("x1", "y1", "mark1"))
    a, b = (end.point for end in ends)
    view, spacing = shown_in(views, ends), views.slice.spacing
    result = Ruler(
        view=view.id,
        distance_mm=round(distance_mm(a, b, spacing), 4),
        dx_mm=round(abs(b.x - a.x) * spacing.width_mm, 4),
        dy_mm=round(abs(b.y - a.y) * spacing.height_mm, 4),
        **in_v0(views, {"0": a, "1": b}),
    )
    return Output(
        result,
        Overlay(view)
        .line(a, b, YELLOW, (ends[0].mark or "A", ends[1].mark or "B"))
        .picture("the line measured, yellow"),
    )
