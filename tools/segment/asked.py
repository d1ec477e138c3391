"""Functions shared by the tools that outline: the results, the drawing and the stored shapes of an outline."""

from medvision_agent.tools.segment.contour import Measured
from medvision_agent.tools.view.drawn import Drawn
from medvision_agent.tools.view.geometry import Region
from medvision_agent.tools.view.overlay import CYAN, GREEN, YELLOW, Overlay
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["kept", "named", "outlined", "results", "touches"]


def results(views: ViewSet, view: View, found: Measured) -> dict[str, float]:
    """Return the numeric fields of a result: boxes in view and v0, ends of the axes in the view, mm and mm2.

    Coordinates are the model's.
    """
    box, ellipse, frame = found.box, found.ellipse, views.frame
    ends = {"major": ellipse.major, "minor": ellipse.minor}
    numbers = named("box", frame.rounded(views.corners(view, box)))
    numbers |= named("v0_box", frame.rounded(views.corners(views.whole, box)))
    for name, (a, b) in ends.items():
        numbers |= named(name, frame.rounded((*views.coordinates(view, a), *views.coordinates(view, b))))
    return numbers | {
        "box_width_mm": round(box.width * view.slice.spacing.width_mm, 4),
        "box_height_mm": round(box.height * view.slice.spacing.height_mm, 4),
        "major_mm": round(ellipse.major_mm, 4),
        "minor_mm": round(ellipse.minor_mm, 4),
        "area_mm2": round(found.area_mm2, 4),
    }


def named(prefix: str, values: tuple[float, ...]) -> dict[str, float]:
    """Return four coordinates by the field names PREFIX_x0, PREFIX_y0, PREFIX_x1 and PREFIX_y1."""
    keys = (f"{prefix}_x0", f"{prefix}_y0", f"{prefix}_x1", f"{prefix}_y1")
    return dict(zip(keys, values, strict=True))


def touches(box: Region, region: Region) -> bool:
    """Return whether a side of *box* lies on, or beyond, the same side of *region*; both in the slice frame."""
    return box.x0 <= region.x0 or box.y0 <= region.y0 or box.x1 >= region.x1 or box.y1 >= region.y1


def outlined(view: View, found: Measured) -> Picture:
    """Return a picture of the view with the outline, the corners of the box and the ends of the axes drawn on it."""
    overlay = Overlay(view).box(found.box, CYAN).ring(found.outline, GREEN)
    overlay.ends(*found.ellipse.major, YELLOW).ends(*found.ellipse.minor, YELLOW)
    return overlay.picture("outline green, corners of the box cyan, ends of the axes yellow")


def kept(found: Measured) -> tuple[Drawn, ...]:
    """Return the outline, the ellipse and the box in the form stored for readers of the run, in the slice frame."""
    ellipse = found.ellipse
    return Drawn.outline(found.outline), Drawn.ellipse(ellipse.major, ellipse.minor), Drawn.box(found.box)
