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
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.record import Record
from medvision_agent.eval.run import Run
from medvision_agent.eval.sample import Sample

__all__ = ["DATABASE", "PICTURES", "RunStore", "open_run", "picture_path", "read_trace"]

DATABASE = "run.sqlite"
PICTURES = "pictures"
_FORMAT = 1
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
        self._lock = lock
        self._database = database

    @classmethod
    def create(
        cls, folder: Path, samples: Sequence[Sample], identity: Mapping[str, Any], config: Mapping[str, Any]
    ) -> Self:
        """Make a new run; raises StorageError if the folder holds one already or cannot be written.

        The settings and the samples are one transaction: a folder holds a whole run or none.
        """
        if (folder / DATABASE).exists():
            raise StorageError(f"{folder} already holds a run; add --resume to continue it, or give another --out")
        store = cls._open(folder)
        try:
            with store._transaction() as database:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    database.execute(statement)
                facts = {"format": _FORMAT, "identity": identity, "config": config}
                database.executemany("INSERT INTO run VALUES (?, ?)", [(k, json.dumps(v)) for k, v in facts.items()])
                rows = [(number, sample.id, sample.model_dump_json()) for number, sample in enumerate(samples)]
                database.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def resume(cls, folder: Path, identity: Mapping[str, Any]) -> Self:
        """Open an existing run; raises StorageError naming every field of the identity that differs."""
        stored = open_run(folder).identity
        now = json.loads(json.dumps(identity))
        different = [
            f"  {key}: the run has {stored.get(key)!r}, this command {now.get(key)!r}"
            for key in sorted(stored.keys() | now.keys())
            if stored.get(key) != now.get(key)
        ]
        if different:
            lines = "\n".join(different)
            raise StorageError(
                f"{folder} cannot be resumed with other settings; give the same ones, or another --out:\n{lines}"
            )
        return cls._open(folder)

    @classmethod
    def _open(cls, folder: Path) -> Self:
        try:
            (folder / PICTURES).mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "run.lock")
            lock.acquire(blocking=False)
        except Timeout as error:
            raise StorageError(f"{folder} is being written by another process; wait for it to end") from error
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error}; give another --out") from error
        database = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        return cls(folder, lock, database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and let others write; leaves one plain file where no one else is reading."""
        with suppress(sqlite3.Error):
            self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()
        self._lock.release()

    def discard_if_empty(self) -> None:
        """Take the run away again if it holds no record; pictures of other runs and other files stay."""
        if self._database.execute("SELECT count(*) FROM record").fetchone() != (0,):
            return
        self.close()
        for name in (DATABASE, "run.lock"):
            (self.folder / name).unlink(missing_ok=True)
        for folder in (self.folder / PICTURES, self.folder):
            with suppress(OSError):  # not empty
                folder.rmdir()

    def add(self, record: Record, trace: Trace) -> None:
        """Store one finished sample; when this returns it is on disk. Not to be called from two threads at once."""
        for key, png in trace.pictures.items():
            _write_picture(self.folder, key, png)
        calls = [asdict(call) for call in trace.tool_calls]
        row = (
            record.sample.id,
            record.attempt,
            record.outcome,
            record.model_dump_json(exclude={"sample"}),
            json.dumps({"messages": trace.messages, "tool_calls": calls}),
        )
        try:
            with self._transaction() as database:
                database.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.folder / DATABASE}: sample {record.sample.id} was not stored: {error}"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def open_run(folder: Path) -> Run:
    """Read a stored run; raises StorageError if there is none or it is no run of this program."""
    file = folder / DATABASE
    if not file.is_file():
        raise StorageError(f"{folder} holds no run ({DATABASE} is missing); give the folder a run was written to")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
            if facts.get("format") != _FORMAT:
                raise StorageError(f"{file}: format {facts.get('format')!r}, this version reads format {_FORMAT}")
            samples = [
                Sample.model_validate_json(row[0])
                for row in database.execute("SELECT json FROM sample ORDER BY position")
            ]
            # Later attempts replace earlier ones.
            rows = dict(database.execute("SELECT sample_id, json FROM record ORDER BY attempt"))
    except (sqlite3.Error, ValueError) as error:
        raise StorageError(f"{file} is not a readable run: {error}") from error
    records = [
        Record.model_validate({**json.loads(rows[sample.id]), "sample": sample})
        for sample in samples
        if sample.id in rows
    ]
    return Run(folder, facts["identity"], facts["config"], samples, records)


def read_trace(folder: Path, sample_id: str) -> dict[str, Any]:
    """Return the latest trace of a sample: ``messages`` and ``tool_calls``; raises StorageError if there is none."""
    query = "SELECT trace FROM record WHERE sample_id = ? ORDER BY attempt DESC LIMIT 1"
    with closing(sqlite3.connect(f"{(folder / DATABASE).absolute().as_uri()}?mode=ro", uri=True)) as database:
        row = database.execute(query, (sample_id,)).fetchone()
    if row is None:
        raise StorageError(f"{folder} has no trace of sample {sample_id!r}")
    trace: dict[str, Any] = json.loads(row[0])
    return trace


def picture_path(folder: Path, sha256: str) -> Path:
    """Return where the picture with this hash lies in a run's folder."""
    return folder / PICTURES / sha256[:2] / f"{sha256}.png"


def _write_picture(folder: Path, key: str, png: bytes) -> None:
    """Write a picture so that its final name never shows an incomplete file."""
    path = picture_path(folder, key)
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(png)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in *folder* durable (POSIX; a no-op where folders cannot be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
