"""The numbers of an answer as written, and which reported value a written number can be a rounding of.

Numbers are float64 of the decimals as written (the scorer rounds them once more, to float32). A number with d
decimals stands for every value within ``0.5 * 10^-d`` of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from medvision_agent.eval.scorer.boxes import written_box
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["Number", "answer_in", "numbers_in"]

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

    def rounds(self, value: float) -> bool:
        """Tell whether this is *value*, rounded to the decimals written."""
        return math.isfinite(self.value) and abs(value - self.value) <= self.half_unit + _NOISE * max(1.0, abs(value))


def numbers_in(text: str, count: int, rules: Protocol) -> Sequence[Number] | None:
    """Return the numbers that *rules* read in a response, or None where they read no answer."""
    extracted = extract(text, count, rules)
    if parse(extracted, count) is None:
        return None
    return [Number.read(part) for part in extracted.split(",")]


def answer_in(text: str, record: Record, rules: Protocol) -> Sequence[Number] | None:
    """Return the numbers read as an answer to a record's question, in the model's own convention; None without one."""
    if record.spoken is None or not record.sample.asks.is_box:
        return numbers_in(text, len(record.sample.target), rules)
    box = written_box(text, FRAMES[record.spoken.frame], rules)
    return None if box is None else [Number.read(number) for number in box]
