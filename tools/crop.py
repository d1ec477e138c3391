"""The ``crop`` tool: a part of a view, enlarged, as a new view."""

from pydantic import Field

from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.display import picture_of
from medvision_agent.tools.view.views import MAX_ZOOM, ViewSet

__all__ = ["Crop", "CropArguments", "crop", "cropped"]


class CropArguments(Arguments):
    """Two opposite corners and an enlargement."""

    view: str = Field(default="v0", description="Id of the view the corners are given in (v0 if left out)")
    x0: float = Field(description="x of one corner, from 0 to {width}")
    y0: float = Field(description="y of one corner, from 0 to {height}")
    x1: float = Field(description="x of the opposite corner, from 0 to {width}")
    y1: float = Field(description="y of the opposite corner, from 0 to {height}")
    zoom: float = Field(
        default=2.0, ge=1, le=MAX_ZOOM, description="Enlargement over the original pixels, from 1 to 16 (2 if left out)"
    )


class Crop(Result):
    """Result of ``crop``: the ids of the new view and of the view it was cut from, its place and its size.

    The corners are in model coordinates of v0, the lower values first. Width and height are in pixels as the model
    perceives the new view. ``zoom`` is the enlargement over native pixels.
    """

    view: str
    of: str
    v0_x0: float
    v0_y0: float
    v0_x1: float
    v0_y1: float
    zoom: float
    width_px: int
    height_px: int
    width_mm_per_px: float
    height_mm_per_px: float


def cropped(views: ViewSet, args: CropArguments) -> Crop:
    """Add the view that the arguments ask for, and return its id, its place in v0 and its size.

    Raises ToolError for an unknown view, for a corner outside the view, and for a region without width or height.
    """
    source = views.get(args.view)
    region = views.region(source, args.x0, args.y0, args.x1, args.y1, any_slice=True)
    view = views.crop(region, args.zoom, source)
    x0, y0, x1, y1 = views.frame.rounded(views.corners(views.whole, view.region))
    width, height, spacing = view.perceived.width, view.perceived.height, view.spacing
    return Crop(
        view=view.id,
        of=source.id,
        v0_x0=x0,
        v0_y0=y0,
        v0_x1=x1,
        v0_y1=y1,
        zoom=round(max(view.size.width, view.size.height) / max(view.region.width, view.region.height), 4),
        width_px=width,
        height_px=height,
        width_mm_per_px=round(spacing.width_mm, 6),
        height_mm_per_px=round(spacing.height_mm, 6),
    )


@tool(CropArguments, Crop, states_pixels=True)
def crop(views: ViewSet, args: CropArguments) -> Output:
    """Look closer at a part of a view: returns an enlarged picture of it as a new view with its own id.

    Give two opposite corners, in any order, in the coordinate convention of the instructions. The region is widened
    to whole original pixels; v0_x0, v0_y0, v0_x1 and v0_y1 say in coordinates of v0 what was really taken. The
    original image is resampled by bilinear interpolation, so enlarging shows no detail that is not there. A zoom
    that would make the picture too large is lowered; the one used is returned. Points in the new picture are given
    to tools with the new view id, from 0 to {extent} across that picture.
    """
    result = cropped(views, args)
    caption = (
        f"view {result.view}, a part of {result.of}: width_px = {result.width_px}, height_px = {result.height_px}, "
        f"width_mm_per_px = {result.width_mm_per_px:g}, height_mm_per_px = {result.height_mm_per_px:g}"
    )
    return Output(result, picture_of(views, views.get(result.view), caption))
