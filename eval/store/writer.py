"""The only thread that uses a run's database for writing: other threads hand it work and wait for the result.

Contract: work is done in the order in which it was handed over, and closing is the last piece of work. Whoever stops
waiting (Ctrl-C, a cancelled task) takes nothing back: what was handed over is done before the database is closed.
SQLite itself refuses the connection to any other thread.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from medvision_agent.errors import StorageError
from medvision_agent.eval.store.files import COUNT, DATABASE, LOCK, LOG, PICTURES, make_folder, unwritable, write_count

__all__ = ["Writer", "is_being_written", "transaction"]

T = TypeVar("T")
_PAGE = 8192
"""Bytes of a page of the database: three records with a packed trace of five tool calls fill one."""
_LOG = 1 << 20
"""Size of the log in bytes at which SQLite copies it into the file."""
_GLANCE = 0.2
"""Seconds to wait for a lock: ``is_being_written`` may hold it for an instant."""


def is_being_written(folder: Path) -> bool:
    """Return whether a process is writing the run in a folder at this moment."""
    if not (folder / LOG).exists():  # it is there from the first write to the last
        return False
    try:
        with (folder / LOCK).open("rb") as file:
            return _is_locked(file.fileno())
    except OSError:  # no lock, or one that this user cannot read
        return False


def _is_locked(handle: int) -> bool:
    """Return whether an open file is locked by another process, or through another open handle of this one."""
    try:
        from fcntl import LOCK_NB, LOCK_SH, flock  # noqa: PLC0415 - Windows has no such module
    except ImportError:
        attempt: Callable[[], object] = partial(os.read, handle, 1)  # on Windows others cannot read a locked file
    else:
        attempt = partial(flock, handle, LOCK_SH | LOCK_NB)  # ends when the file is closed
    try:
        attempt()
    except OSError:
        return True
    return False


class Writer:
    """The database of a run's folder, open for writing by this process alone, in one thread."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, lock it and open its database.

        Raises StorageError if another process writes it, or the folder cannot be written.
        """
        self._lock = FileLock(folder / LOCK, thread_local=False)  # released by the thread that closes the database
        try:
            make_folder(folder / PICTURES)
            self._lock.acquire(timeout=_GLANCE, poll_interval=_GLANCE / 10)
        except Timeout as error:
            raise StorageError(f"{folder} is being written by another process; wait for it to end") from error
        except OSError as error:
            raise StorageError(unwritable(folder, error)) from error
        self._folder, self._noted = folder, False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._closing: Future[None] | None = None
        try:
            self._database = self._thread.submit(_connect, folder / DATABASE).result()
        except sqlite3.Error as error:
            self._lock.release()
            self._thread.shutdown()
            raise StorageError(unwritable(folder / DATABASE, error)) from error

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Hand over *work*, a function of the database, and return a future with its result.

        StorageError after ``close``.
        """
        if self._closing is not None:
            raise StorageError("the run is closed: nothing more can be stored")
        return self._thread.submit(work, self._database)

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Hand over *work*, wait, and return its result or raise what it raised."""
        return self.submit(work).result()

    def note_count(self, records: int) -> None:
        """Note, in a file beside the database's log, how many records the database holds."""
        write_count(self._folder, records)
        self._noted = True

    def close(self) -> None:
        """Wait for all work, close the database and let others write; may be called several times.

        One plain database file remains if no other process is reading.
        """
        if self._closing is None:
            self._closing = self._thread.submit(self._close)
        self._closing.result()
        self._thread.shutdown()

    def _close(self) -> None:
        try:
            with suppress(sqlite3.Error):  # someone reads: the log stays
                plain = self._database.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
                if plain and self._noted:  # a note of others may say that the log was lost
                    (self._folder / COUNT).unlink(missing_ok=True)
            self._database.close()
        finally:
            self._lock.release()


def _connect(file: Path) -> sqlite3.Connection:
    # By its URI, so that shards can be attached by theirs.
    database = sqlite3.connect(file.absolute().as_uri(), uri=True, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {_PAGE}")  # of a file that is yet to be made
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        (page,) = database.execute("PRAGMA page_size").fetchone()
        database.execute(f"PRAGMA wal_autocheckpoint = {_LOG // page}")  # SQLite copies the log at each MB
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run a ``with`` block as one transaction: everything written in it is committed, or nothing if anything fails."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled back already
            database.execute("ROLLBACK")
        raise
