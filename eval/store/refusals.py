"""Finds refused requests in a run's records that are due to the server's rules and not to one sample.

Contract: what is decided follows from the set of records and the order of the samples alone, never from which request
returned first. A request is refused in its place in the conversation: as the first, the second, and so on. A refusal
is the server's rule, and no result, where

* no sample of the run ever had a reply in that place, or
* it speaks of the ids of calls, which the service or this program gave, and never the model, or
* the same words refused ``IN_A_ROW`` samples one after the other, among those that got so far, or at least that many
  and ``SHARE`` of them all.

Any other refusal is the result of its sample.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.wire.words import HISTORY
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.record import Record

__all__ = ["IN_A_ROW", "SHARE", "Ending", "by_rule", "ending_of", "refused_by_rule", "refused_first", "settled"]

IN_A_ROW = 5
SHARE = 0.2
_VARIES = re.compile(r"\b(?=\w*\d)[\w-]{8,}\b|\d+")
"""The parts that differ between refusals with the same words: numbers, and the ids of requests."""


class Ending(NamedTuple):
    """How the latest attempt of one sample ended: the facts that decide whether a refusal is its result."""

    sample: str
    outcome: Outcome
    replies: int
    """Number of requests that had a reply."""
    detail: str


def settled(records: Sequence[Record]) -> Callable[[], Iterator[Record]]:
    """Return a function that yields *records*, with the outcome ``unsupported`` for refusals by a rule of the server.

    *records* are the latest of each sample, in the order of the run's samples. Which refusals are due to such a rule,
    and are no result of their sample, is found at the first call.
    """
    refused = cache(lambda: refused_by_rule(streamed(records)))
    update = {"outcome": Outcome.UNSUPPORTED}

    def read() -> Iterator[Record]:
        for record in streamed(records):
            yield record.model_copy(update=update) if record.sample.id in refused() else record

    return read


def refused_by_rule(records: Iterable[Record]) -> set[str]:
    """Return the ids of the samples whose refusal is due to a rule of the server, not to the sample.

    *records* are the latest of each sample, in the order of the run's samples.
    """
    return by_rule(list(map(ending_of, records)))


def ending_of(record: Record) -> Ending:
    """Return the facts of a record that decide about its refusal."""
    return Ending(record.sample.id, record.outcome, len(record.finish_reasons), record.detail)


def by_rule(endings: Sequence[Ending]) -> set[str]:
    """Return the ids of the samples whose refusal is due to a rule of the server, not to the sample.

    *endings* are in the order of the run's samples.
    """
    refused = [one for one in endings if one.outcome is Outcome.REJECTED]
    if not refused:
        return set()
    furthest = max((one.replies for one in endings), default=0)
    found = {one.sample for one in refused if _place(one) > furthest or HISTORY.search(one.detail)}
    alike = defaultdict[str, list[Ending]](list)
    for one in refused:
        alike[_VARIES.sub("#", one.detail)].append(one)
    for same in alike.values():
        if len(same) >= IN_A_ROW and _systematic({one.sample for one in same}, _place(same[0]), endings):
            found |= {one.sample for one in same}
    return found


def refused_first(record: Record) -> bool:
    """Return whether the service rejected the first request of a sample: nothing was paid, and no reply exists."""
    return record.outcome is Outcome.REJECTED and not record.finish_reasons


def _place(ending: Ending) -> int:
    """Return the number of the refused request in its conversation, from 1."""
    return ending.replies + 1


def _systematic(refused: set[str], place: int, endings: Sequence[Ending]) -> bool:
    """Return whether refusals came in a row, or were a large share of the samples that reached request *place*."""
    got_there = [one.sample in refused for one in endings if one.sample in refused or one.replies >= place]
    rows = (sum(1 for _ in row) for same, row in groupby(got_there) if same)
    return max(rows, default=0) >= IN_A_ROW or len(refused) >= SHARE * len(got_there)
