"""Tokens and money of one sample, as the provider reported them."""

from pydantic import BaseModel, ConfigDict, Field

from medvision_agent.frozen import Lean

__all__ = ["MOST_TOKENS", "Prices", "Usage"]

MOST_TOKENS = 100_000_000
"""The largest token count of one reply that is believed; the longest contexts have ten million tokens."""


class Prices(BaseModel):
    """Prices of a model, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(ge=0, default=None)
    """Price of cached input tokens; the input price where not given."""


class Usage(Lean):
    """Token counts summed over one sample's model calls; ``output`` includes ``reasoning``, ``input`` ``cached``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_calls: int = 0
    unreported: int = 0
    """Model calls whose reply had no token counts, or impossible ones: the sums below leave them out."""
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cached: int = 0

    @classmethod
    def of_a_reply(cls, *, input: int, output: int, reasoning: int, cached: int, empty: bool) -> "Usage":  # noqa: A002 - the field's name
        """Return the usage of one reply; impossible counts are treated as unreported, which differs from zero.

        A prompt has tokens, and so has every reply that is not *empty*; cached tokens are part of the prompt.
        """
        plausible = all(0 <= count <= MOST_TOKENS for count in (input, output, reasoning, cached))
        if not plausible or input == 0 or cached > input or (output == 0 and not empty):
            return cls(model_calls=1, unreported=1)
        return cls(model_calls=1, input=input, output=output, reasoning=reasoning, cached=cached)

    def __add__(self, other: "Usage") -> "Usage":
        """Return the sum of two usages."""
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})

    def cost_usd(self, prices: Prices | None) -> float | None:
        """Return the cost in US dollars of the tokens counted; None without prices."""
        if prices is None:
            return None
        cached_price = prices.input if prices.cached is None else prices.cached
        fresh = self.input - self.cached
        return (fresh * prices.input + self.cached * cached_price + self.output * prices.output) / 1e6
