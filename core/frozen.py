"""The base of what is settled once: immutable, and strict JSON."""

from typing import Self

from pydantic import BaseModel, ConfigDict

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """A value of typed fields; NaN and infinities are refused, whichever way it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def but(self, **changes: object) -> Self:
        """Return it with other values, validated as ``model_copy`` does not."""
        return type(self).model_validate(dict(self) | changes)
