"""The origin of an answer's numbers: a small data-flow graph, traced backwards without using the ground truth.

The numbers of a conversation are *values*: results of tools for the quantity asked for, results that code (``python``)
computed from such values or from points in the code, and sums that the final message writes out (``30.1 + 31.2 =
61.3``). Each value knows its *readings*, which are measurements or sums of some, with their points, and the *form* in
which it stands (``forms.py``). A number of the answer is traced to a value, or to a few of them, in this order; the
first step that finds anything ends the search:

1. as it is: the number is a rounding of a value;
2. in another form: a rounding of a value in cm or m (or of one taken for cm or m), of an angle in radians or of 180
   degrees minus it;
3. made of several values in a row, for a number of three significant digits: the mean of 2, of 3 or of all, the sum
   of 2 or 3 lines, or the difference of 2; only lines that share an end are added or subtracted. For k values, each
   perhaps rounded first, k + 1 half units of the last decimal are tolerated;
4. the points that the model states itself, in the final message, in code or as marks, if there are exactly those of the
   task (``stated.py``, ``coded.py``): the model computed from them. Where tools measured, the number must be within
   2% of what they give (the prompt states pixel sizes with three decimals).

Code is searched in the same way, but only over values that it contains as a literal with three significant digits, with
sums of any lines and in any form.

The bound: at most the last 12 values are combined, so that step 3 tries at most 54 combinations. Matches of different
kinds in step 3 (a mean and a sum, say) are ambiguous, and so are several matches of which some were measured in the
right place and some elsewhere (``eval/parts``): nothing is guessed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.forms import PLAIN, Form, nearest_form
from medvision_agent.eval.why.matches import Reading, Value, matches
from medvision_agent.eval.why.measured import Measurement, numbers_of
from medvision_agent.eval.why.numbers import Number, numbers_in
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stated import own_lines
from medvision_agent.eval.why.values import values_of
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.view.geometry import Point

__all__ = ["Traced", "trace", "trace_scored"]

_MOST = 1e12
"""Larger answers are not traced."""


@dataclass(frozen=True, eq=False)
class Traced:
    """One number of an answer, with its origin."""

    answer: float
    readings: tuple[Reading, ...]
    """The readings whose mean is the number's origin."""
    form: Form
    others: tuple[tuple[Reading, ...], ...] = ()
    """Other readings that match equally well."""

    @property
    def worked(self) -> float:
        """The number in mm or degrees, as if it had been written in the form asked for."""
        return self.form.back(self.answer)

    @property
    def seen(self) -> float:
        """The value in mm or degrees that the points give, without rounding or errors of arithmetic."""
        return math.fsum(one.exact for one in self.readings) / len(self.readings)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements from which the number was computed."""
        return tuple(part for one in self.readings for part in one.parts)

    @property
    def source(self) -> str:
        """The names of the tools that the points come from, joined by commas; ``STATED`` for the model's own points."""
        return ", ".join(dict.fromkeys(one.source for one in self.measurements))

    @property
    def solver(self) -> bool:
        """Whether a tool found any of the points."""
        return any(one.solver for one in self.measurements)

    @property
    def points(self) -> tuple[Point, ...]:
        """The points (slice frame) between which the number was measured; empty for the mean of several readings."""
        return self.readings[0].points if len(self.readings) == 1 else ()


def trace(
    task: Task, response: str | None, calls: Sequence[Call], scene: Scene | Missing, rules: Protocol
) -> list[Traced | Missing]:
    """Return the origin of each number of an answer, or why it is unknown: one entry for each of ``numbers_of``.

    *response* is the final message, None if there is no answer; *calls* are the tool calls with their results; *scene*
    holds the views of the conversation, or says why they are missing. The result is empty for boxes and areas.
    """
    return _trace(task, _numbers(task, response, rules) if numbers_of(task) else [], response, calls, scene)


def trace_scored(
    task: Task, response: str | None, score: Score, calls: Sequence[Call], scene: Scene | Missing
) -> list[Traced | Missing]:
    """Return the origin of each number of a scored answer, or why it is unknown, as ``trace`` does.

    The numbers are those that *score* holds as they were written; the response is not parsed for them again.
    """
    if not numbers_of(task):
        return []
    if not score.success:
        missing = Missing.NO_ANSWER if response is None else Missing.NO_NUMBERS
        return [missing] * len(task.numbers)
    return _trace(task, _bounded([Number.read(one) for one in score.extracted.split(",")]), response, calls, scene)


