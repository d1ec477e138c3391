"""The tables of a run, and every transaction that writes to them. Only the writer's thread calls these functions.

Contract: each function here is one transaction, and leaves the tally (``seal.py``) true.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.database import FORMAT, SEALED, holds_run, no_run
from medvision_agent.eval.store.files import read_count
from medvision_agent.eval.store.packed import Packed
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.seal import (
    StoredRecord,
    Tally,
    add_to_tally,
    facts_changed,
    is_sealed,
    records_in,
    set_tally,
    stored_tally,
    tally_of,
)
from medvision_agent.eval.store.writer import transaction

__all__ = ["add_record", "continue_run", "create_run", "set_fact"]

_SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE sample (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
CREATE TABLE record (
    number INTEGER PRIMARY KEY,
    sample_id TEXT NOT NULL REFERENCES sample (id),
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    json TEXT NOT NULL,
    trace_sha256 TEXT,
    sha256 TEXT,
    base INTEGER,
    trace ANY NOT NULL,
    UNIQUE (sample_id, attempt)
) STRICT;
"""
_INSERT = (
    "INSERT INTO record (sample_id, attempt, outcome, json, trace_sha256, sha256, trace) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_PACKED = """
INSERT INTO record (sample_id, attempt, outcome, json, trace_sha256, sha256, trace, base)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


def create_run(
    database: sqlite3.Connection, folder: Path, samples: Iterable[Sample], facts: Mapping[str, object]
) -> None:
    """Write a run's facts (settings and identity) and samples to the database file, not only to its log.

    Raises StorageError where *folder* holds a run already, or held one that was lost.
    """
    with transaction(database):
        if holds_run(database):
            raise StorageError(f"{folder} already holds a run; add --resume to continue it, or give another --out")
        if read_count(folder) is not None:
            raise no_run(folder)
        for statement in filter(str.strip, _SCHEMA.split(";")):
            database.execute(statement)
        for key, value in {"format": FORMAT, **facts}.items():
            _put(database, key, value)
        rows = ((number, sample.id, sample.model_dump_json()) for number, sample in enumerate(samples))
        database.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
        set_tally(database, tally_of(database, ()))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def continue_run(database: sqlite3.Connection, stored: Run, code: str, libraries: Mapping[str, str]) -> Tally:
    """Note that the run *stored* continues with this *code* (version and hash) and *libraries*; return its tally.

    Records of a version that stored no hashes stay without one, and a run begun with traces in plain text keeps them
    so. Raises StorageError where the run changed since it was read.
    """
    with transaction(database):
        if not is_sealed(database):
            for column in ("trace_sha256", "sha256"):
                database.execute(f"ALTER TABLE record ADD COLUMN {column} TEXT")
            _put(database, "format", SEALED)
        before = stored_tally(database)
        if before != stored.tally:
            raise StorageError(
                f"{stored.folder}: another process wrote to the run while this one opened it; repeat the command"
            )
        identity = stored.identity
        if code != (identity.resumed or (identity.code,))[-1]:
            _put(database, "resumed", [*identity.resumed, code])
        if libraries != stored.libraries[-1]:
            _put(database, "later_libraries", [*stored.libraries[1:], libraries])
        if before is None:
            tally = tally_of(database, [record.sha256 for record in records_in(database)])
            set_tally(database, tally)
            return tally
        return facts_changed(database) or before


def add_record(database: sqlite3.Connection, record: StoredRecord, trace: Packed) -> tuple[Tally, int]:
    """Add a record and its trace; return the new tally (count and hash sum of all records) and the record's rowid."""
    with transaction(database):
        if isinstance(trace.value, str):
            row = database.execute(_INSERT, (*record, trace.value))
        else:
            row = database.execute(_INSERT_PACKED, (*record, *trace))
        return add_to_tally(database, record), row.lastrowid or 0


def set_fact(database: sqlite3.Connection, key: str, value: object) -> None:
    """Store a fact of the run (JSON data) under *key*, in place of an earlier one with this key."""
    with transaction(database):
        _put(database, key, value)
        facts_changed(database)


def _put(database: sqlite3.Connection, key: str, value: object) -> None:
    database.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (key, json.dumps(value)))
