"""What was measured, and the exact measurement of the same points.

With points p, q in mm and lines a, b: a length is ``|q - p|`` in mm, an angle ``atan2(|a x b|, |a . b|)`` in degrees
(0..90), both in float64 from the points as given, without any rounding.

What a tool measures, and between which points, is what it declares (``tools/base.py``). A *solver* finds the points
itself: a size read off its result was solved by the tool, not seen by the model, and is labelled so wherever a figure
may contain it.

An answer cites measurements:

* A number of the answer cites the measurement it can be a rounding of. Of several the nearest counts; of equally near
  ones the last. A size's numbers cite different measurements where they can, and of a tool that measures both axes
  rather the axis that they stand for; a swapped axis is still found.
* A number that is no rounding of anything cites the last measurement. Of a size these are the last two not yet cited:
  both axes of the last such tool, or two lines, the longer as the major axis. A single line is cited by the number
  nearer to it, and the other number cites nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medvision_agent.errors import ToolError
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.numbers import Number
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.base import Measurand
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm

__all__ = ["STATED", "Cited", "Measurement", "cite", "declared", "exact_of", "measurements", "numbers_of", "solvers"]


STATED = "stated points"
"""The source of a measurement whose points stand in the model's text."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """A value that was reported or stated, the points behind it (slice frame), and their exact measurement."""

    source: str
    """A tool, or ``STATED``."""
    value: float
    points: tuple[Point, ...]
    exact: float
    axis: int | None = None
    """0 or 1 where the source says that it is the major or the minor axis."""
    solver: bool = False
    """Whether a tool found the points."""


def declared(task: Task, call: Call) -> Measurand | None:
    """Return how the result of a call holds what the task asks for, as its tool declares; None where it does not.

    A tool that computes may say any single number. Two axes are no distance: a result of more values than the answer
    has numbers is about something else.
    """
    taken = call.measures.of(task.quantity)
    if taken is None and task.quantity.numbers == 1:
        taken = call.measures.of(NUMBER)
    return taken if taken is not None and len(taken.fields) <= len(task.numbers) else None


def solvers() -> tuple[str, ...]:
    """Return the names of the shipped tools that find structures by themselves."""
    return tuple(sorted(tool.name for tool in TOOLS.values() if tool.solver))


def numbers_of(task: Task) -> tuple[str, ...]:
    """Return the numbers of an answer that can be decomposed: those that points determine exactly."""
    return task.numbers if task.quantity.points else ()


def exact_of(points: Sequence[Point], spacing: Spacing) -> float | None:
    """Return the length in mm of two points, or the angle in degrees of four; None where a line has no length."""
    lines = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
    if any(distance_mm(*line, spacing) == 0 for line in lines):
        return None
    return distance_mm(*lines[0], spacing) if len(lines) == 1 else acute_angle_deg(*lines[0], *lines[1], spacing)


def measurements(task: Task, calls: Sequence[Call], scene: Scene) -> list[Measurement] | Missing:
    """Return what tools measured of the task's quantity, in the order of the calls; failed calls measured nothing."""
    said = [(call, taken) for call in calls if call.ok and (taken := declared(task, call)) is not None]
    own = [(call, taken) for call, taken in said if taken.points]
    if any(call.withheld(taken.fields[0]) for call, taken in own):
        return Missing.WITHHELD
    try:
        return [one for call, taken in own for one in _measured(call, taken, scene)]
    except (ToolError, KeyError, TypeError, ValueError):
        return Missing.NO_VIEWS  # what succeeded then must succeed now


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
    """Return the points of a value in the slice frame; raises where a call does not have them.

    Where marks or texts were given, the points stand in the result, in coordinates of v0. Those that a tool found may
    lie slightly beyond their view; those that were given may not.
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


@dataclass(frozen=True, eq=False)
class Cited:
    """A cited measurement; ``matched`` where the number is a rounding of it."""

    measurement: Measurement
    matched: bool


def cite(answer: Sequence[Number], measured: Sequence[Measurement]) -> list[Cited | None]:
    """Return what each number of an answer cites; None where nothing is left to cite."""
    found: dict[int, Cited] = {}
    for place, number in enumerate(answer):
        taken = [cited.measurement for cited in found.values()]
        if (match := _match(place, number, measured, taken)) is not None:
            found[place] = Cited(match, matched=True)
    taken = [cited.measurement for cited in found.values()]
    left = [one for one in measured if one not in taken]
    open_places = [place for place in range(len(answer)) if place not in found]
    for place, last in _last(open_places, answer, left).items():
        found[place] = Cited(last, matched=False)
    return [found.get(place) for place in range(len(answer))]


def _match(
    place: int, number: Number, measured: Sequence[Measurement], taken: Sequence[Measurement]
) -> Measurement | None:
    ranked = [
        (one in taken, one.axis not in (None, place), round(abs(one.value - number.value), 9), -order)
        for order, one in enumerate(measured)
        if number.rounds(one.value)
    ]
    return measured[-min(ranked)[3]] if ranked else None


def _last(places: Sequence[int], answer: Sequence[Number], left: Sequence[Measurement]) -> dict[int, Measurement]:
    if len(places) < 2:
        return {place: fits[-1] for place in places if (fits := [one for one in left if one.axis in (None, place)])}
    lines = [one for one in left if one.axis is None]
    if left and left[-1].axis is None and len(lines) == 1:
        near = min(places, key=lambda place: abs(answer[place].value - lines[0].value))
        return {near: lines[0]}
    if left and left[-1].axis is None:
        longer, shorter = sorted(lines[-2:], key=lambda one: -one.value)
        return {places[0]: longer, places[1]: shorter}
    return {place: fits[-1] for place in places if (fits := [one for one in left if one.axis == place])}
