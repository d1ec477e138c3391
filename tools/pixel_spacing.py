"""The ``pixel_spacing`` tool: pixel size, image size and field of view of a view."""

from pydantic import Field

from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.views import ViewSet

__all__ = ["PixelSpacing", "PixelSpacingArguments", "pixel_spacing"]


class PixelSpacingArguments(Arguments):
    """Which view to ask about."""

    view: str = Field(
        default="v0", description="Id of the view (v0 if left out): v0 is the whole image, crops are v1, v2, ..."
    )


class PixelSpacing(Result):
    """Result of ``pixel_spacing``: a view's size in pixels as the model perceives it, mm per pixel, and size in mm."""

    view: str
    width_px: int
    height_px: int
    width_mm_per_px: float
    height_mm_per_px: float
    field_width_mm: float
    field_height_mm: float


@tool(PixelSpacingArguments, PixelSpacing, states_pixels=True)
def pixel_spacing(views: ViewSet, args: PixelSpacingArguments) -> Output:
    """Look up the physical pixel size of a view (v0 if none is given).

    Returns the width and height of the view in pixels as you see it, the millimetres per pixel across
    (width_mm_per_px) and down (height_mm_per_px), and the physical width and height of what it shows.
    """
    view = views.get(args.view)
    spacing, (field_height, field_width) = view.spacing, view.field_mm
    return Output(
        PixelSpacing(
            view=view.id,
            width_px=view.perceived.width,
            height_px=view.perceived.height,
            width_mm_per_px=round(spacing.width_mm, 6),
            height_mm_per_px=round(spacing.height_mm, 6),
            field_width_mm=round(field_width, 4),
            field_height_mm=round(field_height, 4),
        )
    )
