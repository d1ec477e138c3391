"""The target of a record: numbers, a list of numbers, or either as text.

Contract: returns as many finite numbers as the family has, or raises a ValueError that states what was found instead.
"""

import ast
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from medvision_agent.eval.scorer.answer import COUNTS
from medvision_agent.eval.tasks import Family

__all__ = ["Numbers", "read_target", "read_targets"]

_SEQUENCES = (list, tuple)
_USUAL: dict[Family, Callable[[str], Any]] = {
    "Detection": msgspec.json.Decoder(tuple[float, float, float, float]).decode,
    "TL": msgspec.json.Decoder(tuple[float, float]).decode,
    "AD": msgspec.json.Decoder(float | tuple[float]).decode,
}

Numbers = tuple[float, ...]


def read_targets(targets: Sequence[Any], family: Family) -> tuple[list[Numbers], list[bool], dict[int, ValueError]]:
    """Return the numbers of all targets, whether each was a bare number instead of a list, and errors by row number.

    An invalid target has no numbers and a ValueError among the errors.
    """
    try:
        values = list(map(_USUAL[family], targets))
    except (ValueError, TypeError, RecursionError):
        return _one_by_one(targets, family)  # one target has an unusual form
    if family != "AD":
        return values, [False] * len(values), {}
    bare = [type(value) is float for value in values]
    return [value if isinstance(value, tuple) else (value,) for value in values], bare, {}


def _one_by_one(targets: Sequence[Any], family: Family) -> tuple[list[Numbers], list[bool], dict[int, ValueError]]:
    found: list[tuple[Numbers, bool]] = []
    errors = {}
    for row, target in enumerate(targets):
        try:
            found.append(read_target(target, family))
        except ValueError as error:
            errors[row] = error
            found.append(((), False))
    return [numbers for numbers, _ in found], [bare for _, bare in found], errors


def read_target(target: Any, family: Family) -> tuple[tuple[float, ...], bool]:
    """Return the numbers of a target, and whether it was a bare number instead of a list.

    Raises ValueError unless they are finite numbers, as many as the family has.
    """
    value = _literal(target) if isinstance(target, str) else target
    bare = not isinstance(value, _SEQUENCES)
    numbers = (value,) if bare else tuple(value)
    if not all(map(_is_number, numbers)):
        raise ValueError(f"target {str(target)[:60]!r} is not a number or a list of numbers")
    if len(numbers) != COUNTS[family]:
        raise ValueError(f"target has {len(numbers)} numbers, but {COUNTS[family]} are expected (task_type {family})")
    try:
        found = tuple(map(float, numbers))
    except OverflowError:
        found = (math.inf,)
    if not all(map(math.isfinite, found)):
        raise ValueError(f"target {str(target)[:60]!r} has an infinite number or NaN")
    return found, bare


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _literal(text: str) -> Any:
    try:
        return json.loads(text)  # NaN and Infinity are rejected later, as not finite
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"target {text[:60]!r} is not a number or a list of numbers") from None
