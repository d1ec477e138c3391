"""The ``protractor`` tool: the angle of two lines in physical space."""

from pydantic import Field

from medvision_agent.quantity import ANGLE_DEG
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import acute_angle_deg
from medvision_agent.tools.view.overlay import CYAN, YELLOW, Overlay
from medvision_agent.tools.view.points import MarkOrPoint, Maybe, in_v0, line_at, mark_or_point, shown_in
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Protractor", "ProtractorArguments", "protractor"]


class ProtractorArguments(Arguments):
    """Two points on each of two lines, each by its coordinates in one view, by a mark or as text."""

    view: str = Field(default="v0", description="Id of the view the coordinates are given in (v0 if left out)")
    ax0: Maybe = Field(default=None, description="x of the first point on line a, from 0 to {width}")
    ay0: Maybe = Field(default=None, description="y of the first point on line a, from 0 to {height}")
    ax1: Maybe = Field(default=None, description="x of the second point on line a, from 0 to {width}")
    ay1: Maybe = Field(default=None, description="y of the second point on line a, from 0 to {height}")
    bx0: Maybe = Field(default=None, description="x of the first point on line b, from 0 to {width}")
    by0: Maybe = Field(default=None, description="y of the first point on line b, from 0 to {height}")
    bx1: Maybe = Field(default=None, description="x of the second point on line b, from 0 to {width}")
    by1: Maybe = Field(default=None, description="y of the second point on line b, from 0 to {height}")
    mark_a0: MarkOrPoint = mark_or_point("First point on line a")
    mark_a1: MarkOrPoint = mark_or_point("Second point on line a")
    mark_b0: MarkOrPoint = mark_or_point("First point on line b")
    mark_b1: MarkOrPoint = mark_or_point("Second point on line b")


class Protractor(Result):
    """Result of ``protractor``: the acute angle (0 to 90 degrees), 180 minus it, and the points.

    The points are in model coordinates of v0; ``view`` is the view on which the lines are drawn.
    """

    view: str
    acute_angle_deg: float
    obtuse_angle_deg: float
    v0_ax0: float
    v0_ay0: float
    v0_ax1: float
    v0_ay1: float
    v0_bx0: float
    v0_by0: float
    v0_bx1: float
    v0_by1: float


_POINTS = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")


@tool(
    ProtractorArguments,
    Protractor,
    overlay=", and a picture with both lines drawn on\nit",
    measures=Measurand(ANGLE_DEG, ("acute_angle_deg",), (_POINTS,), (tuple(f"v0_{name}" for name in _POINTS),)),
)
def protractor(views: ViewSet, args: ProtractorArguments) -> Output:
    """Measure the angle in degrees between two lines, in physical space.

    Line a and line b each go through two points; the lines need not cross inside the picture. Each point is given by
    coordinates of a view, in the coordinate convention of the instructions, by the name of a mark, or as text with its
    view; points may lie in different views. Pixel spacing is accounted for. Returns acute_angle_deg (0 to 90),
    obtuse_angle_deg (180 minus it), the points in coordinates of v0 (v0_...), and a picture with both lines drawn on
    it.
    """
    a = line_at(views, args, ("ax0", "ay0", "mark_a0"), ("ax1", "ay1", "mark_a1"))
    b = line_at(views, args, ("bx0", "by0", "mark_b0"), ("bx1", "by1", "mark_b1"))
    lines = a[0].point, a[1].point, b[0].point, b[1].point
    ends = dict(zip(("a0", "a1", "b0", "b1"), lines, strict=True))
    view = shown_in(views, (*a, *b))
    acute = round(acute_angle_deg(*lines, views.slice.spacing), 4)
    result = Protractor(
        view=view.id, acute_angle_deg=acute, obtuse_angle_deg=round(180 - acute, 4), **in_v0(views, ends)
    )
    names = [placed.mark or name for placed, name in zip((*a, *b), ends, strict=True)]
    overlay = Overlay(view).line(*lines[:2], YELLOW, (names[0], names[1]))
    overlay.line(*lines[2:], CYAN, (names[2], names[3]))
    return Output(result, overlay.picture("line a yellow, line b cyan"))
