"""Views: the images that a model looks at, and every conversion between its coordinates and millimetres.

A view is the pixels sent, where they lie in the slice, and the size at which the model's encoder perceives
them. ``v0`` is the whole slice; ``crop`` makes ``v1``, ``v2``, ... Coordinates refer to the content of a view,
never to padding an encoder may add.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import cv2
import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing
from medvision_agent.tools.view.marks import Marks
from medvision_agent.tools.view.slice import FloatImage, Grey, Slice, Window, as_displayed

__all__ = ["MAX_SIDE", "MAX_ZOOM", "Display", "Perceives", "View", "ViewSet"]


MAX_ZOOM = 16.0
"""Largest enlargement of a crop over native pixels."""
MAX_SIDE = 2048
"""Longest side of a crop in pixels; a zoom that would exceed it is lowered (never below 1)."""


Display = Literal["plain", "ticks", "grid", "scale-bar"]
"""What is drawn on every view as it is sent: see ``display.py``."""


class Perceives(Protocol):
    """A rule for the size at which an encoder perceives an image: the interface of the rules in ``perceived/``."""

    def perceived(self, sent: Size) -> Size:
        """Return the size at which the content of a picture of size *sent* is perceived."""
        ...

    def canvas(self, sent: Size) -> Size:
        """Return the size of everything the encoder sees, padding included."""
        ...


@dataclass(frozen=True, eq=False)
class View:
    """One image as it is sent: its id, its pixels, its region of the slice (slice frame), and its perceived size."""

    id: str
    slice: Slice
    """The slice that it shows, with its intensity mapping. In some views it is another slice of the volume, or the same
    one through another window."""
    region: Region
    pixels: Grey
    perceived: Size
    canvas: Size
    """Like ``perceived``, with any padding the encoder adds; only MedVision 1.2's prompts speak of it."""

    @property
    def size(self) -> Size:
        """Size of the pixels sent."""
        return Size(*self.pixels.shape)

    @property
    def field_mm(self) -> tuple[float, float]:
        """Physical (height, width) of the view in mm."""
        spacing = self.slice.spacing
        return self.region.height * spacing.height_mm, self.region.width * spacing.width_mm

    @property
    def spacing(self) -> Spacing:
        """Millimetres per *perceived* pixel: what prompts, captions and tool results state."""
        height_mm, width_mm = self.field_mm
        return Spacing(height_mm / self.perceived.height, width_mm / self.perceived.width)

    def pixel(self, point: Point) -> tuple[float, float]:
        """Return a slice point as (x, y) in the continuous pixel frame of the pixels sent."""
        u, v = self.region.unit(point)
        return u * self.size.width, v * self.size.height


