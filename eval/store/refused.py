"""Damaged shards, which are not merged into their run: what is lost with them, as far as it is known.

Contract: a record counts as lost if the run has none of the same sample and attempt. What is read of a damaged shard
is only counted, never merged.
"""

import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.database import connect_read_only
from medvision_agent.eval.store.read import find_attempt
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.seal import records_in
from medvision_agent.eval.store.shard import mark_of, run_of_shard
from medvision_agent.text import plural

__all__ = ["Refused", "intact_in", "lost_of", "what_it_took", "what_resuming_loses", "what_was_lost"]


class Refused(NamedTuple):
    """A damaged shard that was not merged into the run."""

    shard: str
    """The worker's folder and the number of the shard in it: ``WORKER/NUMBER``."""
    why: str
    """What is wrong with it, and where it is kept."""
    intact: Sequence[Record]
    """The records in it that can be read and were not changed; it may have held more."""


def intact_in(file: Path, run: sqlite3.Connection) -> list[Record]:
    """Return the records of a damaged shard that can be read and were not changed.

    The list is empty if the shard does not belong to the open *run*. Records that follow an unreadable one are left
    out.
    """
    found = list[Record]()
    with suppress(sqlite3.Error, ValueError), closing(connect_read_only(file)) as shard:
        if run_of_shard(shard, "main") != mark_of(run):
            return found
        for stored in records_in(shard):
            row = run.execute("SELECT json FROM main.sample WHERE id = ?", (stored.sample_id,)).fetchone()
            if row is not None and not stored.changed:
                sample = Sample.model_validate_json(row[0])
                found.append(Record.model_validate({**json.loads(stored.json), "sample": sample}))
    return found


def lost_of(folder: Path, records: Sequence[Record]) -> list[Record]:
    """Return those of the *records* that the run in *folder* does not have."""
    return [one for one in records if find_attempt(folder, one.sample, one.attempt) is None]


def what_it_took(lost: Sequence[Record], *, least: bool = False) -> str:
    """Return a text on lost answers: their number, tokens and cost, and that no stored figure includes them.

    With *least*, there may be more of them.
    """
    usage = sum((record.usage for record in lost), Usage())
    costs = [record.cost_usd for record in lost if record.usage.model_calls]
    dollars = math.fsum(cost for cost in costs if cost is not None)
    cost = "at an unknown cost" if None in costs else f"for {dollars:.4f} US dollars"
    return (
        f"lost with it: {'at least ' if least else ''}{plural(len(lost), 'finished answer')} "
        f"({usage.input + usage.output:,} tokens, {cost}), which the stored cost of the run does not include, nor the "
        "budget of a later command"
    )


def what_was_lost(lost: Sequence[Record], intact: Sequence[Record]) -> str:
    """Return a text on the answers *lost* with a shard whose worker ended: these are known, and there may be more.

    *intact* are the records that can be read in it.
    """
    if lost:
        return what_it_took(lost, least=True)
    if intact:
        return "every answer that can be read in it is in the run"
    return "nothing in it can be read, so that the number of finished answers lost with it is unknown"


def what_resuming_loses(folder: Path, refused: Refused) -> str:
    """Return a message on a damaged shard of an earlier command, for the command that resumes the run in *folder*."""
    took = what_was_lost(lost_of(folder, refused.intact), refused.intact)
    return f"{refused.why}; {took}; its samples that are not in the run are asked again"
