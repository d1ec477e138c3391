"""Opens a run's database for reading, also while it is being written, and in a read-only folder.

Contract: every error in a run's file is a StorageError that names the file.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.store.damage import Damage, is_lost
from medvision_agent.eval.store.files import DATABASE, LOG

__all__ = [
    "CELLS",
    "FORMAT",
    "SEALED",
    "STUDY",
    "connect_read_only",
    "has_run",
    "holds_run",
    "named_errors",
    "no_run",
    "reading",
]

FORMAT = 3
"""The format of new runs: traces are packed."""
SEALED = 2
"""The previous format: with hashes, and traces in plain text. Format 1 had no hashes."""
_READABLE = (1, SEALED, FORMAT)
STUDY, CELLS = "study.json", "cells"
"""Names that distinguish a study from a run: the file of its plan, and the folder of its runs."""


def has_run(folder: Path) -> bool:
    """Return whether a folder holds a run; the remains of a process killed while creating one do not count.

    Raises StorageError if the database cannot be read.
    """
    if not (folder / DATABASE).is_file():
        return False
    with _connected(folder) as database:
        return holds_run(database)


def holds_run(database: sqlite3.Connection) -> bool:
    """Return whether this database holds a run; a process killed before its first commit leaves one without a run."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'run'").fetchone() is not None


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open a run's database for a ``with`` block, in one fixed state, also while another process writes it.

    Raises StorageError if the folder has no run, or one of an unknown format.
    """
    with _connected(folder) as database:
        database.execute("BEGIN")
        if not holds_run(database):
            raise no_run(folder)
        row = database.execute("SELECT value FROM run WHERE key = 'format'").fetchone()
        if row is None or json.loads(row[0]) not in _READABLE:
            known = ", ".join(map(str, _READABLE))
            stated = "states no format" if row is None else f"has format {row[0]}"
            raise StorageError(
                f"{folder / DATABASE}: the run {stated}, and this version reads formats {known}; read it with the "
                "version of medvision-agent that wrote it, or a newer one"
            )
        yield database


def no_run(folder: Path) -> StorageError:
    """Return the error to raise for a folder whose database holds no run."""
    if is_lost(folder):
        return Damage(f"its database log ({LOG}) is lost, and with it all samples and records").error(folder)
    return StorageError(
        f"{folder} holds no run, because the command was interrupted before it could create one. Repeat the command "
        "without --resume."
    )


@contextmanager
def _connected(folder: Path) -> Iterator[sqlite3.Connection]:
    file = folder / DATABASE
    if not file.is_file() and (folder / STUDY).is_file():
        raise StorageError(f"{folder} is a study, not a run; give one of the folders in {folder / CELLS}")
    if not file.is_file():
        raise StorageError(f"{folder} holds no run ({DATABASE} is missing); give the folder that was --out of a run")
    with named_errors(folder):
        database = connect_read_only(file)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def named_errors(folder: Path) -> Iterator[None]:
    """Run a ``with`` block in which SQLite's errors become a StorageError that names the run's file."""
    file = folder / DATABASE
    try:
        yield
    except (sqlite3.OperationalError, ValueError, KeyError) as error:  # locked, not to be opened, of a later version
        raise StorageError(
            f"{file} is not a readable run: {error}. If another process writes it, repeat the command; if a newer "
            "version of medvision-agent wrote it, use that version; else restore it from a copy"
        ) from error
    except sqlite3.Error as error:
        raise DamageError(
            f"{file} is not a readable run: the file is damaged ({error}); restore it from a copy"
        ) from error


def connect_read_only(file: Path) -> sqlite3.Connection:
    """Return a connection that reads a database, also in a folder that cannot be written; raises sqlite3.Error."""
    uri = f"{file.absolute().as_uri()}?mode=ro"
    # The garbage collector may close a half-read run in any thread.
    database = sqlite3.connect(uri, uri=True, check_same_thread=False)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        # A file in WAL mode needs helper files for reading; in an archive they cannot be made. Without a log the
        # file is complete, and a folder that cannot be written has no writer to look out for.
        if file.with_name(f"{file.name}-wal").exists():
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, check_same_thread=False)
    except BaseException:
        database.close()
        raise
    return database
