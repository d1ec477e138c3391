"""Reads a run's records in the order of storing: a returning reader gets those added since.

Contract: few rows are read at a time, so that nobody who writes waits for a reader. Nothing is checked here but that
rows fit together; ``StoredRecord.changed`` and the tally say whether they are what was stored.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from medvision_agent.eval.store.seal import StoredRecord, is_sealed

__all__ = ["Tailed", "count_of_records", "tail"]


class Tailed(NamedTuple):
    """A record with its sample, as the database holds them."""

    place: int
    """Number that grows from record to record."""
    position: int
    """Place of the sample in the run, from 0."""
    sample: str
    """JSON text of the sample."""
    record: StoredRecord


def tail(database: sqlite3.Connection, after: int, most: int) -> Iterator[Tailed]:
    """Yield at most *most* records that were stored after the one whose ``place`` is *after*.

    *after* = 0 stands for the beginning.
    """
    hashes = "r.trace_sha256, r.sha256" if is_sealed(database) else "NULL, NULL"
    query = f"""
        SELECT r.rowid, s.position, s.json, r.sample_id, r.attempt, r.outcome, r.json, {hashes}
        FROM record r JOIN sample s ON s.id = r.sample_id WHERE r.rowid > ? ORDER BY r.rowid LIMIT ?
    """  # noqa: S608 - of constants
    for place, position, sample, *stored in database.execute(query, (after, most)):
        yield Tailed(place, position, sample, StoredRecord._make(stored))


def count_of_records(database: sqlite3.Connection) -> int:
    """Return how many records the run has, earlier attempts included."""
    return int(database.execute("SELECT count(*) FROM record").fetchone()[0])
