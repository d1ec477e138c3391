"""The ``fit_contour`` tool: outline a structure, and measure its box, axes and area.

The outline keeps to the region that it is given, or to what it finds around a seed, and goes by the native values of
the slice, whatever the zoom of the view they are given in: ``segment/candidates.py``. In a view through another window
these values are clipped to the window.
"""

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.quantity import AREA_MM2, BOX, LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.segment.asked import kept, outlined, results, touches
from medvision_agent.tools.segment.candidates import Prompt, candidates
from medvision_agent.tools.segment.variant import Method
from medvision_agent.tools.view.points import MarkOrPoint, Maybe, mark_or_point, point_at, region_at, shown_in
from medvision_agent.tools.view.views import ViewSet

__all__ = ["MEASURES", "FitContour", "FitContourArguments", "Outlined", "fit_contour"]


class FitContourArguments(Arguments):
    """Where to look: each point by its coordinates in one view, by a mark or as text."""

    view: str = Field(default="v0", description="Id of the view the coordinates are given in (v0 if left out)")
    x0: Maybe = Field(default=None, description="x of one corner of a region around the structure, from 0 to {width}")
    y0: Maybe = Field(default=None, description="y of one corner of a region around the structure, from 0 to {height}")
    x1: Maybe = Field(default=None, description="x of the opposite corner of the region, from 0 to {width}")
    y1: Maybe = Field(default=None, description="y of the opposite corner of the region, from 0 to {height}")
    seed_x: Maybe = Field(default=None, description="x of a point inside the structure, from 0 to {width}")
    seed_y: Maybe = Field(default=None, description="y of a point inside the structure, from 0 to {height}")
    mark0: MarkOrPoint = mark_or_point("One corner of the region")
    mark1: MarkOrPoint = mark_or_point("Opposite corner of the region")
    seed_mark: MarkOrPoint = mark_or_point("Point inside the structure")


class Outlined(Result):
    """Measures of one outlined structure: its box, its sizes, and the ends of the axes of a fitted ellipse.

    Coordinates are the model's, in the view that ``view`` names; those of ``v0_box_...`` are in v0. Lengths are in mm.
    """

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


MEASURES = (
    Measurand(BOX, ("v0_box_x0", "v0_box_y0", "v0_box_x1", "v0_box_y1")),
    Measurand(
        LENGTH_MM,
        ("major_mm", "minor_mm"),
        (("major_x0", "major_y0", "major_x1", "major_y1"), ("minor_x0", "minor_y0", "minor_x1", "minor_y1")),
    ),
    Measurand(AREA_MM2, ("area_mm2",)),
)
"""What every result of the kind ``Outlined`` measures."""


class FitContour(Outlined):
    """Result of ``fit_contour``: the measures of the outlined structure, and how far to trust them.

    ``quality`` is the overlap (Dice) of outline and ellipse, 0 to 1. ``touches_region_border`` is true where the box
    reaches an edge of the region that was given (without a region: of the view), or goes beyond it.
    """

    quality: float
    touches_region_border: bool


@tool(
    FitContourArguments,
    FitContour,
    overlay=" The picture shows what was outlined.",
    measures=MEASURES,
    solver=True,
    method=candidates,
)
def fit_contour(views: ViewSet, args: FitContourArguments, method: Method) -> Output:
    """Outline a structure, and fit an ellipse to the outline.

    Takes a region around the structure (two opposite corners), or a seed point inside the structure, or both; a call
    with neither is refused. Each point is given by coordinates of a view, in the coordinate convention of the
    instructions, by the name of a mark, or as text with its view. In a region, the outline stays near the ellipse that
    fits into the region, and leaves it where the image has an edge; a seed then lies inside the outline. With a seed
    alone, windows of growing size around it are searched, and the outline with the strongest edge is taken.
    Returns the bounding box in coordinates of the view that is named in the result (box_...) and of v0 (v0_box_...),
    its physical size, the lengths and end points of the ellipse's major and minor axis, the area, and quality: the
    overlap of ellipse and outline from 0 to 1. The ellipse, and so an end point, may reach slightly beyond the view. If
    touches_region_border is true, the outline reaches an edge of the region (of the view, where none is given) or goes
    beyond it. The picture shows what was outlined.
    """
    region, corners = region_at(views, args, ("x0", "y0", "mark0"), ("x1", "y1", "mark1"))
    seed = point_at(views, args, ("seed_x", "seed_y", "seed_mark"))
    if region is None and seed is None:
        raise ToolError("give a region (x0, y0, x1, y1), a seed point (seed_x, seed_y), or both")
    if region is not None and seed is not None and not region.holds(seed.point):
        raise ToolError("the seed lies outside the region; it must be a point inside the structure")
    view = shown_in(views, [*corners, *([seed] if seed else [])])
    found = method(view.slice.windowed, Prompt(region, seed.point if seed else None))[0].measured
    result = FitContour(
        view=view.id,
        quality=round(found.dice, 4),
        touches_region_border=touches(found.box, region or view.region),
        **results(views, view, found),
    )
    return Output(result, outlined(view, found), kept(found))
