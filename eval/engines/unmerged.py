"""The finished samples that workers reported and that are not in the run yet: their shard may still be lost.

Contract: a sample is held here from its report until its shard is merged, whatever followed from it meanwhile. What is
lost no longer counts among the answers drawn for its sample.
"""

import math
from collections.abc import Iterable, Sequence

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.merge import Merged
from medvision_agent.eval.store.read import find_attempt
from medvision_agent.eval.store.record import Record
from medvision_agent.text import plural

__all__ = ["Key", "Unmerged", "what_it_took"]

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


def what_it_took(lost: Sequence[Record]) -> str:
    """Return a text on lost answers: their number, tokens and cost, and that no stored figure includes them."""
    usage = sum((record.usage for record in lost), Usage())
    costs = [record.cost_usd for record in lost if record.usage.model_calls]
    dollars = math.fsum(cost for cost in costs if cost is not None)
    cost = "at an unknown cost" if None in costs else f"for {dollars:.4f} US dollars"
    return (
        f"lost with it: {plural(len(lost), 'finished answer')} ({usage.input + usage.output:,} tokens, {cost}), which "
        "the stored cost of the run does not include, nor the budget of a later command"
    )
