"""Measurements of tools, and the exact measurement of the same points.

With points p, q in mm and lines a, b: a length is ``|q - p|`` in mm, an angle ``atan2(|a x b|, |a . b|)`` in degrees
(0..90), both in float64 from the points as given, without any rounding.

A tool's declaration (``tools/base.py``) states what it measures, and between which points. A *solver* finds the points
itself: a size copied from its result was solved by the tool, not seen by the model, and is labelled so wherever a
figure may contain it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medvision_agent.errors import ToolError
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.base import Measurand
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm

__all__ = ["Measurement", "declared", "exact_of", "measured_by", "measurements", "numbers_of", "solvers"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """One measurement: a reported or stated value, its points (slice frame), and the exact value between these."""

    source: str
    """A tool, or ``STATED``."""
    value: float
    """In mm or degrees, as the tool reported it, or as the points give it."""
    points: tuple[Point, ...]
    exact: float
    """The exact measurement between the points, in mm or degrees."""
    axis: int | None = None
    """0 or 1 if the source states that it is the major or the minor axis."""
    solver: bool = False
    """Whether a tool found the points by itself."""


def declared(task: Task, call: Call) -> Measurand | None:
    """Return the declaration of the tool that says which fields of a call's result hold the quantity the task asks for.

    None if the tool declares no such fields.

    A computing tool may return any single number. Two axes are not a distance: a result with more values than the
    answer is about something else.
    """
    taken = call.measures.of(task.quantity)
    if taken is None and task.quantity.numbers == 1:
        taken = call.measures.of(NUMBER)
    return taken if taken is not None and len(taken.fields) <= len(task.numbers) else None


def solvers() -> tuple[str, ...]:
    """Return the names of the shipped tools that find structures by themselves."""
    return tuple(sorted(tool.name for tool in TOOLS.values() if tool.solver))


def numbers_of(task: Task) -> tuple[str, ...]:
    """Return the names of those numbers of an answer that points determine exactly, so that their errors can be split.

    Empty for tasks without such numbers: boxes and areas.
    """
    return task.numbers if task.quantity.points else ()


def exact_of(points: Sequence[Point], spacing: Spacing) -> float | None:
    """Return the length in mm between two points, or the angle in degrees (0..90) between the two lines of four points.

    Points are in pixels of the slice, *spacing* is the millimetres per pixel. None if a line has length 0.
    """
    lines = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
    if any(distance_mm(*line, spacing) == 0 for line in lines):
        return None
    return distance_mm(*lines[0], spacing) if len(lines) == 1 else acute_angle_deg(*lines[0], *lines[1], spacing)


def measured_by(task: Task, call: Call) -> Measurand | None:
    """Return the declaration by which a call measured the task's quantity between points.

    None if the call failed, or if its tool measures something else or not between points.

    A tool whose declared number of points does not fit the quantity measured something else.
    """
    taken = declared(task, call) if call.ok else None
    needed = 2 * task.quantity.points
    fits = taken is not None and taken.points and all(len(names) == needed for names in taken.points)
    return taken if fits else None


def measurements(task: Task, calls: Sequence[Call], scene: Scene) -> list[Measurement] | Missing:
    """Return the tools' measurements of the task's quantity, in the order of the calls; failed calls have none.

    ``Missing`` if results were withheld from the model, or if the points of a call cannot be placed in the image.
    """
    own = [(call, taken) for call in calls if (taken := measured_by(task, call)) is not None]
    if any(call.withheld(taken.fields[0]) for call, taken in own):
        return Missing.WITHHELD
    try:
        return [one for call, taken in own for one in _measured(call, taken, scene)]
    except (ToolError, KeyError, TypeError, ValueError, OverflowError):
        return Missing.NO_VIEWS  # a call that succeeded then must succeed now


def _measured(call: Call, taken: Measurand, scene: Scene) -> list[Measurement]:
    several = len(taken.fields) > 1
    found = []
    for axis, field in enumerate(taken.fields):
        points = _points(call, taken, axis, scene)
        exact = exact_of(points, scene.spacing)
        if exact is None:
            raise ValueError(f"{call.tool}: points coincide")
        value = float(call.result[field])
        found.append(Measurement(call.tool, value, points, exact, axis if several else None, call.measures.solver))
    return found


def _points(call: Call, taken: Measurand, number: int, scene: Scene) -> tuple[Point, ...]:
    """Return the points (slice frame) of the measured value at index *number* of a call's result.

    Raises ToolError, KeyError, TypeError or ValueError if the call lacks them.
    If the input was marks or texts, the points are in the result, in coordinates of v0. Points that a tool found may
    lie slightly outside their view; points given as input may not.
    """
    views, names = scene.views, taken.points[number]
    given: Mapping[str, Any] = {**call.measures.defaults, **call.arguments}
    if call.measures.solver:
        given = call.result
    elif taken.in_v0 and any(given[name] is None for name in names):
        given, names = {**call.result, "view": "v0"}, taken.in_v0[number]
    view = views.get(str(given["view"]))
    places = [(float(given[x]), float(given[y])) for x, y in zip(names[::2], names[1::2], strict=True)]
    if call.measures.solver:
        return tuple(view.region.at(*views.frame.to_unit(x, y, view.perceived)) for x, y in places)
    return tuple(views.point(view, x, y) for x, y in places)
