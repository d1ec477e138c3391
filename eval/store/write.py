"""The store of one run: a folder with one SQLite file and a content-addressed folder of pictures.

The promise: *a sample reported as done is on disk*. Every finished sample is one transaction (WAL, synchronous=FULL);
its pictures are written, flushed and renamed into place before the row that names them. A run that is killed repeats
at most the samples in flight.

    RUN/run.sqlite      the resolved settings, the samples, one record and one trace per finished sample, and their
                        hashes (``seal.py``)
    RUN/pictures/ab/    abcd....png, named by the SHA-256 of the bytes

While a run is written, SQLite's log and a count of the records stand beside the file. The log is copied into the file
when the run was created and whenever it holds a megabyte.

Nothing is overwritten: a sample tried again after an infrastructure failure gets a further row (``attempt``), and the
latest one counts. One process writes at a time (a file lock says so); any number may read.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.files import (
    COUNT,
    DATABASE,
    LOCK,
    PICTURES,
    read_count,
    sync_folder,
    write_count,
    write_picture,
)
from medvision_agent.eval.store.read import FORMAT, holds_run, no_run, open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.seal import (
    StoredRecord,
    add_to_tally,
    hash_of_text,
    is_sealed,
    records_in,
    set_tally,
    tally_of,
)
from medvision_agent.eval.store.writer import Writer, transaction

__all__ = ["RunStore"]

_LOG = logging.getLogger(__name__)
_UNWRITABLE = (OSError, sqlite3.Error, ValueError, TypeError, RecursionError)
"""What writing may raise: the disk, the database, or something that is no JSON or no Unicode text."""
_SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE sample (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
CREATE TABLE record (
    sample_id TEXT NOT NULL REFERENCES sample (id),
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    json TEXT NOT NULL,
    trace_sha256 TEXT,
    sha256 TEXT,
    trace TEXT NOT NULL,
    PRIMARY KEY (sample_id, attempt)
) STRICT;
"""

