"""The answers of two runs to the same samples, pair by pair."""

from collections.abc import Iterable, Iterator

from medvision_agent.eval.store.record import Record
from medvision_agent.side_by_side import paired

__all__ = ["Pair", "paired_records"]

Pair = tuple[Record, Record]
"""The records of both runs for one sample."""


def paired_records(a: Iterable[Record], b: Iterable[Record]) -> Iterator[Pair]:
    """Yield the records (A, B) of each sample that both runs have; few are held in memory (``paired``)."""
    return paired(a, b, lambda record: record.sample.id)
