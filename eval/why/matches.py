"""The values from which a number can be computed, within rounding: a search over few combinations."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from medvision_agent.eval.why.forms import PLAIN, Form, forms_of
from medvision_agent.eval.why.measured import Measurement
from medvision_agent.eval.why.numbers import Number
from medvision_agent.quantity import Quantity
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["Reading", "Value", "added", "matches", "reading"]

_MOST = 12
"""Number of values that are combined (the last ones): at most 54 combinations."""
_MOST_TERMS = 3
"""Most terms of a sum; a mean may also be that of all values."""
_SHARED = 0.05
"""Largest distance between two ends that count as shared, as a fraction of the length of both lines."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One measurement, or several that were added or subtracted."""

    parts: tuple[Measurement, ...]
    """The measurements that were added or subtracted."""
    exact: float
    """The value in mm or degrees that the points give, without rounding."""
    points: tuple[Point, ...]
    """The points of the measurement, or the outer ends of lines that were added; empty if the lines do not join."""


@dataclass(frozen=True, eq=False)
class Value:
    """A number in the conversation, with the readings whose mean it is."""

    value: float
    readings: tuple[Reading, ...]
    form: Form = PLAIN
    axis: int | None = None
    """0 or 1 if its source states that it is the major or the minor axis."""
    made: str = ""
    """How it was computed from several values: ``mean``, ``sum`` or ``difference``; empty for one value."""
    combines: bool = True
    """Whether it may be combined further; results in the final message are not."""


def reading(one: Measurement) -> Reading:
    """Return a measurement as a reading."""
    return Reading((one,), one.exact, one.points)


def matches(
    number: Number, values: Sequence[Value], quantity: Quantity, spacing: Spacing, *, freely: bool = False
) -> list[Value]:
    """Return the values from which *number* may come, in the forms in which they match; empty if none matches.

    They are those of the first step (1 to 3, see the head of ``flow.py``) that finds any. *quantity* is what the task
    asks for, *spacing* the millimetres per pixel. With *freely*, sums of any lines in any form are allowed, as for
    numbers in code.
    """
    if found := [one for one in values if number.rounds(one.value)]:
        return found
    forms = forms_of(quantity)
    turned = [
        replace(one, value=form.of(one.value), form=form.after(one.form))
        for one in values
        for form in forms[1:]
        if number.rounds(form.of(one.value))
    ]
    if turned or not number.tells:
        return turned
    made = list(_made(values, spacing, freely=freely))
    for form in forms if freely else forms[:1]:
        if found := [one for one in made if number.rounds(form.of(one.value), 1 + _terms(one))]:
            return [replace(one, value=form.of(one.value), form=form) for one in found]
    return []


def _terms(one: Value) -> int:
    return sum(len(each.parts) for each in one.readings)


def _made(values: Sequence[Value], spacing: Spacing, *, freely: bool) -> Iterator[Value]:
    """Yield the means, sums and differences of consecutive values.

    Unless *freely*, only lines that share an end are added or subtracted.
    """
    single = [one for one in values if one.combines and len(one.readings) == 1 and one.form == PLAIN][-_MOST:]
    runs = [
        single[start : start + size] for size in range(2, _MOST_TERMS + 1) for start in range(len(single) - size + 1)
    ]
    runs += [single] if len(single) > _MOST_TERMS else []
    for run in runs:
        terms = [one.readings[0] for one in run]
        yield Value(math.fsum(one.value for one in run) / len(run), tuple(terms), made="mean")
        ways = {"sum": (1,) * len(run)} if len(run) <= _MOST_TERMS else {}
        ways |= {"difference": (1, -1)} if len(run) == 2 else {}
        for made, signs in ways.items():
            total = added(terms, signs, spacing)
            if freely or total.points:
                value = abs(math.fsum(sign * one.value for sign, one in zip(signs, run, strict=True)))
                yield Value(value, (total,), made=made)


def added(terms: Sequence[Reading], signs: Sequence[int], spacing: Spacing) -> Reading:
    """Return the absolute value of the sum of readings, each with its sign (1 or -1), as one reading.

    Its points are the outer ends if the lines join, else empty. *spacing* is the millimetres per pixel.
    """
    exact = abs(math.fsum(sign * one.exact for sign, one in zip(signs, terms, strict=True)))
    ends = terms[0].points
    for one in terms[1:]:
        ends = _joined(ends, one.points, spacing)
    return Reading(tuple(part for one in terms for part in one.parts), exact, ends)


def _joined(a: tuple[Point, ...], b: tuple[Point, ...], spacing: Spacing) -> tuple[Point, ...]:
    """Return the outer ends of two lines that share an end; empty if they do not, or if one is not a line."""
    if len(a) != 2 or len(b) != 2:
        return ()
    apart, i, j = min((distance_mm(a[i], b[j], spacing), i, j) for i in (0, 1) for j in (0, 1))
    lengths = distance_mm(a[0], a[1], spacing) + distance_mm(b[0], b[1], spacing)
    return (a[1 - i], b[1 - j]) if apart <= _SHARED * lengths else ()