_INSERT = """
INSERT INTO record (sample_id, attempt, outcome, json, trace_sha256, sha256, trace) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


class RunStore:
    """A run's folder, open for writing. Use ``create`` or ``resume``, then as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared: Path | None = None
        """A folder that this run's pictures are linked from, and other runs' too."""
        self._writer = Writer(folder)

    @classmethod
    def create(cls, folder: Path, samples: Sequence[Sample], identity: Identity, config: Mapping[str, Any]) -> Self:
        """Make a new run; raises StorageError if the folder holds one already or cannot be written.

        The settings and the samples are one transaction: a folder holds a whole run or none. What a process killed
        on its way there left behind is none, and taken over.
        """
        store = cls(folder)
        try:
            facts = {
                "format": FORMAT,
                "identity": identity.model_dump(mode="json", exclude={"resumed"}),
                "config": config,
            }
            store._writer.do(lambda database: _create(database, folder, samples, facts))
            write_count(folder, 0)
            sync_folder(folder)
        except _UNWRITABLE as error:
            store.close()
            raise StorageError(f"{folder / DATABASE} cannot be written: {error}; give another --out") from error
        except BaseException:
            store.close()
            raise
        _LOG.info("%s: a run of %d samples was created", folder, len(samples))
        return store

    @classmethod
    def resume(cls, folder: Path, identity: Identity) -> Self:
        """Open an existing run; raises StorageError naming every field of the identity that differs.

        A run may go on under other code than it was begun with; the store notes it, and every summary says so.
        """
        stored = open_run(folder).identity
        different = [
            f"  {name}: the run has {then!r}, this command {now!r}" for name, then, now in stored.differences(identity)
        ]
        if different:
            lines = "\n".join(different)
            raise StorageError(
                f"{folder} cannot be resumed with other settings; give the same ones, or another --out:\n{lines}"
            )
        store = cls(folder)
        try:
            write_count(folder, store._writer.do(lambda database: _continue(database, stored, identity.code)))
        except _UNWRITABLE as error:
            store.close()
            raise StorageError(f"{folder / DATABASE} cannot be written: {error}") from error
        except BaseException:
            store.close()
            raise
        _LOG.info("%s: the run is resumed", folder)
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Store all that was handed over, close the database and let others write; may be called again."""
        self._writer.close()

    def discard_if_empty(self) -> None:
        """Take the run away again if it holds no record; pictures of other runs and other files stay."""
        try:
            count = self._writer.do(lambda database: database.execute("SELECT count(*) FROM record").fetchone()[0])
        except sqlite3.Error:
            return  # what cannot be looked at stays
        if count:
            return
        self.close()
        for name in (DATABASE, COUNT, LOCK):
            (self.folder / name).unlink(missing_ok=True)
        for folder in (self.folder / PICTURES, self.folder):
            with suppress(OSError):  # not empty
                folder.rmdir()

    def add(self, record: Record, trace: Trace) -> None:
        """Store one finished sample, from any thread; when this returns it is on disk.

        Raises StorageError naming the sample if anything of it cannot be written; then nothing of it counts.
        """
        self._submit(record, trace).result()

    async def add_async(self, record: Record, trace: Trace) -> None:
        """Store one finished sample as ``add`` does, while the event loop goes on.

        A task that is cancelled here does not wait any longer; its sample is stored all the same.
        """
        await asyncio.shield(asyncio.wrap_future(self._submit(record, trace)))

    def _submit(self, record: Record, trace: Trace) -> Future[None]:
        return self._writer.submit(lambda database: self._add(database, record, trace))

    def _add(self, database: sqlite3.Connection, record: Record, trace: Trace) -> None:
        try:
            text = trace.to_json()
            for key, png in trace.pictures.items():
                write_picture(self.folder, key, png, self.shared)
            content = record.model_dump_json(exclude={"sample"})
            row = StoredRecord(record.sample.id, record.attempt, record.outcome, content, hash_of_text(text), None)
            row = row._replace(sha256=row.found_sha256)
            with transaction(database):
                database.execute(_INSERT, (*row, text))
                tally = add_to_tally(database, row)
        except _UNWRITABLE as error:
            raise StorageError(
                f"{self.folder}: sample {record.sample.id} was not stored: {error}; "
                "the samples before it are; remove the cause and go on with --resume"
            ) from error
        with suppress(OSError):  # the sample is stored, and a lower count is true as well
            write_count(self.folder, tally.count)


def _create(database: sqlite3.Connection, folder: Path, samples: Sequence[Sample], facts: Mapping[str, object]) -> None:
    """Write a run's settings and samples in one transaction, unless the file holds a run."""
    with transaction(database):
        if holds_run(database):
            raise StorageError(f"{folder} already holds a run; add --resume to continue it, or give another --out")
        if read_count(folder) is not None:
            raise no_run(folder)
        for statement in filter(str.strip, _SCHEMA.split(";")):
            database.execute(statement)
        rows = [(key, json.dumps(value)) for key, value in facts.items()]
        database.executemany("INSERT INTO run VALUES (?, ?)", rows)
        texts = [(number, sample.id, sample.model_dump_json()) for number, sample in enumerate(samples)]
        database.executemany("INSERT INTO sample VALUES (?, ?, ?)", texts)
        set_tally(database, tally_of(database, ()))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _continue(database: sqlite3.Connection, stored: Identity, code: str) -> int:
    """Note that the run goes on under *code*, seal what comes if it is of an older format; return its records.

    What was stored by a version that did not seal stays without a hash.
    """
    with transaction(database):
        if not is_sealed(database):
            for column in ("trace_sha256", "sha256"):
                database.execute(f"ALTER TABLE record ADD COLUMN {column} TEXT")
            _put(database, "format", FORMAT)
        if code != (stored.resumed or (stored.code,))[-1]:
            _put(database, "resumed", [*stored.resumed, code])
        tally = tally_of(database, [record.sha256 for record in records_in(database)])
        set_tally(database, tally)
    return tally.count


def _put(database: sqlite3.Connection, key: str, value: object) -> None:
    database.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (key, json.dumps(value)))
