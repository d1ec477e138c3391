"""The answers of two runs to the same samples, pair by pair."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from medvision_agent.eval.store.record import Record

__all__ = ["Pair", "paired"]

Pair = tuple[Record, Record]
"""The records of both runs for one sample."""


def paired(a: Iterable[Record], b: Iterable[Record]) -> Iterator[Pair]:
    """Yield the records (A, B) of each sample that both runs have.

    Both inputs are read once, side by side, to their ends. Pairs come in the order of the samples if both runs have
    them in one order. A record is held in memory only until its partner comes: few are held if both runs have the same
    samples in the same order.
    """
    alone_a, alone_b = dict[str, Record](), dict[str, Record]()
    for one, two in zip_longest(a, b):
        if one is not None:
            if (partner := alone_b.pop(one.sample.id, None)) is not None:
                yield one, partner
            elif two is not None:  # after the end of b, no partner comes any more
                alone_a[one.sample.id] = one
        if two is not None:
            if (partner := alone_a.pop(two.sample.id, None)) is not None:
                yield partner, two
            elif one is not None:
                alone_b[two.sample.id] = two
