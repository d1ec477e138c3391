"""Points that a model states in its final message, where it measured nothing with a tool.

Conservative: points are read only where they can be meant in one way. In the text before the answer, or between the
numbered tags ``<step-1>`` and ``<step-2>`` of the ``cot`` form where it has both, these must hold exactly as many
different points as the task has: ``(x, y)`` or ``[x, y]`` in the order of the model's convention, or, without any such
pair, ``x1 = ..., y1 = ...`` and so on, each with one value only. Pairs that lie outside the picture (a direction in mm,
say) are none of its points. Coordinates refer to the whole picture; with further views they would be ambiguous.
"""

import re
from collections.abc import Sequence

from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.tools.view.geometry import Point

__all__ = ["stated_points"]

Place = tuple[float, float]
Names = Sequence[Sequence[int]]
"""Numbers that points can have: one way after the other."""
_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_PAIR = re.compile(rf"[(\[]\s*{_NUMBER}\s*,\s*{_NUMBER}\s*[)\]]")
_NAMED = re.compile(rf"\b([xy])_?([1-4])\s*=\s*{_NUMBER}(?!\d|\.\d|\s*[-+*/^])")


def stated_points(task: Task, text: str, scene: Scene) -> tuple[Point, ...] | Missing:
    """Return the task's points (slice frame) as the text states them, in their order, or why they cannot be read."""
    reasoning = text.partition("<answer>")[0]
    steps = [step for k in (1, 2) if (step := _step(reasoning, k))]
    parts = list(zip(steps, _in_steps(task), strict=True)) if len(steps) == 2 else [(reasoning, [_points(task)])]
    groups = [_pairs(part, names, scene) for part, names in parts]
    if not any(groups):
        return Missing.NO_POINTS
    if any(len(group) != len(names[0]) for group, (_, names) in zip(groups, parts, strict=True)):
        return Missing.UNCLEAR_POINTS
    if scene.cropped:
        return Missing.SEVERAL_VIEWS
    views = scene.views
    return tuple(views.point(views.whole, x, y) for group in groups for x, y in group)


def _points(task: Task) -> tuple[int, ...]:
    """Return the numbers of the task's points, from 1."""
    return tuple(range(1, len(task.numbers) * task.quantity.points + 1))


def _in_steps(task: Task) -> tuple[Names, Names]:
    """Return the numbers that points can have in the first and in the second step, half of them in each."""
    every = _points(task)
    half = len(every) // 2
    return [every[:half]], task.step_points or [every[half:]]


def _step(text: str, number: int) -> str:
    """Return what stands between the tags of a step; empty unless they stand there once."""
    start, end = f"<step-{number}>", f"</step-{number}>"
    if text.count(start) != 1 or text.count(end) != 1:
        return ""
    return text.partition(start)[2].partition(end)[0]


def _pairs(text: str, names: Names, scene: Scene) -> list[Place]:
    """Return the different points of a text inside the picture, as x and y, in the order of their first mention."""
    frame, size = scene.views.frame, scene.views.whole.perceived
    written = [(float(a), float(b)) for a, b in _PAIR.findall(text)]
    pairs = [(b, a) if frame.y_first else (a, b) for a, b in written] or _named(text, names)
    return list(dict.fromkeys(pair for pair in pairs if frame.holds(*pair, size)))


def _named(text: str, names: Names) -> list[Place]:
    """Return the points given by name; none where a name is missing or has two values."""
    values: dict[str, set[float]] = {}
    for axis, place, number in _NAMED.findall(text):
        values.setdefault(f"{axis}{place}", set()).add(float(number))
    for numbers in names:
        wanted = [(values.get(f"x{k}", set()), values.get(f"y{k}", set())) for k in numbers]
        if all(len(found) == 1 for pair in wanted for found in pair):
            return [(min(x), min(y)) for x, y in wanted]
    return []
