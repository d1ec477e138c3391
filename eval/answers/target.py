"""The target of a record: numbers, a list of them, or the text of either.

Contract: as many finite numbers as the family has, or a ValueError that says what is there instead.
"""

import ast
import json
import math
from typing import Any

from medvision_agent.eval.answers.decode import decode_quickly
from medvision_agent.eval.scorer.answer import COUNTS, Family

__all__ = ["read_target"]

_SEQUENCES = (list, tuple)
_FLOATS = {float}


def read_target(target: Any, family: Family) -> tuple[tuple[float, ...], bool]:
    """Return the numbers of a target, and whether it was a bare number and no list of one."""
    value = _literal(target) if isinstance(target, str) else target
    if type(value) is list and len(value) == COUNTS[family] and set(map(type, value)) == _FLOATS:
        found = tuple(value)  # nearly all of boxes and sizes: no look at each number but this one
        if math.isfinite(sum(found)):
            return found, False
    elif type(value) is float and COUNTS[family] == 1 and math.isfinite(value):
        return (value,), True
    return _checked(target, value, family)


def _checked(target: Any, value: Any, family: Family) -> tuple[tuple[float, ...], bool]:
    bare = not isinstance(value, _SEQUENCES)
    numbers = (value,) if bare else tuple(value)
    if not all(map(_is_number, numbers)):
        raise ValueError(f"target {str(target)[:60]!r} is not made of numbers")
    if len(numbers) != COUNTS[family]:
        raise ValueError(f"target has {len(numbers)} numbers, expected {COUNTS[family]}")
    try:
        found = tuple(map(float, numbers))
    except OverflowError:
        found = (math.inf,)
    if not all(map(math.isfinite, found)):
        raise ValueError(f"target {str(target)[:60]!r} is not finite")
    return found, bare


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _literal(text: str) -> Any:
    try:
        return decode_quickly(text)  # the usual case
    except ValueError:
        pass
    try:
        return json.loads(text)  # NaN and Infinity are refused with what is not finite
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"target {text[:60]!r} is not a number or a list of numbers") from None
