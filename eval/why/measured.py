"""What was measured, and the exact measurement of the same points.

With points p, q in mm and lines a, b: a length is ``|q - p|`` in mm, an angle ``atan2(|a x b|, |a . b|)`` in degrees
(0..90), both in float64 from the points as given, without any rounding.

``fit_contour`` finds the points itself: a size read off its result was solved by the tool, not seen by the model. It
is labelled a *solver* wherever a figure may contain it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from medvision_agent.errors import ToolError
from medvision_agent.eval.data.sample import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.missing import Missing
from medvision_agent.eval.why.scene import Scene
from medvision_agent.tools.protractor import ProtractorArguments
from medvision_agent.tools.ruler import RulerArguments
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm
from medvision_agent.tools.view.views import ViewSet

__all__ = ["QUANTITIES", "SOLVERS", "STATED", "Measurement", "exact_of", "measurements"]

SOLVERS = frozenset({"fit_contour"})
"""Tools that return the answer of a task themselves."""
STATED = "stated points"
"""The source of a measurement whose points stand in the model's text."""
_TASK_TOOLS: dict[Task, tuple[str, ...]] = {
    "detection": (),
    "size": ("ruler", "fit_contour"),
    "angle": ("protractor",),
    "distance": ("ruler",),
}
"""The tools whose results are in the unit of the task's answer."""
_VALUES = {"ruler": "distance_mm", "protractor": "acute_angle_deg", "fit_contour": "major_mm"}
"""A number of each tool's result, by which a withheld result is known."""
QUANTITIES: dict[Task, tuple[str, ...]] = {
    "detection": (),
    "size": ("major axis", "minor axis"),
    "angle": ("angle",),
    "distance": ("distance",),
}
"""The numbers of an answer that are decomposed."""


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

    @property
    def solver(self) -> bool:
        """Whether a tool found the points."""
        return self.source in SOLVERS


def exact_of(points: Sequence[Point], spacing: Spacing) -> float | None:
    """Return the length in mm of two points, or the angle in degrees of four; None where a line has no length."""
    lines = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
    if any(distance_mm(*line, spacing) == 0 for line in lines):
        return None
    return distance_mm(*lines[0], spacing) if len(lines) == 1 else acute_angle_deg(*lines[0], *lines[1], spacing)


def measurements(task: Task, calls: Sequence[Call], scene: Scene) -> list[Measurement] | Missing:
    """Return what the task's tools measured, in the order of the calls; failed calls measured nothing."""
    found: list[Measurement] = []
    own = [call for call in calls if call.ok and call.tool in _TASK_TOOLS[task]]
    if any(call.withheld(_VALUES[call.tool]) for call in own):
        return Missing.WITHHELD
    try:
        for call in own:
            found += _measured(call, scene)
    except (ToolError, ValidationError, KeyError, TypeError, ValueError):
        return Missing.NO_VIEWS  # what succeeded then must succeed now
    return found


def _measured(call: Call, scene: Scene) -> list[Measurement]:
    views = scene.views
    if call.tool == "ruler":
        ruler = RulerArguments.model_validate(dict(call.arguments))
        ends = _points(views, ruler.view, (ruler.x0, ruler.y0), (ruler.x1, ruler.y1))
        return [_measurement(call, "distance_mm", ends, scene)]
    if call.tool == "protractor":
        given = ProtractorArguments.model_validate(dict(call.arguments))
        line_a, line_b = (given.ax0, given.ay0, given.ax1, given.ay1), (given.bx0, given.by0, given.bx1, given.by1)
        pairs = [(line[k], line[k + 1]) for line in (line_a, line_b) for k in (0, 2)]
        return [_measurement(call, "acute_angle_deg", _points(views, given.view, *pairs), scene)]
    return [
        _measurement(call, f"{name}_mm", _reported(views, call, name), scene, axis)
        for axis, name in enumerate(("major", "minor"))
    ]


def _measurement(
    call: Call, name: str, points: tuple[Point, ...], scene: Scene, axis: int | None = None
) -> Measurement:
    exact = exact_of(points, scene.spacing)
    if exact is None:
        raise ValueError(f"{call.tool}: points coincide")
    return Measurement(call.tool, float(call.result[name]), points, exact, axis)


def _points(views: ViewSet, view_id: str, *given: tuple[float, float]) -> tuple[Point, ...]:
    view = views.get(view_id)
    return tuple(views.point(view, x, y) for x, y in given)


def _reported(views: ViewSet, call: Call, name: str) -> tuple[Point, Point]:
    """Return the end points a result reports; they may lie slightly beyond their view."""
    view = views.get(str(call.result["view"]))
    ends = [
        view.region.at(
            *views.frame.to_unit(float(call.result[f"{name}_x{k}"]), float(call.result[f"{name}_y{k}"]), view.perceived)
        )
        for k in (0, 1)
    ]
    return ends[0], ends[1]
