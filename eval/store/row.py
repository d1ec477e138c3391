"""Makes the stored row of a finished sample: its record without the sample, its packed trace, and their hashes."""

import sqlite3

from medvision_agent.eval.store.packed import Packed, Packer
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.schema import add_record
from medvision_agent.eval.store.seal import StoredRecord, Tally, hash_of_text

__all__ = ["add_row"]


def add_row(database: sqlite3.Connection, record: Record, trace: str, packer: Packer | None) -> Tally:
    """Store a record and the JSON text of its trace in one transaction.

    Return the run's new tally (count and hash sum). Without a *packer*, the trace is stored as text.
    """
    content = record.model_dump_json(exclude={"sample"}, exclude_defaults=True)
    row = StoredRecord(record.sample.id, record.attempt, record.outcome, content, hash_of_text(trace), None)
    row = row._replace(sha256=row.found_sha256)
    task = record.sample.task
    packed = Packed(trace) if packer is None else packer.pack(task, trace)
    tally, rowid = add_record(database, row, packed)
    if packer is not None:
        packer.stored(task, trace, packed, rowid)
    return tally
