"""The ``protractor`` tool: the angle of two lines in physical space."""

from pydantic import Field

from medvision_agent.quantity import ANGLE_DEG
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.view.geometry import acute_angle_deg
from medvision_agent.tools.view.overlay import CYAN, YELLOW, Overlay
from medvision_agent.tools.view.views import ViewSet, line_of

__all__ = ["Protractor", "ProtractorArguments", "protractor"]


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
    """The acute angle (0..90 degrees) and what it leaves of 180."""

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
    view = views.get(args.view)
    a = line_of(views, view, (args.ax0, args.ay0), (args.ax1, args.ay1))
    b = line_of(views, view, (args.bx0, args.by0), (args.bx1, args.by1))
    acute = round(acute_angle_deg(*a, *b, view.slice.spacing), 4)
    result = Protractor(view=view.id, acute_angle_deg=acute, obtuse_angle_deg=round(180 - acute, 4))
    overlay = Overlay(view).line(*a, YELLOW, ("a0", "a1")).line(*b, CYAN, ("b0", "b1"))
    return Output(result, overlay.picture("line a yellow, line b cyan"))
