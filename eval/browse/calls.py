"""What the calls of a conversation measured and made, as marks at their true positions.

A point is computed from the arguments that the model gave, through the view they name or the mark as it was at that
time, not from a rounded result. What a tool found by itself is read from the trace, or in older runs from the text of
its result. Failed calls have no marks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from medvision_agent.errors import ToolError
from medvision_agent.eval.browse.forms import Mark
from medvision_agent.eval.browse.marks import WITHHELD, Pen, degrees, millimetres
from medvision_agent.eval.browse.solved import solved
from medvision_agent.eval.tasks import TASKS, Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.coded import coded_points
from medvision_agent.eval.why.measured import measurements
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.values import code_of
from medvision_agent.quantity import ANGLE_DEG, BOX, NUMBER
from medvision_agent.text import plural
from medvision_agent.tools.base import Arguments
from medvision_agent.tools.crop import crop
from medvision_agent.tools.fit_contour import FitContourArguments, fit_contour
from medvision_agent.tools.mark import MarkArguments, mark
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.protractor import ProtractorArguments, protractor
from medvision_agent.tools.ruler import RulerArguments, ruler
from medvision_agent.tools.segmenter import SegmentArguments, segment
from medvision_agent.tools.statistics import StatisticsArguments, statistics
from medvision_agent.tools.view.points import line_at, point_at, region_at
from medvision_agent.tools.view.views import View
from medvision_agent.tools.window import window

__all__ = ["CallMarks"]

Entry = Mapping[str, Any]
_Arguments = TypeVar("_Arguments", bound=Arguments)


@dataclass(eq=False)
class CallMarks:
    """A collector of the marks (shapes to be drawn on the image) of one conversation's calls, added in order."""

    task: Task
    scene: Scene
    own: frozenset[str]
    """Names of tools that are not the shipped ones; their marks follow from what they declare."""
    marks: list[Mark] = field(default_factory=list[Mark])
    missing: list[str] = field(default_factory=list[str])
    away: dict[str, int] = field(default_factory=dict[str, int])
    """For views of other slices, the number of slices to them, by view id."""

    def add(self, number: int, turn: int | None, call: Call, entry: Entry) -> None:
        """Add the marks of a call to ``marks``, or the reason why it cannot be drawn to ``missing``.

        *number* counts the conversation's calls from 1, *turn* is the message that made the call (None if unknown), and
        *entry* is the call as the trace stores it. A failed call adds nothing.
        """
        if not call.ok:
            return
        own = call.tool in self.own or call.tool not in _DRAWN
        draw = _declared if own else _DRAWN[call.tool]
        try:
            self.marks += list(
                draw(_One(self.task, self.scene, call, entry, Pen("tool", turn, number, call.tool), self.away))
            )
        except (ToolError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0][:200]
            self.missing.append(f"call {number} ({call.tool[:64]}) is not drawn: {why}")


@dataclass(frozen=True, eq=False)
class _One:
    """One tool call, with everything that is needed to make its marks."""

    task: Task
    scene: Scene
    call: Call
    entry: Entry
    pen: Pen
    away: dict[str, int]

    @property
    def view_pen(self) -> Pen:
        return Pen("view", self.pen.turn, self.pen.call, self.pen.tool)

    def read(self, model: type[_Arguments]) -> _Arguments:
        """Return the call's arguments as *model*, which is the class of the tool's current arguments.

        Arguments that only an earlier edition of the tool accepted are dropped. Raises ValueError for invalid ones.
        """
        given = self.call.arguments.items()
        return model.model_validate({name: value for name, value in given if name in model.model_fields})

    def made(self, away: int | None = None) -> View:
        """Return the view that the call made, and note in ``away`` which slice it shows.

        *away* is the number of slices from the question's slice to the view's; None means the slice of the parent view.
        """
        view = self.scene.views.get(str(self.call.result.get("view")))
        of = self.away.get(str(self.call.result.get("of")), 0)
        self.away[view.id] = of if away is None else away
        return view

    def slice_of(self, view: View) -> str:
        """Return in words which other slice a view is in; empty for the slice that the question is about."""
        away = self.away.get(view.id, 0)
        return "" if not away else f", {plural(abs(away), 'slice')} {'after' if away > 0 else 'before'}"

    def told(self, name: str, words: Callable[[float], str]) -> str:
        """Return the number *name* of the call's result as text, written by *words*.

        Empty if the result has no such number; ``WITHHELD`` if a text replaced it, as in a blind arm.
        """
        if self.call.withheld(name):
            return WITHHELD
        value = self.call.number(name)
        return "" if value is None else words(value)


def _crop(one: _One) -> Iterator[Mark]:
    view = one.made()
    height, width = view.field_mm
    zoom = one.told("zoom", lambda value: f", zoom {value:g}")
    size = f"{width:.1f} x {height:.1f} mm"
    yield one.view_pen.box(
        view.region, f"view {view.id}{one.slice_of(view)}", size + ("" if zoom == WITHHELD else zoom)
    )


def _window(one: _One) -> Iterator[Mark]:
    view = one.made()
    black, white = (one.told(name, lambda value: f"{value:.6g}") for name in ("black_value", "white_value"))
    units = str(one.call.result.get("units", ""))
    values = WITHHELD if WITHHELD in (black, white) else f"{black} to {white} {'HU' if units == 'HU' else ''}".strip()
    yield one.view_pen.box(view.region, f"view {view.id}{one.slice_of(view)}, window", values)
    args = one.call.arguments
    if args.get("by") == "percentile" and args.get("x0") is not None:
        region = region_at(one.scene.views, _Loose(args), ("x0", "y0"), ("x1", "y1"), any_slice=True)[0]
        if region is not None:
            yield one.pen.box(region, f"values that view {view.id} goes by")


