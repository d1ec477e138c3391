"""Refused requests that say something of the server and nothing of one sample, found among the records of a run.

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
from collections.abc import Sequence
from itertools import groupby

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.wire.words import HISTORY
from medvision_agent.eval.store.record import Record

__all__ = ["IN_A_ROW", "SHARE", "refused_by_rule", "refused_first", "settled"]

IN_A_ROW = 5
SHARE = 0.2
_VARIES = re.compile(r"\b(?=\w*\d)[\w-]{8,}\b|\d+")
"""What differs from one refusal to the next in the same words: numbers, and the ids of requests."""


def settled(records: Sequence[Record]) -> list[Record]:
    """Return the latest records of a run, in the order of its samples, with refusals by rule as ``unsupported``."""
    by_rule = refused_by_rule(records)
    update = {"outcome": Outcome.UNSUPPORTED}
    return [record.model_copy(update=update) if record.sample.id in by_rule else record for record in records]


def refused_by_rule(records: Sequence[Record]) -> set[str]:
    """Return the ids of the samples whose refusal is the server's rule."""
    refused = [record for record in records if _refused(record)]
    if not refused:
        return set()
    furthest = max((len(record.finish_reasons) for record in records), default=0)
    by_rule = {one.sample.id for one in refused if _place(one) > furthest or HISTORY.search(one.detail)}
    alike = defaultdict[str, list[Record]](list)
    for record in refused:
        alike[_words(record)].append(record)
    for same in alike.values():
        if len(same) >= IN_A_ROW and _systematic({record.sample.id for record in same}, _place(same[0]), records):
            by_rule |= {record.sample.id for record in same}
    return by_rule


def refused_first(record: Record) -> bool:
    """Say whether the very first request of a sample was refused: nothing was paid, and nothing was said."""
    return _refused(record) and not record.finish_reasons


def _refused(record: Record) -> bool:
    return record.outcome is Outcome.REJECTED


def _place(record: Record) -> int:
    """Return in which place the refused request stood: 1 for the first."""
    return len(record.finish_reasons) + 1


def _words(record: Record) -> str:
    return _VARIES.sub("#", record.detail)


def _systematic(refused: set[str], place: int, records: Sequence[Record]) -> bool:
    """Say whether samples were refused in a row, or as a large share, of those that got to *place*."""
    got_there = [
        record.sample.id in refused
        for record in records
        if record.sample.id in refused or len(record.finish_reasons) >= place
    ]
    rows = (sum(1 for _ in row) for same, row in groupby(got_there) if same)
    return max(rows, default=0) >= IN_A_ROW or len(refused) >= SHARE * len(got_there)
