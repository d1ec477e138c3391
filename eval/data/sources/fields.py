"""The fields of a sample as a file states them, before they are checked."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from medvision_agent.errors import DataError

__all__ = ["fields_of", "without_nulls"]


class _TwiceError(ValueError):
    """The error that one JSON object has a key twice."""


def fields_of(text: bytes, place: str) -> dict[str, Any] | None:
    """Return the fields of one JSON object; None where *text* is not one, which the parser of samples then reports.

    Raises DataError, beginning with *place*, for a key that is given twice: JSON readers would take the last value.
    """
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except _TwiceError as error:
        raise DataError(f"{place}: {error}") from None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def without_nulls(value: Any) -> Any:
    """Return *value* without the keys whose value is null, at any depth: they stand for fields that are not given."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise _TwiceError(f"{twice[:80]}: the key is given twice; leave one of them out")
    return found
