"""Where few subjects hold so much that a 95 % interval is not quite one, as ``benchmarks/dominant.py`` measured it.

The jackknife's t follows t on Kish's number less one, but not where a few large subjects stand beside many small ones:

* one large subject enters the estimate and its standard error alike, so that t can hardly be far from 0: the interval
  is wider than it need be;
* of three to five, the standard error is hardly more than the spread of so few values, while Kish's number still counts
  the small ones: the interval is too narrow.
"""

from typing import Literal

__all__ = ["Dominance", "dominance"]

Dominance = Literal["wide", "narrow"]

_ONE = 0.2
"""The share of all pairs from which one subject makes an interval too wide."""
_FIVE = 1 / 3
"""The share from which the five largest may make it too narrow,"""
_MANY = 40
"""among at least so many subjects; among 20 they did not."""


def dominance(*, pairs: int, subjects: int, largest: int, largest_five: int) -> Dominance | None:
    """Return how an interval may be wrong, from the pairs of the largest subject and of the five largest."""
    if largest >= _ONE * pairs:
        return "wide"
    return "narrow" if subjects >= _MANY and largest_five >= _FIVE * pairs else None
