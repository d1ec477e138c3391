"""Settled values: an immutable model, and numbers in strict JSON, which has neither NaN nor infinities."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["Frozen", "strict"]


class Frozen(BaseModel):
    """A value of typed fields; NaN and infinities are refused, whichever way it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def but(self, **changes: object) -> Self:
        """Return it with other values, validated as ``model_copy`` does not."""
        return type(self).model_validate(dict(self) | changes)


def strict(value: Any) -> Any:
    """Return *value* (numbers, texts, and mappings and sequences of them) with every number writable as JSON.

    NaN becomes null, and infinities the strings ``Infinity`` and ``-Infinity``.
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: strict(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [strict(one) for one in value]
    return value
