"""The budget of a whole run."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Budget"]


class Budget(BaseModel):
    """The limits of a whole run; None means no limit. A resumed run may have others: they do not define the run."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Limit in US dollars, by the model's prices, over all sessions and attempts. At the limit no further sample is
    started, and those in flight are finished. To continue, give a higher limit."""
    tokens: int | None = Field(default=None, gt=0)
    """Limit of input plus output tokens over all sessions and attempts. At the limit no further sample is started, and
    those in flight are finished. To continue, give a higher limit."""
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Limit of the wall time of this session in seconds. At the limit no further sample is started, and those in flight
    are finished."""

    @property
    def of_usage(self) -> bool:
        """Whether money or tokens are limited, so that the usage of earlier sessions counts."""
        return self.usd is not None or self.tokens is not None
