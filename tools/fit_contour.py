"""The ``fit_contour`` tool: outline a structure, and measure its box, axes and area.

The outline keeps to the region that it is given, or to what it finds around a seed, and goes by the native values of
the slice, whatever the zoom of the view they are given in: ``segment/candidates.py``. The text that a model reads is
part of every stored run's identity, so it stays as it was with thresholds until a new dated set names the tool.
"""

from typing import Literal

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.quantity import AREA_MM2, BOX, LENGTH_MM
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.segment.asked import Maybe, outlined, point_of, region_of, results, touches
from medvision_agent.tools.segment.candidates import Prompt, candidates
from medvision_agent.tools.segment.variant import Method
from medvision_agent.tools.view.views import ViewSet

__all__ = ["MEASURES", "FitContour", "FitContourArguments", "Outlined", "fit_contour"]


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


class Outlined(Result):
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
    """The measures of what was outlined, and how far to trust them."""

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
    region = region_of(views, view, (args.x0, args.y0, args.x1, args.y1))
    seed = point_of(views, view, args.seed_x, args.seed_y, "seed")
    if region is None and seed is None:
        raise ToolError("give a region (x0, y0, x1, y1), a seed point (seed_x, seed_y), or both")
    if region is not None and seed is not None and not region.holds(seed):
        raise ToolError("the seed lies outside the region; it must be a point inside the structure")
    found = method(view.slice, Prompt(region, seed))[0].measured
    result = FitContour(
        view=view.id,
        quality=round(found.dice, 4),
        touches_region_border=touches(found.box, region or view.region),
        **results(views, view, found),
    )
    return Output(result, outlined(view, found))