class ViewSet:
    """All views of one conversation, with the model's coordinate frame and the named points (marks) that it placed.

    A new object holds v0, the whole slice. The methods convert between the model's coordinates in a view and points of
    the slice; those that add a view return it.
    """

    def __init__(
        self,
        image: Slice,
        perceives: Perceives,
        frame: Frame = MEDVISION,
        display: Display = "plain",
        *,
        new_detail: bool = True,
        refuses: bool = True,
    ) -> None:
        self.slice = image
        self.frame = frame
        self.display: Display = display
        self.new_detail = new_detail
        """Whether further views are made of native values; else they show no more detail than the model sees in v0."""
        self.refuses = refuses
        """Whether a tool may refuse a call because of what the image shows; False in arms in which the model must not
        learn this."""
        self.marks = Marks()
        self.perceives = perceives
        self._views: dict[str, View] = {}
        self._add(image, image.region, image.grey)

    @property
    def whole(self) -> View:
        """The whole slice, ``v0``."""
        return self._views["v0"]

    def __contains__(self, view_id: str) -> bool:
        return view_id in self._views

    def __iter__(self) -> Iterator[View]:
        return iter(self._views.values())

    def get(self, view_id: str) -> View:
        """Return a view by its id; raises ToolError, which lists the existing views, for an unknown id."""
        try:
            return self._views[view_id]
        except KeyError:
            known = ", ".join(self._views)
            raise ToolError(f"no view {view_id[:40]!r}; the views are {known}") from None

    def point(self, view: View, x: float, y: float, *, any_slice: bool = False) -> Point:
        """Return the slice point at model coordinates (x, y) of a view; raises ToolError outside the view.

        A point outside by no more than the rounding of reported coordinates is moved to the border. A point of a view
        of another slice is refused, so that nothing is measured there by mistake, unless *any_slice* is true.
        """
        frame, size = self.frame, view.perceived
        if view.slice.away and not any_slice:
            raise ToolError(f"view {view.id} shows another slice; give coordinates in a view of the image asked about")
        if not frame.holds(x, y, size):
            place = frame.shown(x, y, digits=9)
            raise ToolError(f"point {place} lies outside view {view.id}; {frame.limits(size)}")
        u, v = frame.to_unit(x, y, size)
        return view.region.at(min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0))

    def coordinates(self, view: View, point: Point) -> tuple[float, float]:
        """Return the model coordinates (x, y) of a slice point in *view*; they may lie outside the view."""
        return self.frame.from_unit(*view.region.unit(point), view.perceived)

    def region(self, view: View, x0: float, y0: float, x1: float, y1: float, *, any_slice: bool = False) -> Region:
        """Return the region between two opposite corners in model coordinates of a view, in any order.

        Raises ToolError where a corner lies outside the view or nothing lies between them, and for a view of another
        slice unless *any_slice* is true.
        """
        a, b = self.point(view, x0, y0, any_slice=any_slice), self.point(view, x1, y1, any_slice=any_slice)
        if a.x == b.x or a.y == b.y:
            first, second = self.frame.shown(x0, y0), self.frame.shown(x1, y1)
            raise ToolError(f"the region from {first} to {second} is empty; give two opposite corners")
        return Region(min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y))

    def corners(self, view: View, region: Region) -> tuple[float, float, float, float]:
        """Return *region* (slice frame) as ``x0, y0, x1, y1`` in model coordinates of a view, lower values first."""
        ax, ay = self.coordinates(view, Point(region.x0, region.y0))
        bx, by = self.coordinates(view, Point(region.x1, region.y1))
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)

    def crop(self, region: Region, zoom: float, of: View | None = None) -> View:
        """Add a view of *region* (slice frame), widened to whole pixels and enlarged *zoom* times; return the view.

        The native values are resampled (bilinear, pixel-centre aligned, borders replicated from inside the region) and
        then shown as the view *of* shows them, by default v0. A zoom that would make a side longer than MAX_SIDE is
        lowered, to 1 at the least: a region that is longer itself keeps its native size.
        """
        x0, y0, x1, y1 = region.pixels(self.slice.size)
        zoom = max(1.0, min(zoom, MAX_ZOOM, MAX_SIDE / max(x1 - x0, y1 - y0)))
        size = Size(round((y1 - y0) * zoom), round((x1 - x0) * zoom))
        return self._made((of or self.whole).slice, Region(x0, y0, x1, y1), size)

    def shown(self, view: View, window: Window) -> View:
        """Add a view of the same part as *view*, its native values mapped to grey by *window*; return the new view."""
        return self._made(replace(view.slice, mapping=window, window=window), view.region, view.size)

    def beside(self, view: View, away: int) -> View:
        """Add a view of the same part of another slice, mapped to grey levels as in *view*; return the new view.

        *away* is the distance in slices from the slice asked about, not from that of *view*. Raises ValueError if there
        is no such slice, unless tools may not refuse a call (``refuses``).
        """
        return self._made(view.slice.beside(away, nearest=not self.refuses), view.region, view.size)

    def _made(self, image: Slice, region: Region, size: Size) -> View:
        """Add a view of the whole native pixels of *image* in *region*, resampled to *size*; return the view."""
        x0, y0, x1, y1 = region.pixels(image.size)
        values, mapping = (image.values, image.mapping) if self.new_detail else (self._seen, as_displayed)
        part = np.ascontiguousarray(values[y0:y1, x0:x1])
        resampled = cv2.resize(part, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
        return self._add(image, region, mapping(resampled.astype(np.float32, copy=False)))

    @cached_property
    def _seen(self) -> FloatImage:
        """The grey levels of v0, at its own size, with no more detail than the model perceives in it."""
        sent, perceived = self.whole.size, self.whole.perceived
        fewer = min(sent.width, perceived.width), min(sent.height, perceived.height)
        seen = cv2.resize(self.whole.pixels.astype(np.float32), fewer, interpolation=cv2.INTER_AREA)
        seen = cv2.resize(seen, (sent.width, sent.height), interpolation=cv2.INTER_LINEAR)
        return seen.astype(np.float32, copy=False)

    def _add(self, image: Slice, region: Region, pixels: Grey) -> View:
        """Add a view of *region* with these pixels under the next id (v0, v1, ...); return the view."""
        size = Size(*pixels.shape)
        view = View(
            id=f"v{len(self._views)}",
            slice=image,
            region=region,
            pixels=pixels,
            perceived=self.perceives.perceived(size),
            canvas=self.perceives.canvas(size),
        )
        self._views[view.id] = view
        return view
