"""The ``segment`` tool: candidates for a structure, each with its box, axes, area and outline.

The method is a setting of the arm (``segment@watershed``), which the model is not told of. Only the default method has
a confidence, which was calibrated on real masks by their native values (``segment/confidence.py``); in a view through
another window it has none.
"""

from dataclasses import replace

import numpy as np
from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.base import Arguments, Output, tool
from medvision_agent.tools.fit_contour import MEASURES, Outlined
from medvision_agent.tools.segment.asked import kept, outlined, results
from medvision_agent.tools.segment.candidates import MOST, Candidate, Prompt, candidates
from medvision_agent.tools.segment.confidence import confidence
from medvision_agent.tools.segment.variant import Method
from medvision_agent.tools.view.geometry import Point
from medvision_agent.tools.view.points import MarkOrPoint, Maybe, mark_or_point, point_at, region_at, shown_in
from medvision_agent.tools.view.views import View, ViewSet

__all__ = ["Segment", "SegmentArguments", "segment"]

_CORNERS = 16
"""Points of an outline that a result states."""
_NOT_SHOWN = "not shown"
"""The confidence of a candidate for which none is known."""


class SegmentArguments(Arguments):
    """A region, a point inside, or both, and perhaps a point outside."""

    view: str = Field(default="v0", description="Id of the view the coordinates are given in (v0 if left out)")
    x0: Maybe = Field(default=None, description="x of one corner of a region around the structure, from 0 to {width}")
    y0: Maybe = Field(default=None, description="y of one corner of a region around the structure, from 0 to {height}")
    x1: Maybe = Field(default=None, description="x of the opposite corner of the region, from 0 to {width}")
    y1: Maybe = Field(default=None, description="y of the opposite corner of the region, from 0 to {height}")
    inside_x: Maybe = Field(default=None, description="x of a point inside the structure, from 0 to {width}")
    inside_y: Maybe = Field(default=None, description="y of a point inside the structure, from 0 to {height}")
    mark0: MarkOrPoint = mark_or_point("One corner of the region")
    mark1: MarkOrPoint = mark_or_point("Opposite corner of the region")
    inside_mark: MarkOrPoint = mark_or_point("Point inside the structure")
    outside_x: Maybe = Field(default=None, description="x of a point outside the structure, from 0 to {width}")
    outside_y: Maybe = Field(default=None, description="y of a point outside the structure, from 0 to {height}")
    outside_mark: MarkOrPoint = mark_or_point("Point outside the structure")
    candidate: int = Field(default=1, description="Which candidate to measure and draw, 1 to 3 (1 if left out)")


class Segment(Outlined):
    """Result of ``segment``: the measures of one candidate, how many candidates there are, and the others in words."""

    candidate: int
    candidates: int
    confidence: str
    outline: str
    others: str


_PICTURE = "\nThe picture shows the candidate."


@tool(SegmentArguments, Segment, overlay=_PICTURE, measures=MEASURES, solver=True, method=candidates)
def segment(views: ViewSet, args: SegmentArguments, method: Method) -> Output:
    """Segment a structure: up to three candidates for its outline, of different size.

    Takes a region around the structure (two opposite corners), or a point inside it, or both, and perhaps a point
    outside; each by coordinates of a view, in the coordinate convention of the instructions, by the name of a mark, or
    as text with its view.
    In a region, the outline of the first candidate stays
    near the ellipse that fits into the region, and leaves it where the image has an edge; with a point alone, the
    candidates are ordered by the strength of their edges.
    Returns of the chosen candidate the bounding box in coordinates of the view that is named in the result (box_...)
    and of v0 (v0_box_...), its physical size, the lengths and end points of the axes of a fitted ellipse, the area,
    points of the outline (x,y in the view), and confidence: the share of real structures measured in the same way whose
    axes were within 20 % on average, or "not shown" where too few were tried. The other candidates are named in others.
    The picture shows the candidate.
    """
    prompt, view = _prompt(views, args)
    outside = point_at(views, args, ("outside_x", "outside_y", "outside_mark"))
    return _answer(method, views, view, replace(prompt, outside=outside.point if outside else None), args.candidate)


def _prompt(views: ViewSet, args: SegmentArguments) -> tuple[Prompt, View]:
    """Return the region and the point inside that the call gives, and the view to show them in.

    Raises ToolError where both are left out, and for a point outside the region.
    """
    region, corners = region_at(views, args, ("x0", "y0", "mark0"), ("x1", "y1", "mark1"))
    inside = point_at(views, args, ("inside_x", "inside_y", "inside_mark"))
    if region is None and inside is None:
        raise ToolError("give a region (x0, y0, x1, y1), a point inside (inside_x, inside_y), or both")
    if region is not None and inside is not None and not region.holds(inside.point):
        raise ToolError("the point inside lies outside the region")
    view = shown_in(views, [*corners, *([inside] if inside else [])])
    return Prompt(region, inside.point if inside else None), view


def _answer(method: Method, views: ViewSet, view: View, prompt: Prompt, candidate: int) -> Output:
    """Return the result for the candidate of this number, 1 for the first; raises ToolError where there is none."""
    if not 1 <= candidate <= MOST:
        raise ToolError(f"there is no candidate {candidate}; there are {MOST} at most")
    found = method(view.slice.windowed, prompt)
    if candidate > len(found):  # how many there are tells of the image
        raise ToolError(f"there is no candidate {candidate}; candidates: 1 to {len(found)}", about_image=True)
    calibrated = method is candidates and view.slice.window is None
    words = [_confidence(prompt, found, rank) if calibrated else _NOT_SHOWN for rank in range(len(found))]
    one = found[candidate - 1].measured
    result = Segment(
        view=view.id,
        candidate=candidate,
        candidates=len(found),
        confidence=words[candidate - 1],
        outline=_outline(views, view, found[candidate - 1]),
        others="; ".join(
            f"candidate {rank + 1}: {other.measured.ellipse.major_mm:.1f} x {other.measured.ellipse.minor_mm:.1f} mm"
            for rank, other in enumerate(found)
            if rank != candidate - 1
        ),
        **results(views, view, one),
    )
    return Output(result, outlined(view, one), kept(one))


def _confidence(prompt: Prompt, found: list[Candidate], rank: int) -> str:
    """Return the confidence of candidate found[rank] as text with two decimals, or "not shown" where none is known."""
    share = confidence(prompt, rank, found[rank].measured)
    return _NOT_SHOWN if share is None else f"{share:.2f}"


def _outline(views: ViewSet, view: View, found: Candidate) -> str:
    """Return up to 16 points of the outline as ``x,y x,y ...`` in model coordinates of the view."""
    points = found.measured.outline
    every = points[np.arange(min(_CORNERS, len(points))) * len(points) // min(_CORNERS, len(points))]
    pairs = (views.coordinates(view, Point(float(x), float(y))) for x, y in every)
    return " ".join(f"{x:.4g},{y:.4g}" for x, y in pairs)
