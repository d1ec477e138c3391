"""A line a model gives: two points in one view that do not coincide."""

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.geometry import Point, distance_mm
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["line_of"]


def line_of(views: ViewSet, view: View, start: tuple[float, float], end: tuple[float, float]) -> tuple[Point, Point]:
    """Return the slice points of a line whose ends are model coordinates (x, y) of *view*.

    Raises ToolError where a point lies outside the view, or the line is too short to be told from a point.
    """
    a, b = views.point(view, *start), views.point(view, *end)
    if round(distance_mm(a, b, view.slice.spacing), 4) == 0:
        raise ToolError(f"both points of the line lie at {views.frame.shown(*start)}; give two different points")
    return a, b
