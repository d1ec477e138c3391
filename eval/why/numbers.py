"""An answer's numbers as written, and the test whether a written number is a rounding of a value.

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
"""Tolerance for float errors: 12.35 - 12.345 is not exactly half a hundredth."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written in an answer."""

    value: float
    half_unit: float
    """Half a unit of its last decimal: the largest distance to a value that it rounds."""

    @classmethod
    def read(cls, text: str) -> "Number":
        """Return the number written in a text such as ``12.30`` or ``1.5e3``; ValueError if it is no number."""
        mantissa, _, exponent = text.replace(",", "").lower().partition("e")
        decimals = len(mantissa.partition(".")[2]) - (int(exponent[:6]) if exponent else 0)
        unit = 10.0 ** min(max(-decimals, -300), 300)
        return cls(float(text.replace(",", "")), 0.5 * unit)

    def rounds(self, value: float, halves: float = 1.0) -> bool:
        """Return whether this number is *value* rounded to the decimals written.

        *halves* is the tolerance in half units of the last decimal.
        """
        noise = _NOISE * max(1.0, abs(value))
        finite = math.isfinite(self.value) and math.isfinite(value)
        return finite and abs(value - self.value) <= halves * self.half_unit + noise

    @property
    def tells(self) -> bool:
        """Whether it has at least three significant digits, so that it hardly equals another number by chance."""
        return abs(self.value) >= 200 * self.half_unit


def written(text: str) -> list[Number]:
    """Return the numbers in a text in order, without signs; a digit after a letter, as in ``x1``, is not a number."""
    return [Number.read(found) for found in _WRITTEN.findall(text)]


def numbers_in(text: str, count: int, rules: Protocol) -> Sequence[Number] | None:
    """Return the *count* numbers that the protocol *rules* reads in a response; None if it finds fewer."""
    extracted = extract(text, count, rules)
    return [Number.read(part) for part in extracted.split(",")] if extracted else None
