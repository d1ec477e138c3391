"""Drawing samples up to a limit, from a stream of any length.

A *group* is what a limit counts by: one of MedVision's configurations, or one task of any other source. The first
samples of each group are taken as they come, as upstream does; or, with a seed, they are drawn round-robin over the
subjects: one sample of each, then a second of each, until the limit. Which ones depends on the seed and the names of
subjects and samples alone. Never more than about twice the limit of each group is kept in memory.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from medvision_agent.eval.data.sample import Sample

__all__ = ["Draw"]

_SPARE = 100


@dataclass(frozen=True, slots=True)
class _Drawn:
    row: int
    key: bytes
    subject_key: bytes
    subject: str


class Draw:
    """Draws samples up to *limit* of each group (None: all of them), and keeps their rows, their indices in a list.

    With *seed* None the first samples of each group are drawn, otherwise samples are drawn evenly over the subjects. A
    group is one of MedVision's configurations, or one task of another source.
    """

    def __init__(self, limit: int | None, seed: int | None = None) -> None:
        self._limit = limit
        self._seed = seed
        self._counts = Counter[str]()
        """How many were taken of each group, before any is drawn."""
        self._first = array("I")
        """The rows of all that were taken, without a seed."""
        self._groups: defaultdict[str, list[_Drawn]] = defaultdict(list)

    def has(self, group: str) -> bool:
        """Return whether any sample of *group* was taken so far."""
        return group in self._counts

    def full(self, group: str) -> bool:
        """Return whether no further sample of *group* would be taken.

        Always False with a seed: any may still be drawn.
        """
        return self._limit is not None and self._seed is None and self._counts[group] >= self._limit

    def take(self, row: int, sample: Sample) -> bool:
        """Take the sample at *row* if the limit allows it; return whether it was taken. Rows must rise.

        With a seed, a sample that was taken may be dropped again in favour of a later one.
        """
        name = sample.medvision.config if sample.medvision else sample.task
        if self.full(name):
            return False
        self._counts[name] += 1
        if self._seed is None:
            self._first.append(row)
            return True
        group = self._groups[name]
        group.append(_Drawn(row, self._key(sample.id), self._key(sample.subject), sample.subject))
        # Safe to forget the rest: while others come, a sample's turn only moves back.
        if self._limit is not None and len(group) >= 2 * self._limit + _SPARE:
            self._groups[name] = self._first_turns(group)
        return True

    def rows(self) -> "array[int]":
        """Return the rows of the samples that are drawn, in ascending order."""
        if self._seed is None:
            return self._first
        return array("I", sorted(item.row for group in self._groups.values() for item in self._first_turns(group)))

    def _first_turns(self, group: Iterable[_Drawn]) -> list[_Drawn]:
        """Return the samples of one group that are drawn: one of each subject, then a second, up to the limit."""
        turns: Counter[str] = Counter()
        order = []
        for item in sorted(group, key=lambda item: item.key):
            turns[item.subject] += 1
            order.append((turns[item.subject], item.subject_key, item.key, item))
        return [item for *_, item in sorted(order, key=lambda entry: entry[:3])[: self._limit]]

    def _key(self, name: str) -> bytes:
        return blake2b(f"{self._seed}\0{name}".encode(), digest_size=12).digest()
