"""Settled values: an immutable model, what is wrong with one, and numbers in strict JSON (no NaN, no infinities)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["Frozen", "complaint", "strict"]


class Frozen(BaseModel):
    """A value of typed fields; NaN and infinities are refused, whichever way it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def but(self, **changes: object) -> Self:
        """Return it with other values, validated as ``model_copy`` does not."""
        return type(self).model_validate(dict(self) | changes)


def complaint(error: ValidationError, whole: str = "", most: int = 1) -> str:
    """Return the first errors in one line, each with its field; *whole* is the field of an error of all of them."""
    items = error.errors(include_url=False, include_context=False)[:most]
    fields = [".".join(map(str, item["loc"])) or whole for item in items]
    return "; ".join(
        f"{field}: {item['msg']}" if field else item["msg"] for field, item in zip(fields, items, strict=True)
    )


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
