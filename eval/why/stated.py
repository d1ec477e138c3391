"""Points that a model states itself: in its final message, in code that it executed (``coded.py``), or as marks.

Points are read only if they are unambiguous. There must be exactly as many different points as the task has, in the
text before the answer, or between the numbered tags ``<step-1>`` and ``<step-2>`` of the ``cot`` form where it has
both. MedVision's own ``CoT`` form has a reasoning and a result in each step; of these only the result is read
(``<step-1-answer>``). Where the first step names all points and the second none, these are the points. A point is ``(x,
y)`` or ``[x, y]`` in the order of the model's convention, or, without any such pair, ``x1 = ..., y1 = ...`` and so on,
each with one value only. Pairs outside the image (such as a direction in mm) are not points. Coordinates refer to the
whole image; with further views they would be ambiguous.
"""

import re
from collections.abc import Sequence
from itertools import islice

from medvision_agent.errors import ToolError
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.coded import coded_points
from medvision_agent.eval.why.matches import Reading, reading
from medvision_agent.eval.why.measured import Measurement, exact_of
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.values import code_of
from medvision_agent.tools.mark import mark
from medvision_agent.tools.view.geometry import Point

__all__ = ["STATED", "own_lines", "stated_points"]

STATED = "stated points"
"""The source name for points in the model's text, or for marks that it placed."""

_MOST = 1000
"""Most pairs read in a text; no task has so many points."""
Place = tuple[float, float]
Names = Sequence[Sequence[int]]
"""Possible sequences of numbers that points may have."""
_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_PAIR = re.compile(rf"[(\[]\s*{_NUMBER}\s*,\s*{_NUMBER}\s*[)\]]")
_NAMED = re.compile(rf"\b([xy])_?([1-4])\s*=\s*{_NUMBER}(?!\d|\.\d|\s*[-+*/^])")


def stated_points(task: Task, text: str, scene: Scene) -> tuple[Point, ...] | Missing:
    """Return the points (slice frame) that a model's *text* states, in its order, or why they cannot be read."""
    reasoning = text.partition("<answer>")[0]
    steps = [step for k in (1, 2) if (step := _step(reasoning, k))]
    parts = list(zip(steps, _in_steps(task), strict=True)) if len(steps) == 2 else [(reasoning, [_points(task)])]
    groups = [_pairs(part, names, scene) for part, names in parts]
    if len(steps) == 2 and not groups[1]:
        first = _pairs(steps[0], [_points(task)], scene)
        if len(first) == len(_points(task)):
            parts, groups = [(steps[0], [_points(task)])], [first]
    if not any(groups):
        return Missing.NO_POINTS
    if any(len(group) != len(names[0]) for group, (_, names) in zip(groups, parts, strict=True)):
        return Missing.UNCLEAR_POINTS
    if scene.cropped:
        return Missing.SEVERAL_VIEWS
    views = scene.views
    return tuple(views.point(views.whole, x, y) for group in groups for x, y in group)


def own_lines(task: Task, response: str, calls: Sequence[Call], scene: Scene) -> list[Reading] | Missing:
    """Return, for each number of the answer, a reading between the points that the model stated itself.

    The points come from the response, else from executed code, else from marks. A ``Missing`` says why there are none.
    """
    step = task.quantity.points
    points = stated_points(task, response, scene)
    if isinstance(points, Missing):
        coded = [one for call in calls if (code := code_of(call)) for one in coded_points(task, code, scene)]
        places = [point for line in coded[-len(task.numbers) :] for point in line]
        instead = tuple(places) if len(places) == step * len(task.numbers) else _marked_points(task, calls, scene)
        if not instead:
            return points
        points = instead
    lines = [points[k : k + step] for k in range(0, len(points), step)]
    exact = [exact_of(line, scene.spacing) for line in lines]
    known = [
        reading(Measurement(STATED, value, line, value))
        for value, line in zip(exact, lines, strict=True)
        if value is not None
    ]
    return known if len(known) == len(lines) else Missing.SAME_POINTS


def _marked_points(task: Task, calls: Sequence[Call], scene: Scene) -> tuple[Point, ...]:
    """Return the points (slice frame) that the model marked, in order; empty unless the task has as many."""
    placed: dict[object, Point] = {}
    for call in calls:
        if call.ok and call.tool == mark.name:
            given = {**call.measures.defaults, **call.arguments}
            try:
                view = scene.views.get(str(given["view"]))
                placed[given["name"]] = scene.views.point(view, float(given["x"]), float(given["y"]))
            except (ToolError, KeyError, TypeError, ValueError):
                return ()
    return tuple(placed.values()) if len(placed) == len(_points(task)) else ()


def _points(task: Task) -> tuple[int, ...]:
    """Return 1, 2, ... up to the number of points that an answer to the task has."""
    return tuple(range(1, len(task.numbers) * task.quantity.points + 1))


def _in_steps(task: Task) -> tuple[Names, Names]:
    """Return the numbers that points may have in the first and in the second step; each step has half of the points."""
    every = _points(task)
    half = len(every) // 2
    return [every[:half]], task.step_points or [every[half:]]


def _step(text: str, number: int) -> str:
    """Return the text between the tags of step *number*, or of its result if that is tagged.

    Empty unless these tags occur exactly once.
    """
    for name in (f"step-{number}-answer", f"step-{number}"):
        start, end = f"<{name}>", f"</{name}>"
        if text.count(start) == text.count(end) == 1:
            return text.partition(start)[2].partition(end)[0]
    return ""


def _pairs(text: str, names: Names, scene: Scene) -> list[Place]:
    """Return the different points (x, y) in a text that are inside the image, in the order of first mention.

    They are in the model's convention, with x first; *names* are the possible numbers of points given by name.
    Two lines may share an end: if one point occurs twice and all others once, both occurrences count.
    """
    frame, size = scene.views.frame, scene.views.whole.perceived
    written = [(float(match[1]), float(match[2])) for match in islice(_PAIR.finditer(text), _MOST)]
    pairs = [(b, a) if frame.y_first else (a, b) for a, b in written] or _named(text, names)
    inside = [pair for pair in pairs if frame.holds(*pair, size)]
    different = list(dict.fromkeys(inside))
    return inside if 2 < len(inside) == len(names[0]) == len(different) + 1 else different


def _named(text: str, names: Names) -> list[Place]:
    """Return the points (x, y) given as ``x1 = ..., y1 = ...``; empty if a coordinate is missing or has two values."""
    values: dict[str, set[float]] = {}
    for axis, place, number in _NAMED.findall(text):
        values.setdefault(f"{axis}{place}", set()).add(float(number))
    for numbers in names:
        wanted = [(values.get(f"x{k}", set()), values.get(f"y{k}", set())) for k in numbers]
        if all(len(found) == 1 for pair in wanted for found in pair):
            return [(min(x), min(y)) for x, y in wanted]
    return []
