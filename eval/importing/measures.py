"""Turns points and stated measures of tables and markups into questions about distances, angles, axes and boxes.

A target is computed from its points wherever there are points; a measure that is stated beside them must agree.
"""

import math
from collections.abc import Callable, Sequence

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.grid import Cut
from medvision_agent.eval.importing.table import Row
from medvision_agent.eval.importing.targets import box_target
from medvision_agent.eval.tasks import TASKS
from medvision_agent.text import plural
from medvision_agent.tools.view.geometry import Point, Size, Spacing, acute_angle_deg, distance_mm

__all__ = ["angle", "axes", "distance", "of_row"]

Named = tuple[str, Point]
Place = Callable[[float, float], Point]
"""Maps a point of the stored pixels to the image of the slice."""
_APART, _APART_MM, _APART_DEG = 0.02, 0.5, 1.0
"""Tolerance between a stated measure and the measure of its points: a share of it, or mm, or degrees."""
_CROSSED_DEG = 75.0
"""Smallest angle between a long and a short axis that still counts as perpendicular."""


def distance(points: Sequence[Named], spacing: Spacing, index: int, name: str = "") -> Question:
    """Return the question for the distance of two named points, in mm.

    Points are in pixels of the slice frame, *spacing* is the pixel size; *index* is that of the slice, *name* names the
    distance.
    """
    (_, a), (_, b) = points
    names = tuple(one for one, _ in points)
    target = (distance_mm(a, b, spacing),)
    return Question(
        task="distance", index=index, landmarks=names, measurement=name, target=target, points=tuple(points)
    )  # fmt: skip


def angle(points: Sequence[Named], spacing: Spacing, index: int, name: str = "") -> Question:
    """Return the question for the acute angle of two lines, in degrees.

    The points (pixels, slice frame) are the ends of both lines, or three points with the vertex in the middle. *index*
    is that of the slice, *name* names the angle. Raises DataError if both points of a line coincide.
    """
    if len(points) == 3:
        points = (points[1], points[0], points[1], points[2])
    try:
        (_, a), (_, b), (_, c), (_, d) = points
        target = (acute_angle_deg(a, b, c, d, spacing),)
    except ValueError:
        raise DataError("two points that form a line of the angle are at the same place; correct the points") from None
    names = tuple(one for one, _ in points)
    return Question(
        task="angle", index=index, landmarks=names, measurement=name, target=target, points=tuple(points)
    )  # fmt: skip


def axes(ends: Sequence[Point], spacing: Spacing, index: int, label: str) -> Question:
    """Return the question for the long and the short axis of a structure, in mm.

    *ends* (pixels, slice frame) are the two ends of one line, then of the other; the longer line is the major axis.
    Raises DataError if the lines are far from perpendicular, or both ends of one coincide.
    """
    a, b, c, d = ends
    lines = sorted(((a, b), (c, d)), key=lambda line: -distance_mm(line[0], line[1], spacing))
    try:
        crossed = acute_angle_deg(lines[0][0], lines[0][1], lines[1][0], lines[1][1], spacing)
    except ValueError:
        raise DataError("both ends of an axis are at the same place; correct the points") from None
    if crossed < _CROSSED_DEG:
        raise DataError(
            f"the axes meet at {crossed:.0f} degrees; a long and a short axis must be perpendicular (from "
            f"{_CROSSED_DEG:.0f} degrees on is accepted); correct the points"
        )
    target = tuple(distance_mm(line[0], line[1], spacing) for line in lines)
    names = ("major 1", "major 2", "minor 1", "minor 2")
    return Question(
        task="size", index=index, label=label, target=target,
        points=tuple(zip(names, (*lines[0], *lines[1]), strict=True)),
    )  # fmt: skip


def of_row(row: Row, scan: Scan, cut: Cut, choices: Choices) -> tuple[Question, str] | None:
    """Return the question of a table's row and the origin of its target in words; None where the row states no measure.

    Raises DataError if its numbers are incomplete, contradict each other or lie outside the image.
    """
    shift = 0.5 if choices.points_at == "centre" else 0.0
    index = int(row.numbers.get("slice", 0))
    size = Size(*cut.picture(scan.values, index).shape)

    def place(x: float, y: float) -> Point:
        return scan.place(cut, index, x + shift, y + shift)

    found = _boxed(row, size, choices, place, index) or _lined(row, cut.spacing, place, index) or _stated(row, index)
    if found is None:
        return None
    question, how = found
    _check(row, question)
    for name, point in question.points:
        if not (0 <= point.x <= size.width and 0 <= point.y <= size.height):
            raise DataError(
                f"{name!r} ({point.x:g}, {point.y:g}) lies outside the image of {size.width} x {size.height} px; "
                "expected pixels, x to the right and y down"
            )
    return question, how