class _Loose:
    """Arguments of a call as attributes; a missing one is None, and a missing view is v0."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = {"view": "v0", **arguments}

    def __getattr__(self, name: str) -> Any:
        return self._arguments.get(name)


def _neighbours(one: _One) -> Iterator[Mark]:
    view = one.made(int(one.call.arguments["away"]))
    position = one.told("position_mm", lambda value: f"{value:+.2f} mm")
    yield one.view_pen.box(view.region, f"view {view.id}{one.slice_of(view)}", position)


def _mark(one: _One) -> Iterator[Mark]:
    args, views = one.read(MarkArguments), one.scene.views
    placed = views.marks.place(args.name, views.point(views.get(args.view), args.x, args.y), args.view)
    yield one.pen.point(placed.point, placed.mark)


def _ruler(one: _One) -> Iterator[Mark]:
    args = one.read(RulerArguments)
    ends = line_at(one.scene.views, args, ("x0", "y0", "mark0"), ("x1", "y1", "mark1"))
    a, b = (end.mark for end in ends)
    name = f"ruler, {a or 'point'} to {b or 'point'}" if a or b else "ruler"
    yield one.pen.lines([end.point for end in ends], name, one.told("distance_mm", millimetres))


def _protractor(one: _One) -> Iterator[Mark]:
    args, views = one.read(ProtractorArguments), one.scene.views
    a = line_at(views, args, ("ax0", "ay0", "mark_a0"), ("ax1", "ay1", "mark_a1"))
    b = line_at(views, args, ("bx0", "by0", "mark_b0"), ("bx1", "by1", "mark_b1"))
    yield one.pen.lines([end.point for end in (*a, *b)], "protractor", one.told("acute_angle_deg", degrees))


def _statistics(one: _One) -> Iterator[Mark]:
    args, views = one.read(StatisticsArguments), one.scene.views
    view = views.get(args.view)
    units = "HU" if one.call.result.get("units") == "HU" else ""
    mean, spread = (one.told(name, lambda value: f"{value:.5g}") for name in ("mean", "standard_deviation"))
    value = WITHHELD if WITHHELD in (mean, spread) else f"mean {mean}, standard deviation {spread} {units}".strip()
    name = f"statistics{one.slice_of(view)}"
    if args.of == "line":
        a, b = line_at(views, args, ("x0", "y0"), ("x1", "y1"), any_slice=True)
        yield one.pen.lines([a.point, b.point], name, value)
    else:
        region = views.region(view, args.x0, args.y0, args.x1, args.y1, any_slice=True)
        yield one.pen.box(region, name, value)


def _fit_contour(one: _One) -> Iterator[Mark]:
    args = one.read(FitContourArguments)
    yield from _asked(one, args, (("seed_x", "seed_y", "seed_mark"), "seed"))
    yield from solved(one.call, one.entry, one.scene, one.pen)


def _segment(one: _One) -> Iterator[Mark]:
    args = one.read(SegmentArguments)
    yield from _asked(
        one,
        args,
        (("inside_x", "inside_y", "inside_mark"), "point inside"),
        (("outside_x", "outside_y", "outside_mark"), "point outside"),
    )
    yield from solved(one.call, one.entry, one.scene, one.pen)


def _asked(one: _One, args: object, *points: tuple[tuple[str, ...], str]) -> Iterator[Mark]:
    """Yield marks of the region and of the points that the tool got as input.

    *points* are pairs: the names of a point's arguments (x, y, mark), and the text that names the point.
    """
    region, _ = region_at(one.scene.views, args, ("x0", "y0", "mark0"), ("x1", "y1", "mark1"))
    if region is not None:
        yield one.pen.box(region, "region given")
    for names, what in points:
        if (placed := point_at(one.scene.views, args, names)) is not None:
            yield one.pen.point(placed.point, f"{what} given")


def _declared(one: _One) -> Iterator[Mark]:
    """Yield marks of what a tool declares to measure between points or as a box, and of the points in executed code.

    Raises ValueError if the call lacks the points that the tool declares.
    """
    call, views = one.call, one.scene.views
    for task in (TASKS["size"], TASKS["angle"]):
        found = measurements(task, [call], one.scene)
        for each in [] if isinstance(found, Missing) else found:
            words = degrees if task.quantity == ANGLE_DEG else millimetres
            yield one.pen.lines(each.points, call.tool, words(each.value))
        if found == Missing.NO_VIEWS:
            raise ValueError("the result or the arguments lack the points that the tool declares")
    if (box := call.measures.of(BOX)) is not None and not call.withheld(box.fields[0]):
        x0, y0, x1, y1 = (float(call.result[name]) for name in box.fields)
        whole = views.whole
        a, b = (whole.region.at(*views.frame.to_unit(x, y, whole.perceived)) for x, y in ((x0, y0), (x1, y1)))
        yield one.pen.corners(a, b, f"{call.tool}, box")
    if call.measures.of(NUMBER) is not None and one.task.quantity.points:
        for points in coded_points(one.task, code_of(call), one.scene):
            yield one.pen.lines(points, "points in the code")
    yield from solved(call, {"drawn": one.entry.get("drawn", ())}, one.scene, one.pen, words=False)


_DRAWN: Mapping[str, Callable[[_One], Iterator[Mark]]] = {
    crop.name: _crop,
    window.name: _window,
    neighbours.name: _neighbours,
    mark.name: _mark,
    ruler.name: _ruler,
    protractor.name: _protractor,
    statistics.name: _statistics,
    fit_contour.name: _fit_contour,
    segment.name: _segment,
}
"""How the calls of shipped tools are drawn; for other tools, their declaration is used."""
