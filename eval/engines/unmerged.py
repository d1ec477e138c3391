"""The finished samples that workers reported and that are not in the run yet: their shard may still be lost.

Contract: a sample is held here from its report until its shard is merged, whatever followed from it meanwhile. What is
lost no longer counts among the answers drawn for its sample.
"""

from collections.abc import Iterable

from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.merge import Merged
from medvision_agent.eval.store.read import find_attempt
from medvision_agent.eval.store.record import Record

__all__ = ["Key", "Unmerged"]

Key = tuple[Lane, str, int]
"""Lane, id of the sample, and number of the attempt."""


class Unmerged:
    """The finished samples that workers reported and that are not in the run yet, by shard.

    Used from one event loop.
    """

    def __init__(self) -> None:
        self._told = dict[Key, tuple[str, Record]]()
        self._early = set[Key]()
        """Samples that came into the run before the worker reported them as finished."""

    def told(self, key: Key, shard: str, record: Record) -> bool:
        """Note a reported sample and its *shard* (``WORKER/NUMBER``).

        Return False if its record is in the run already.
        """
        if key in self._early:
            self._early.discard(key)
            return False
        self._told[key] = shard, record
        return True

    def merged(self, key: Key) -> None:
        """Note that the record of a sample came into the run."""
        if self._told.pop(key, None) is None:
            self._early.add(key)

    def forget(self, lane: Lane, shards: Iterable[Merged]) -> None:
        """Note that merged shards brought their samples into the run; their worker will report nothing more."""
        for key in (key for merged in shards for key in merged.keys):
            self._told.pop((lane, *key), None)

    def has_draws_of(self, lane: Lane, sample: Sample) -> bool:
        """Return whether any answer drawn for a sample was reported but is not in the run yet."""
        drawn = lane.draws.drawn[sample.id] if lane.draws else ()
        return any((lane, sample.id, one.attempt) in self._told for one in drawn)

    def lost(self, lane: Lane, shards: str = "") -> list[Record]:
        """Forget the reported samples of a lane in certain *shards*, and return the records that are not in the run.

        *shards* is the name of one shard, or of a worker for all of its shards; by default it is every shard.
        """
        own = [
            (key, record)
            for key, (shard, record) in self._told.items()
            if key[0] is lane and (not shards or shard == shards or shard.startswith(f"{shards}/"))
        ]
        lost = list[Record]()
        for key, record in own:
            del self._told[key]
            if find_attempt(lane.store.folder, record.sample, record.attempt) is None:
                lost.append(record)
                if lane.draws:
                    lane.draws.lost(record)
        return lost
