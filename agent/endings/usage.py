"""Tokens and money of one sample, as the provider reported them."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Prices", "Usage"]


class Prices(BaseModel):
    """US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(ge=0, default=None)
    """Price of cached input tokens; the input price where not given."""


class Usage(BaseModel):
    """Sums over the model calls of one sample; ``output`` includes ``reasoning``, ``input`` includes ``cached``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_calls: int = 0
    unreported: int = 0
    """Model calls whose reply carried no token counts: the sums below miss them."""
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cached: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Return the sum of two usages."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})

    def cost_usd(self, prices: Prices | None) -> float | None:
        """Return the cost in US dollars, or None without prices."""
        if prices is None:
            return None
        cached_price = prices.input if prices.cached is None else prices.cached
        fresh = self.input - self.cached
        return (fresh * prices.input + self.cached * cached_price + self.output * prices.output) / 1e6
