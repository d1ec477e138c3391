"""The store of one run: a folder with one SQLite file and a content-addressed folder of pictures.

The promise: *a sample reported as done is on disk*. Every finished sample is one transaction (WAL, synchronous=FULL);
its pictures are written, flushed and renamed into place before the row that names them. A run that is killed repeats
at most the samples in flight.

    RUN/run.sqlite      the resolved settings, the samples, one record and one trace per finished sample
    RUN/pictures/ab/    abcd....png, named by the SHA-256 of the bytes

Nothing is overwritten: a sample tried again after an infrastructure failure gets a further row (``attempt``), and the
latest one counts. One process writes at a time (a file lock says so); any number may read.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.files import DATABASE, PICTURES, make_folder, sync_folder, write_picture
from medvision_agent.eval.store.read import FORMAT, holds_run, open_run
from medvision_agent.eval.store.record import Record

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
    trace TEXT NOT NULL,
    PRIMARY KEY (sample_id, attempt)
) STRICT;
"""


class RunStore:
    """A run's folder, open for writing. Use ``create`` or ``resume``, then as a context manager."""

    def __init__(self, folder: Path, lock: FileLock, database: sqlite3.Connection) -> None:
        self.folder = folder
        self.shared: Path | None = None
        """A folder that this run's pictures are linked from, and other runs' too."""
        self._lock = lock
        self._database = database

    @classmethod
    def create(cls, folder: Path, samples: Sequence[Sample], identity: Identity, config: Mapping[str, Any]) -> Self:
        """Make a new run; raises StorageError if the folder holds one already or cannot be written.

        The settings and the samples are one transaction: a folder holds a whole run or none. What a process killed
        on its way there left behind is none, and taken over.
        """
        store = cls._open(folder)
        try:
            with store._transaction() as database:
                if holds_run(database):
                    raise StorageError(
                        f"{folder} already holds a run; add --resume to continue it, or give another --out"
                    )
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    database.execute(statement)
                facts = {
                    "format": FORMAT,
                    "identity": identity.model_dump(mode="json", exclude={"resumed"}),
                    "config": config,
                }
                database.executemany("INSERT INTO run VALUES (?, ?)", [(k, json.dumps(v)) for k, v in facts.items()])
                rows = [(number, sample.id, sample.model_dump_json()) for number, sample in enumerate(samples)]
                database.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
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
        store = cls._open(folder)
        store._note_code(stored, identity.code)
        _LOG.info("%s: the run is resumed", folder)
        return store

    def _note_code(self, stored: Identity, code: str) -> None:
        """Note that the run goes on under *code*, unless that made its last records."""
        if code == (stored.resumed or (stored.code,))[-1]:
            return
        with self._transaction() as database:
            noted = json.dumps([*stored.resumed, code])
            database.execute("INSERT OR REPLACE INTO run VALUES ('resumed', ?)", (noted,))

    def note_probe(self, probe: ToolProbe) -> None:
        """Keep what the probe of the tools' declarations found, in place of what an earlier session found."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO run VALUES ('probe', ?)", (probe.model_dump_json(),))

    @classmethod
    def _open(cls, folder: Path) -> Self:
        lock = FileLock(folder / "run.lock")
        try:
            make_folder(folder / PICTURES)
            lock.acquire(blocking=False)
        except Timeout as error:
            raise StorageError(f"{folder} is being written by another process; wait for it to end") from error
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error}; give another --out") from error
        database = None
        try:
            database = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            lock.release()
            raise StorageError(f"{folder / DATABASE} cannot be written: {error}; give another --out") from error
        return cls(folder, lock, database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and let others write; leaves one plain file where no one else is reading."""
        try:
            with suppress(sqlite3.Error):
                self._database.execute("PRAGMA journal_mode = DELETE")
            self._database.close()
        finally:
            self._lock.release()

    def discard_if_empty(self) -> None:
        """Take the run away again if it holds no record; pictures of other runs and other files stay."""
        try:
            empty = self._database.execute("SELECT count(*) FROM record").fetchone() == (0,)
        except sqlite3.Error:
            return  # what cannot be looked at stays
        if not empty:
            return
        self.close()
        for name in (DATABASE, "run.lock"):
            (self.folder / name).unlink(missing_ok=True)
        for folder in (self.folder / PICTURES, self.folder):
            with suppress(OSError):  # not empty
                folder.rmdir()

    def add(self, record: Record, trace: Trace) -> None:
        """Store one finished sample; when this returns it is on disk. Not to be called from two threads at once.

        Raises StorageError naming the sample if anything of it cannot be written; then nothing of it counts.
        """
        try:
            for key, png in trace.pictures.items():
                write_picture(self.folder, key, png, self.shared)
            row = (
                record.sample.id,
                record.attempt,
                record.outcome,
                record.model_dump_json(exclude={"sample"}),
                trace.to_json(),
            )
            with self._transaction() as database:
                database.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", row)
        except _UNWRITABLE as error:
            raise StorageError(
                f"{self.folder}: sample {record.sample.id} was not stored: {error}; "
                "the samples before it are; remove the cause and go on with --resume"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled back already
                self._database.execute("ROLLBACK")
            raise
