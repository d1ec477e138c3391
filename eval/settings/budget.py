"""The budget of a whole run."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Budget"]


class Budget(BaseModel):
    """What a run may take; None does not bound. No part of a run's identity: a resumed run may have another."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """US dollars, by the model's prices, over all sessions and attempts. The run stops there; `--resume` goes on."""
    tokens: int | None = Field(default=None, gt=0)
    """Input plus output tokens, over all sessions and attempts. The run stops there; `--resume` goes on."""
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Wall time of this session. The run stops there; `--resume` goes on."""

    @property
    def of_usage(self) -> bool:
        """Whether money or tokens are bounded, so that what earlier sessions took counts."""
        return self.usd is not None or self.tokens is not None