def _trace(
    task: Task,
    numbers: Sequence[Number] | Missing,
    response: str | None,
    calls: Sequence[Call],
    scene: Scene | Missing,
) -> list[Traced | Missing]:
    """Return the origin of each of the answer's *numbers*, or why it is unknown; one entry for each number."""
    names = numbers_of(task)
    if isinstance(numbers, Missing):
        return [numbers] * len(names)
    if isinstance(scene, Missing):
        return [scene] * len(names)
    values = values_of(task, calls, response or "", scene)
    if isinstance(values, Missing):
        return [values] * len(names)
    own = own_lines(task, response or "", calls, scene)
    found: list[Traced | Missing] = []
    for place, number in enumerate(numbers):
        used = [one.readings for one in found if isinstance(one, Traced)]
        known = matches(number, values, task.quantity, scene.spacing)
        if known:
            found.append(_chosen(place, number, known, used))
        elif isinstance(own, Missing):
            found.append(_untraced(number, calls, scene, measured=bool(values), reason=own))
        else:
            line = _worked_out(number, own[place], task, strictly=bool(values))
            found.append(line or _untraced(number, calls, scene, measured=True, reason=Missing.IGNORED))
    return found


def _numbers(task: Task, response: str | None, rules: Protocol) -> Sequence[Number] | Missing:
    """Return the numbers that *rules* read in an answer about lengths or angles, or why they cannot be used."""
    if response is None:
        return Missing.NO_ANSWER
    numbers = numbers_in(response, len(task.numbers), rules)
    return Missing.NO_NUMBERS if numbers is None else _bounded(numbers)


def _bounded(numbers: Sequence[Number]) -> Sequence[Number] | Missing:
    return Missing.TOO_LARGE if any(not abs(number.value) <= _MOST for number in numbers) else numbers


def _chosen(
    place: int, number: Number, known: Sequence[Value], used: Sequence[tuple[Reading, ...]]
) -> Traced | Missing:
    """Return the origin of the answer's number at index *place*, chosen among the values *known* that match it.

    Values that no earlier number used come first (*used* are the readings of earlier numbers), then those of the same
    axis, then the nearest, then the last. ``Missing.AMBIGUOUS`` if equally good values were computed differently.
    """

    def fits(one: Value) -> tuple[bool, bool]:
        return one.readings in used, one.axis not in (None, place)

    ranked = sorted(
        range(len(known)),
        key=lambda k: (*fits(known[k]), round(abs(known[k].value - number.value), 9), -k),
    )
    best = known[ranked[0]]
    rivals = [one for one in known if one is not best and fits(one) == fits(best)]
    if any((one.made, one.form) != (best.made, best.form) for one in rivals):
        return Missing.AMBIGUOUS
    return Traced(number.value, best.readings, best.form, tuple(one.readings for one in rivals))


def _worked_out(number: Number, line: Reading, task: Task, *, strictly: bool) -> Traced | None:
    """Return a number as computed from the points of *line*, which the model stated itself.

    With *strictly*, None if the number is not within 2% of what the points give, in any form.
    """
    form = nearest_form(number.value, line.exact, task.quantity)
    if form is None and strictly:
        return None
    return Traced(number.value, (line,), form or PLAIN)


def _untraced(number: Number, calls: Sequence[Call], scene: Scene, *, measured: bool, reason: Missing) -> Missing:
    """Return why a number's origin is unknown: it was copied from elsewhere, or made of nothing measured, or *reason*.

    *measured* states whether there were measurements that the number could have been made of.
    """
    if number.tells and any(number.rounds(value) for value in _other_numbers(calls, scene)):
        return Missing.COPIED
    return Missing.IGNORED if measured else reason


def _other_numbers(calls: Sequence[Call], scene: Scene) -> Iterator[float]:
    """Yield all numbers that tools returned, whatever they measure, and the numbers stated in the prompt."""
    yield from scene.stated
    for call in calls:
        if call.ok and call.measures.of(NUMBER) is None:
            yield from (number for name in call.result if (number := call.number(name)) is not None)
