"""The numbers of an answer as written, and which reported value a written number can be a rounding of.

Numbers are float64 of the decimals as written (the scorer rounds them once more, to float32). A number with d
decimals stands for every value within ``0.5 * 10^-d`` of it.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from medvision_agent.eval.scorer.numbers import extract
from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["Number", "numbers_in", "written"]

_WRITTEN = re.compile(r"(?<![\w.])(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d{1,3}+)?(?!\w|\.\d)", re.ASCII)
_NOISE = 1e-9
"""Of 12.35 and 12.345 the difference is half a hundredth and a little float noise."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as an answer states it."""

    value: float
    half_unit: float
    """Half a unit of its last decimal: how far a value it was rounded from may lie from it."""

    @classmethod
    def read(cls, text: str) -> "Number":
        """Return the number of a string such as ``12.30`` or ``1.5e3``."""
        mantissa, _, exponent = text.replace(",", "").lower().partition("e")
        decimals = len(mantissa.partition(".")[2]) - (int(exponent[:6]) if exponent else 0)
        unit = 10.0 ** min(max(-decimals, -300), 300)
        return cls(float(text.replace(",", "")), 0.5 * unit)

    def rounds(self, value: float, halves: float = 1.0) -> bool:
        """Tell whether this is *value*, rounded to the decimals written; with *halves*, so many half units away."""
        noise = _NOISE * max(1.0, abs(value))
        finite = math.isfinite(self.value) and math.isfinite(value)
        return finite and abs(value - self.value) <= halves * self.half_unit + noise

    @property
    def tells(self) -> bool:
        """Whether it has three significant digits at least, so that it is hardly equal to another by chance."""
        return abs(self.value) >= 200 * self.half_unit


def written(text: str) -> list[Number]:
    """Return the numbers of a text, without signs: what follows a letter, as in ``x1``, is none."""
    return [Number.read(found) for found in _WRITTEN.findall(text)]


def numbers_in(text: str, count: int, rules: Protocol) -> Sequence[Number] | None:
    """Return the numbers that *rules* read in a response, or None where they read no answer."""
    extracted = extract(text, count, rules)
    return [Number.read(part) for part in extracted.split(",")] if extracted else None
