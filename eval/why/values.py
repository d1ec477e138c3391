"""The numbers of a conversation from which an answer can be computed, in order: see ``flow``."""

import re
from collections.abc import Sequence
from itertools import product

from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.coded import coded_points
from medvision_agent.eval.why.forms import PLAIN, nearest_form
from medvision_agent.eval.why.matches import Reading, Value, added, matches, reading
from medvision_agent.eval.why.measured import Measurement, exact_of, measured_by, measurements
from medvision_agent.eval.why.numbers import Number, written
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["code_of", "values_of"]

_OUTPUTS = 8
"""Most numbers read in one result of code; a result with more is not read."""
_EARLIER = 64
"""Number of values (the last ones) with which literals in code are compared."""
_FEW_DIGITS = 1e-9
_CODE = 4000
"""Most characters read of code; ``python`` accepts no more."""
_READ = 20_000
"""Characters of a message, its last ones, in which sums are searched."""
_MOST_SUMS = 50
_SIGN = r"[-+\N{MINUS SIGN}]"
_TERM = r"(\d++(?:\.\d++)?)(?:\s?(?:mm|cm|degrees|°))?"
_TERMS = rf"(?<![\w.]){_TERM}((?:\s?{_SIGN}\s?{_TERM}){{1,7}})"
_IS = r"\s?[=≈]\s?"
_SUM = re.compile(rf"{_TERMS}{_IS}{_TERM}")
_MEAN = re.compile(rf"\({_TERMS}\)\s?[/÷]\s?(\d){_IS}{_TERM}")
_SIGNED = re.compile(rf"({_SIGN})\s?{_TERM}")


def values_of(task: Task, calls: Sequence[Call], response: str, scene: Scene) -> list[Value] | Missing:
    """Return the values from which an answer's numbers may come, or why they are unknown.

    They are the sums that *response*, the final message, writes out, and then what tools measured and code computed.
    """
    values: list[Value] = []
    for call in calls:
        if measured_by(task, call) is not None:
            found = measurements(task, [call], scene)
            if isinstance(found, Missing):
                return found
            values += [Value(one.value, (reading(one),), axis=one.axis) for one in found]
        elif code_of(call):
            values += _worked_out(task, call, values[-_EARLIER:], scene)
    return _sums(response[-_READ:], values, scene.spacing) + values


def code_of(call: Call) -> str:
    """Return the code given to a computing tool, at most 4,000 characters; empty for other and for failed calls."""
    if not call.ok or call.measures.of(NUMBER) is None:
        return ""
    return "\n".join(one for one in call.arguments.values() if isinstance(one, str))[:_CODE]


def _outputs(call: Call) -> list[Number]:
    """Return the numbers that executed code returned or else printed; empty if it gave none, or more than eight."""
    taken = call.measures.of(NUMBER)
    for name in (*(taken.fields if taken else ()), "printed"):
        if (number := call.number(name)) is not None:
            return [Number(number, _FEW_DIGITS)]
        if isinstance(text := call.result.get(name), str) and (found := written(text)):
            return found if len(found) <= _OUTPUTS else []
    return []


def _worked_out(task: Task, call: Call, earlier: Sequence[Value], scene: Scene) -> list[Value]:
    """Return the values that a call's code computed from *earlier* values, or else from points, that it contains."""
    code, outputs = code_of(call), _outputs(call)
    literals = [one for one in written(code) if one.tells and any(one.rounds(value.value) for value in earlier)]
    held = [one for one in earlier if any(number.rounds(one.value) for number in literals)]
    half = max((number.half_unit for number in literals), default=0.0)
    found = []
    for output in outputs if held else []:
        result = Number(output.value, output.half_unit + half)
        known = matches(result, held, task.quantity, scene.spacing, freely=True)
        if len({(one.made, one.form) for one in known}) == 1:
            found.append(Value(output.value, known[-1].readings, known[-1].form, known[-1].axis))
    return found or _of_points(task, call, outputs, scene)


def _of_points(task: Task, call: Call, outputs: Sequence[Number], scene: Scene) -> list[Value]:
    """Return the values that a call's code computed from points that it contains.

    As many outputs as lines belong to these in order; otherwise outputs within 2% of what a line gives belong to it.
    """
    lines = coded_points(task, code_of(call), scene)
    matched = len(lines) == len(outputs)
    found = []
    for output, points in zip(outputs, lines, strict=True) if matched else product(outputs, lines):
        exact = exact_of(points, scene.spacing)
        form = None if exact is None else nearest_form(output.value, exact, task.quantity)
        if exact is not None and (matched or form is not None):
            own = reading(Measurement(call.tool, output.value, points, exact))
            found.append(Value(output.value, (own,), form or PLAIN))
    return found


def _sums(text: str, values: Sequence[Value], spacing: Spacing) -> list[Value]:
    """Return the results of the sums and means that a text writes out, if all their terms are among *values*."""
    found: list[Value] = []
    if not values:
        return found  # a sum is read only if its terms are readings
    for pattern in (_SUM, _MEAN):
        for match in list(pattern.finditer(text))[:_MOST_SUMS]:
            said = _SIGNED.findall(match[2])
            terms = [_cited(number, values) for number in (match[1], *(number for _, number in said))]
            known = [one for one in terms if one is not None]
            if len(known) < len(terms):
                continue
            result = Number.read(match.groups()[-1]).value
            if pattern is _SUM:
                signs = [1, *(1 if sign == "+" else -1 for sign, _ in said)]
                found.append(Value(result, (added(known, signs, spacing),), combines=False))
            elif match.groups()[-2] == str(len(known)):
                found.append(Value(result, tuple(known), combines=False))
    return found


def _cited(text: str, values: Sequence[Value]) -> Reading | None:
    """Return the last single reading, in the unit asked for, of which the number in *text* is a rounding, or None."""
    number = Number.read(text)
    cited = [one for one in values if one.form == PLAIN and len(one.readings) == 1 and number.rounds(one.value)]
    return cited[-1].readings[0] if cited else None
