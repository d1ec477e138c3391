"""Drawing samples up to a limit, from a stream of any length.

A *group* is what a limit counts by: one of MedVision's configurations, or one task of any other source. The first
samples of each group are taken as they come, as upstream does; or, with a seed, they are drawn round-robin over the
subjects: one sample of each, then a second of each, until the limit. Which ones depends on the seed and the names of
subjects and samples alone. Never more than about twice the limit of each group is kept in memory.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from medvision_agent.eval.data.sample import Sample

__all__ = ["Draw"]

_SPARE = 100


@dataclass(frozen=True, slots=True)
class _Drawn:
    place: int
    key: bytes
    subject_key: bytes
    sample: Sample


class Draw:
    """The samples taken so far; *seed* None takes the first ones."""

    def __init__(self, limit: int | None, seed: int | None = None) -> None:
        self._limit = limit
        self._seed = seed
        self._groups: defaultdict[str, list[_Drawn]] = defaultdict(list)

    def has(self, group: str) -> bool:
        """Return whether there is a sample of *group*."""
        return group in self._groups

    def full(self, group: str) -> bool:
        """Return whether no further sample of *group* could be taken."""
        return self._limit is not None and self._seed is None and len(self._groups.get(group, ())) >= self._limit

    def add(self, samples: Iterable[Sample]) -> None:
        """Take what is to be taken of *samples*."""
        for place, sample in enumerate(samples):
            name = sample.medvision.config if sample.medvision else sample.task
            if self.full(name):
                continue
            group = self._groups[name]
            group.append(_Drawn(place, self._key(sample.id), self._key(sample.subject), sample))
            # Safe to forget the rest: while others come, a sample's turn only moves back.
            if self._limit is not None and len(group) >= 2 * self._limit + _SPARE:
                self._groups[name] = self._first_turns(group)

    def taken(self) -> list[Sample]:
        """Return the samples drawn, in the order they came."""
        drawn = [item for group in self._groups.values() for item in self._first_turns(group)]
        return [item.sample for item in sorted(drawn, key=lambda item: item.place)]

    def _first_turns(self, group: list[_Drawn]) -> list[_Drawn]:
        """Return the part of a group that is drawn."""
        if self._seed is None:
            return group[: self._limit]
        turns: Counter[str] = Counter()
        order = []
        for item in sorted(group, key=lambda item: item.key):
            turns[item.sample.subject] += 1
            order.append((turns[item.sample.subject], item.subject_key, item.key, item))
        return [item for *_, item in sorted(order, key=lambda entry: entry[:3])[: self._limit]]

    def _key(self, name: str) -> bytes:
        return blake2b(f"{self._seed}\0{name}".encode(), digest_size=12).digest()