def _boxed(row: Row, size: Size, choices: Choices, place: Place, index: int) -> tuple[Question, str] | None:
    edges = ("x_min", "y_min", "x_max", "y_max")
    if not row.has(*edges):
        return None
    x0, y0, x1, y1 = row.all_of(*edges)
    if choices.points_at == "centre":  # indices of the first and the last pixel, both inside
        x0, y0, x1, y1 = x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5
    ends = place(x0, y0), place(x1, y1)
    (x0, x1), (y0, y1) = sorted(end.x for end in ends), sorted(end.y for end in ends)
    target, points = box_target((x0, y0, x1, y1), size, choices.convention)
    label = _label(row, "detection")
    return Question(task="detection", index=index, label=label, target=target, points=points), "box of the table"


def _lined(row: Row, spacing: Spacing, place: Place, index: int) -> tuple[Question, str] | None:
    recist = [f"{which}_{axis}{number}" for which in ("long", "short") for number in (1, 2) for axis in "xy"]
    if row.has(*recist):
        ends = [place(x, y) for x, y in _pairs(row.all_of(*recist))]
        return axes(ends, spacing, index, _label(row, "size")), "ends of both axes in the table"
    count = max((number for number in range(1, 5) if row.has(f"x{number}", f"y{number}")), default=0)
    if not count:
        return None
    names = [f"{axis}{number}" for number in range(1, count + 1) for axis in "xy"]
    row.has(*names)
    points = [place(x, y) for x, y in _pairs(row.all_of(*names))]
    task = row.texts.get("task") or {2: "distance", 3: "angle", 4: "angle"}.get(count, "")
    if task == "size" and count == 4:
        return axes(points, spacing, index, _label(row, "size")), "ends of both axes in the table"
    if (task, count) not in {("distance", 2), ("angle", 3), ("angle", 4)}:
        raise DataError(
            f"task: {repr(task) if task else 'is empty'}, with {plural(count, 'point')} given; a distance needs 2 "
            "points, an angle 3 or 4, a size 4"
        )
    words = [word.strip() for word in row.texts.get("landmarks", "").split(";") if word.strip()]
    if len(words) != count:
        raise DataError(
            f"landmarks: {plural(len(words), 'name')} for {count} points; name each, separated by semicolons"
        )
    made = distance if task == "distance" else angle
    named = list(zip(words, points, strict=True))
    return made(named, spacing, index, row.texts.get("measurement", "")), f"{count} points of the table"


def _stated(row: Row, index: int) -> tuple[Question, str] | None:
    """Return a question whose target the row states without points, and its origin; None where the row states none."""
    if row.has("long_mm", "short_mm"):
        target = row.all_of("long_mm", "short_mm")
        return Question(task="size", index=index, label=_label(row, "size"), target=target), "axes stated in the table"
    if "area_mm2" in row.numbers:
        return _area(row, index), "area stated in the table"
    if "value" not in row.numbers:
        return None
    task = row.texts.get("task", "")
    if task not in {"distance", "angle"}:
        raise DataError(
            "task: a value without points needs the task 'distance' or 'angle'; an area is stated in area_mm2"
        )
    words = tuple(word.strip() for word in row.texts.get("landmarks", "").split(";") if word.strip())
    kind = TASKS["distance"] if task == "distance" else TASKS["angle"]
    if len(words) != kind.landmarks:
        raise DataError(
            f"landmarks: {plural(len(words), 'name')}; the task {task} needs {kind.landmarks}, separated by semicolons"
        )
    target = row.all_of("value")
    if not kind.is_plausible(target):
        raise DataError(f"value: {target[0]:g}; expected {kind.plausible}")
    question = Question(
        task=kind.name, index=index, landmarks=words, measurement=row.texts.get("measurement", ""), target=target
    )  # fmt: skip
    return question, "value stated in the table"


def _area(row: Row, index: int) -> Question:
    target = row.all_of("area_mm2")
    if target[0] <= 0:
        raise DataError(f"area_mm2: {target[0]:g}; expected mm2 above 0")
    return Question(task="area", index=index, label=_label(row, "area"), target=target)


def _check(row: Row, question: Question) -> None:
    """Raise DataError where the points of a row contradict the task or a measure that the row states."""
    if (stated := row.texts.get("task", question.task)) != question.task:
        raise DataError(f"task: {stated!r}, but the columns that are filled in are those of the task {question.task}")
    if "area_mm2" in row.numbers and (question.task != "area" or "value" in row.numbers):
        raise DataError("area_mm2: the row also gives another measure; state each measure in a row of its own")
    names = {"size": ("long_mm", "short_mm")}.get(question.task, ("value",))
    for name, computed in zip(names, question.target, strict=False):
        said = row.numbers.get(name, computed)
        least = _APART_DEG if question.task == "angle" else max(_APART_MM, _APART * abs(said))
        if question.task != "detection" and not math.isclose(said, computed, rel_tol=0, abs_tol=least):
            raise DataError(
                f"{name}: {said:g} is stated, but its points and the pixel size give {computed:.2f}; check spacing, "
                "points and --points-at"
            )


def _label(row: Row, task: str) -> str:
    if not row.texts.get("label"):
        raise DataError(f"label: is empty; the task {task} needs the name of the structure")
    return row.texts["label"]


def _pairs(numbers: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))
