"""The ``mark`` tool: a named point that keeps its place in all views."""

from pydantic import Field

from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.marks import LONGEST
from medvision_agent.tools.view.overlay import YELLOW, Overlay
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Mark", "MarkArguments", "mark"]


class MarkArguments(Arguments):
    """A name and a point of one view."""

    name: str = Field(description=f"Name of the mark: a letter, then letters and digits, {LONGEST} at most")
    view: str = Field(default="v0", description="Id of the view the point is given in (v0 if left out)")
    x: float = Field(description="x of the point, from 0 to {width}")
    y: float = Field(description="y of the point, from 0 to {height}")


class Mark(Result):
    """Result of ``mark``: the mark's name, the view it was placed in, and its model coordinates in v0."""

    mark: str
    view: str
    v0_x: float
    v0_y: float


@tool(MarkArguments, Mark, overlay=", and a picture of the view with the mark")
def mark(views: ViewSet, args: MarkArguments) -> Output:
    """Place a mark: a named point of a view that other tools take in place of coordinates, whatever the view.

    The point is given in the coordinate convention of the instructions. Placing a name again moves the mark; there can
    be 20 marks. A final answer that is a box may be the names of two or more marks, or points as text such as
    'v1: x=..., y=...', in place of coordinates; it is then the smallest box that holds them. Returns the point in
    coordinates of v0 (v0_x, v0_y), and a picture of the view with the mark.
    """
    view = views.get(args.view)
    placed = views.marks.place(args.name, views.point(view, args.x, args.y), view.id)
    x, y = views.frame.rounded(views.coordinates(views.whole, placed.point))
    picture = Overlay(view).point(placed.point, placed.mark, YELLOW).picture(f"mark {placed.mark}, yellow")
    return Output(Mark(mark=placed.mark, view=view.id, v0_x=x, v0_y=y), picture)
