"""The ``window`` tool: the native values of a view shown through another intensity window, as a new view."""

from typing import Literal

import numpy as np
from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.display import picture_of
from medvision_agent.tools.view.points import Maybe, region_at
from medvision_agent.tools.view.slice import Units
from medvision_agent.tools.view.slice import Window as Mapping
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["Window", "WindowArguments", "window"]

_LARGEST = 100_000
"""Largest level and width in HU; no CT comes near it."""


class WindowArguments(Arguments):
    """A view, and a window in HU or by percentiles of the values of a part of the view."""

    view: str = Field(default="v0", description="Id of the view to show otherwise (v0 if left out)")
    by: Literal["HU", "percentile"] = Field(
        description="HU: level and width say the window; percentile: low_percent and high_percent do"
    )
    level: Maybe = Field(default=None, description="By HU: the middle of the window, from -100000 to 100000")
    width: Maybe = Field(default=None, description="By HU: the width of the window, above 0 and up to 100000")
    low_percent: float = Field(
        default=0.5,
        ge=0,
        le=100,
        description="By percentile: the one of the values that is shown black, from 0 to 100 (0.5 if left out)",
    )
    high_percent: float = Field(
        default=99.5,
        ge=0,
        le=100,
        description="By percentile: the one of the values that is shown white, from 0 to 100 (99.5 if left out)",
    )
    x0: Maybe = Field(default=None, description="By percentile: x of one corner of a region, from 0 to {width}")
    y0: Maybe = Field(default=None, description="By percentile: y of one corner of a region, from 0 to {height}")
    x1: Maybe = Field(default=None, description="By percentile: x of the opposite corner, from 0 to {width}")
    y1: Maybe = Field(default=None, description="By percentile: y of the opposite corner, from 0 to {height}")


class Window(Result):
    """Result of ``window``: the new view, the view it was made from (``of``), and the values shown black and white."""

    view: str
    of: str
    black_value: float
    white_value: float
    units: str


@tool(WindowArguments, Window)
def window(views: ViewSet, args: WindowArguments) -> Output:
    """Show a view through another intensity window: returns the same part of the image as a new view with its own id.

    The window is given by HU (level and width), where the values of the image are in HU, or by percentiles
    (low_percent and high_percent) of the values of the view, or of a region of it (two opposite corners, in the
    coordinate convention of the instructions). It is applied to the original values. black_value and what is less are
    shown black, white_value and what is more white, values between them as grey levels in proportion; units says what
    they are measured in.
    Points in the new picture are given to tools with the new view id; they have the same coordinates as in the view it
    was made of. Parts cropped from the new view keep its window. In all these views, structures are outlined by values
    that are cut off at black_value and at white_value.
    """
    source = views.get(args.view)
    low, high = _by_hu(views, args, source) if args.by == "HU" else _by_percentile(views, args, source)
    view = views.shown(source, Mapping(low, high))
    units = source.slice.units
    result = Window(view=view.id, of=source.id, black_value=round(low, 4), white_value=round(high, 4), units=units)
    caption = f"view {view.id}, the same part as {source.id}, from {low:.6g} (black) to {high:.6g} (white); {units}"
    return Output(result, picture_of(views, view, caption))


def _by_hu(views: ViewSet, args: WindowArguments, source: View) -> tuple[float, float]:
    """Return the native values that are shown black and white, from level and width in HU.

    Raises ToolError where the image is not in HU, and where level or width is missing or beyond its limits.
    """
    if views.refuses and source.slice.units != Units.HU:
        raise ToolError(
            f"the values of this image are not known to be HU ({source.slice.units}); window by percentile",
            about_image=True,
        )
    if args.level is None or args.width is None:
        raise ToolError("a window by HU needs both level and width")
    if not (abs(args.level) <= _LARGEST and 0 < args.width <= _LARGEST):
        raise ToolError(f"level must be from -{_LARGEST} to {_LARGEST}, width above 0 and up to {_LARGEST}")
    return args.level - args.width / 2, args.level + args.width / 2


def _by_percentile(views: ViewSet, args: WindowArguments, source: View) -> tuple[float, float]:
    """Return the native values that are shown black and white, from the percentiles of the region or the whole view.

    Both are equal where the image has the same value at both percentiles; the view is then all black. That is no error,
    because an error would tell the model about the image in an arm in which it must not learn anything of it. Raises
    ToolError unless low_percent is less than high_percent.
    """
    region = region_at(views, args, ("x0", "y0"), ("x1", "y1"), any_slice=True)[0] or source.region
    if not args.low_percent < args.high_percent:
        raise ToolError("low_percent must be less than high_percent")
    x0, y0, x1, y1 = region.pixels(source.slice.size)
    low, high = np.percentile(source.slice.values[y0:y1, x0:x1], (args.low_percent, args.high_percent))
    return float(low), float(high)
