"""The ``neighbours`` tool: the same part of an adjacent slice of the volume, as a new view."""

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.view.display import picture_of
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Neighbour", "NeighboursArguments", "neighbours"]

_FARTHEST = 1000
"""Slices away at most; no volume has more to look at, and a number of any length is refused by it."""


class NeighboursArguments(Arguments):
    """A view, and which slice to show the same part of."""

    view: str = Field(default="v0", description="Id of the view whose part is shown (v0 if left out)")
    away: int = Field(
        ge=-_FARTHEST,
        le=_FARTHEST,
        description="Slices away from the image asked about, from -1000 to 1000: 1 is the next, -1 the previous",
    )


class Neighbour(Result):
    """Result of ``neighbours``: the new view, the view it was made from (``of``), and the place of its slice.

    ``away`` counts slices and ``position_mm`` millimetres from the slice asked about, negative before it. The volume
    reaches from ``first_away`` to ``last_away``.
    """

    view: str
    of: str
    away: int
    position_mm: float
    first_away: int
    last_away: int


@tool(NeighboursArguments, Neighbour)
def neighbours(views: ViewSet, args: NeighboursArguments) -> Output:
    """Look at another slice of the volume: returns the same part of a slice nearby as a new view with its own id.

    Give how many slices away it lies from the image asked about, whatever the view. Returns its position_mm, the
    distance from the image asked about (negative for the previous slices), and the first and last slice that there
    are. It is shown like the view it is made of. Coordinates in the new view mean the same place within the slice as
    in that view. Tools that measure or outline refuse a view of another slice: the question is about v0.
    """
    source = views.get(args.view)
    stack = views.slice.stack
    if stack is None and views.refuses:
        raise ToolError(
            "the image is a single picture, not a slice of a volume, so it has no adjacent slices", about_image=True
        )
    if args.away == 0:
        raise ToolError("away = 0 is the image asked about itself, v0")
    first, last = (stack.first, stack.last) if stack else (0, 0)
    if not first <= args.away <= last and views.refuses:
        raise ToolError(f"there is no slice {args.away} away: the volume ends before it", about_image=True)
    view = views.beside(source, args.away)
    position = round(view.slice.away_mm, 4)
    result = Neighbour(
        view=view.id,
        of=source.id,
        away=args.away,
        position_mm=position,
        first_away=first,
        last_away=last,
    )
    where = f"{abs(args.away)} {'after' if args.away > 0 else 'before'}"
    caption = (
        f"view {view.id}, the same part as {source.id} in another slice, {where} the image asked about, "
        f"at {position:+g} mm"
    )
    return Output(result, picture_of(views, view, caption))
