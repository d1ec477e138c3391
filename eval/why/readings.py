"""Whether an answer is what the last tool result says.

A result says the quantity of the task: ``distance_mm``, ``acute_angle_deg``, ``major_mm`` and ``minor_mm``, or the
box of ``fit_contour`` in coordinates of v0. Two lines in a row that succeeded are one result of a size. The value of
``python`` says whatever was worked out, where the answer is one number. Numbers are compared as written: each number
of the answer must be a rounding of another one of the result, in any order.
"""

from collections.abc import Sequence

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.data.sample import Task
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.numbers import Number, numbers_in

__all__ = ["is_last_result"]

_SAID: dict[Task, dict[str, tuple[str, ...]]] = {
    "detection": {"fit_contour": ("v0_box_x0", "v0_box_y0", "v0_box_x1", "v0_box_y1")},
    "size": {"ruler": ("distance_mm",), "fit_contour": ("major_mm", "minor_mm"), "python": ("value",)},
    "angle": {"protractor": ("acute_angle_deg",), "python": ("value",)},
    "distance": {"ruler": ("distance_mm",), "python": ("value",)},
}


def is_last_result(record: Record, calls: Sequence[Call], rules: Protocol) -> bool | None:
    """Tell whether the answer is the last result; None without an answer or without a call that succeeded."""
    done = [call for call in calls if call.ok]
    numbers = numbers_in(record.response, len(record.sample.target), rules)
    if record.outcome is not Outcome.ANSWERED or numbers is None or not done:
        return None
    task = record.sample.task
    last = done[-1:]
    if task == "size" and [call.tool for call in done[-2:]] == [done[-1].tool] * 2 and done[-1].tool != "fit_contour":
        last = done[-2:]
    said = [
        value for call in last for name in _SAID[task].get(call.tool, ()) if (value := call.number(name)) is not None
    ]
    return _each(list(numbers), said)


def _each(numbers: Sequence[Number], said: Sequence[float]) -> bool:
    """Tell whether every number can have a value of its own; the few there are can be tried in every order."""
    if not numbers:
        return True
    return any(
        numbers[0].rounds(value) and _each(numbers[1:], [*said[:at], *said[at + 1 :]]) for at, value in enumerate(said)
    )
