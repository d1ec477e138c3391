"""The ``statistics`` tool: the native values in a region or along a line of a view."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.overlay import YELLOW, Overlay
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.points import line_at
from medvision_agent.tools.view.profile import plot, profile_of
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["Statistics", "StatisticsArguments", "statistics"]

_MOST = 32
"""Values of a profile at most."""


class StatisticsArguments(Arguments):
    """A region (two opposite corners) or a line (two ends) of one view."""

    view: str = Field(default="v0", description="Id of the view the points are given in (v0 if left out)")
    of: Literal["region", "line"] = Field(
        default="region",
        description="Whether the points are opposite corners of a region or the ends of a line (region if left out)",
    )
    x0: float = Field(description="x of the first point, from 0 to {width}")
    y0: float = Field(description="y of the first point, from 0 to {height}")
    x1: float = Field(description="x of the second point, from 0 to {width}")
    y1: float = Field(description="y of the second point, from 0 to {height}")


class Statistics(Result):
    """Result of ``statistics``: number, mean, spread and range of pixel values, in the unit that ``units`` names."""

    view: str
    units: str
    pixels: int
    mean: float
    standard_deviation: float
    minimum: float
    maximum: float
    profile: str
    slice_position_mm: float


@tool(
    StatisticsArguments,
    Statistics,
    overlay=" The picture shows\nthe region on the view, or the profile as a plot.",
)
def statistics(views: ViewSet, args: StatisticsArguments) -> Output:
    """Look up the original pixel values in a region of a view, or along a line.

    Points are given in the coordinate convention of the instructions. Counted are the original pixels that the region
    touches or the line crosses, whatever the zoom or the window of the view. Returns how many they are, the mean, the
    standard deviation, the minimum and the maximum; units says what they are measured in (HU, grey levels, or
    unknown). For a line, profile lists position:value from the first point on, positions in mm, values of single
    pixels or, of more than 32 pixels, means of 32 parts; for a region it is empty. slice_position_mm is the distance
    of the slice shown from the image asked about, 0 for views of that image. The picture shows
    the region on the view, or the profile as a plot.
    """
    view = views.get(args.view)
    if args.of == "line":
        a, b = line_at(views, args, ("x0", "y0"), ("x1", "y1"), any_slice=True)
        found = profile_of(view.slice, a.point, b.point)
        words = " ".join(f"{place:.4g}:{value:.6g}" for place, value in found.parts(_MOST))
        low, high = float(found.values.min()), float(found.values.max())
        caption = (
            f"profile of the line on {view.id}: across from 0 to {found.length_mm:.4g} mm, upwards from {low:.6g} to "
            f"{high:.6g}; {view.slice.units}"
        )
        return Output(_result(view, found.values, words), Picture(plot(found), caption))
    region = views.region(view, args.x0, args.y0, args.x1, args.y1, any_slice=True)
    x0, y0, x1, y1 = region.pixels(view.slice.size)
    result = _result(view, view.slice.values[y0:y1, x0:x1].astype(np.float64), "")
    return Output(result, Overlay(view).box(region, YELLOW).picture("the region, yellow"))


def _result(view: View, values: NDArray[np.float64], profile: str) -> Statistics:
    """Return the statistics of *values*, pixels of *view*; the standard deviation divides by their number n."""
    return Statistics(
        view=view.id,
        units=view.slice.units,
        pixels=values.size,
        mean=round(float(values.mean()), 4),
        standard_deviation=round(float(values.std()), 4),
        minimum=round(float(values.min()), 4),
        maximum=round(float(values.max()), 4),
        profile=profile,
        slice_position_mm=round(view.slice.away_mm, 4),
    )
