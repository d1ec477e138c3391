"""A tool of its own, in one file: how bright a round region is, whose radius is given in millimetres.

As a file:     medvision-agent run --tools-from examples/tool/medvision_agent_grey_level.py --model NAME
As a package:  pip install examples/tool; medvision-agent run --tools on,grey_level --model NAME
"""

import numpy as np
from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.views import ViewSet


class GreyLevelArguments(Arguments):
    """A point of a view, and how far around it to look."""

    view: str = Field(default="v0", description="Id of the view the point is given in (v0 if left out)")
    x: float = Field(description="x of the centre, from 0 to {width}")
    y: float = Field(description="y of the centre, from 0 to {height}")
    radius_mm: float = Field(default=2.0, ge=0.1, le=100, description="Radius in mm, from 0.1 to 100 (2 if left out)")


class GreyLevel(Result):
    """Grey values as displayed, 0 (black) to 255 (white)."""

    view: str
    mean_grey: float
    lowest_grey: int
    highest_grey: int
    area_mm2: float


@tool(GreyLevelArguments, GreyLevel)
def grey_level(views: ViewSet, args: GreyLevelArguments) -> Output:
    """Look up how bright the image is inside a circle: mean, lowest and highest grey value from 0 (black) to 255.

    Give the centre in the coordinate convention of the instructions and the radius in millimetres. The original image
    is read, whatever the zoom of the view. Returns the area that was really looked at, in whole pixels, as area_mm2.
    """
    view = views.get(args.view)
    centre, grey, spacing = views.point(view, args.x, args.y), view.slice.grey, view.slice.spacing
    rows, columns = np.indices(grey.shape) + 0.5  # pixel centres
    across, down = (columns - centre.x) * spacing.width_mm, (rows - centre.y) * spacing.height_mm
    inside = np.hypot(across, down) <= args.radius_mm
    if not inside.any():
        raise ToolError(f"no pixel lies within {args.radius_mm:g} mm of the point; give a larger radius_mm")
    values = grey[inside]
    return Output(
        GreyLevel(
            view=view.id,
            mean_grey=round(float(values.mean()), 2),
            lowest_grey=int(values.min()),
            highest_grey=int(values.max()),
            area_mm2=round(values.size * spacing.height_mm * spacing.width_mm, 4),
        )
    )
