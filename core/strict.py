"""Numbers in strict JSON, which has neither NaN nor infinities: null, and the strings ``Infinity``, ``-Infinity``."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["strict"]


def strict(value: Any) -> Any:
    """Return *value* (numbers, texts, and mappings and sequences of them) with every number writable as JSON."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [strict(one) for one in value]
    return value
