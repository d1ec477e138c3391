"""Sizes of images as they stand in rows: unchecked, and nearly always two whole numbers."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

__all__ = ["whole_pairs"]


def whole_pairs(sizes: Sequence[Any]) -> list[int] | None:
    """Return the numbers of all sizes, one after the other, if every size is a list of two; else None."""
    if set(map(type, sizes)) != {list} or set(map(len, sizes)) != {2}:
        return None
    flat = list(chain.from_iterable(sizes))
    return flat if set(map(type, flat)) == {int} else None
