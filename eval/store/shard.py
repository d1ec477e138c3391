"""Shards: files beside the run with samples that a worker finished, until the process that writes the run merges them.

    RUN/shards/token                    lets a worker test that it sees the run's folder
    RUN/shards/WORKER/N/run.sqlite      the shard that a worker writes: a store without samples (``schema.py``), with
                                        the count of its records beside it
    RUN/shards/WORKER/N-SHA256.sqlite   a shard that is closed: one plain file that never changes, named by its hash

Contract: a record is flushed to disk when the future from ``Shard.submit`` is done. One process writes a shard, and
nobody reads it before it is closed or its writer has died: no lock has to hold between two machines. Traces are packed
within the shard.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Literal

from medvision_agent.errors import StorageError
from medvision_agent.eval.store.files import DATABASE, LOG, PICTURES, make_folder, sync_folder, unwritable
from medvision_agent.eval.store.packed import Packer
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.row import add_row
from medvision_agent.eval.store.schema import create_run
from medvision_agent.eval.store.seal import hash_of_text
from medvision_agent.eval.store.writer import Writer

__all__ = [
    "SHARDS",
    "Shard",
    "hash_in_name",
    "left_in",
    "mark_of",
    "name_of",
    "new_token",
    "remove",
    "remove_shards",
    "run_of_shard",
    "runs_below",
    "sees",
    "set_apart",
]

SHARDS = "shards"
_TOKEN = "token"  # noqa: S105 - proves sight of a folder, and opens nothing
_DAMAGED = ".damaged"
_WAL = LOG.removeprefix(DATABASE)
_RUN = "shard_of"
"""Key of the run's mark among the facts of a shard."""
_IDENTITY = "SELECT value FROM main.run WHERE key = 'identity'"


class Shard:
    """A file to which one worker adds finished samples, until the process that writes the run merges them."""

    def __init__(self, folder: Path, *, run: str, packs: bool) -> None:
        """Make the shard in a *folder* that nothing else uses; *packs* says whether the run compresses its traces.

        It is merged only into the run whose ``mark_of`` is *run*. Raises StorageError if it cannot be made.
        """
        self._folder = folder
        self._writer = Writer(folder)
        self._writer.do(lambda database: create_run(database, folder, (), {_RUN: run}))
        self._packer = Packer() if packs else None
        self.records = 0
        """Number of records that were handed over."""
        self.bytes = 0
        """Their approximate size in bytes before packing."""

    def submit(self, record: Record, trace: str) -> Future[None]:
        """Hand over a finished sample; the returned future is done when the sample is on disk.

        *trace* is the JSON text of its trace.
        """
        self.records += 1
        self.bytes += len(trace)
        return self._writer.submit(partial(self._add, record, trace))

    def _add(self, record: Record, trace: str, database: sqlite3.Connection) -> None:
        tally = add_row(database, record, trace, self._packer)
        with suppress(OSError):  # the record is stored, and a lower count is true as well
            self._writer.note_count(tally.count)

    def close(self) -> Path:
        """Close the shard, and return the path of its plain file, which has its hash in its name.

        Raises StorageError if the shard cannot be closed. Then it stays, with all records, as if the worker had died.
        """
        self._writer.close()
        file = self._folder / DATABASE
        if (self._folder / LOG).exists():  # the disk is full, or someone reads: the file lacks what is in the log
            raise StorageError(
                f"{file}: this shard of finished samples cannot be closed, because its database log stays; the disk "
                "may be full. Free some space and repeat the command (`medvision-agent run` then needs --resume), "
                "which merges the samples into the run"
            )
        try:
            digest = sha256(file.read_bytes()).hexdigest()
            closed = self._folder.with_name(f"{self._folder.name}-{digest}.sqlite")
            file.replace(closed)
            sync_folder(closed.parent)
        except OSError as error:
            raise StorageError(unwritable(file, error)) from error
        shutil.rmtree(self._folder, ignore_errors=True)
        return closed


def mark_of(database: sqlite3.Connection) -> str:
    """Return the mark by which shards name their run: a hash of the identity with which the run was begun."""
    (identity,) = database.execute(_IDENTITY).fetchone()
    return hash_of_text(identity)


def run_of_shard(database: sqlite3.Connection, name: Literal["shard", "main"] = "shard") -> str | None:
    """Return the mark of the run for which the shard attached as *name* was made; None if it states none."""
    row = database.execute(f"SELECT value FROM {name}.run WHERE key = ?", (_RUN,)).fetchone()  # noqa: S608 - one of two
    return str(json.loads(row[0])) if row else None


def hash_in_name(file: Path) -> str | None:
    """Return the SHA-256 in the name of a closed shard; None for a shard that was not closed."""
    return file.stem.partition("-")[2] or None


def new_token(run: Path) -> str:
    """Write a random token into the folder of *run*, and return it.

    A worker that can read the token sees the same folder.
    """
    make_folder(run / SHARDS)
    token = token_hex(16)
    (run / SHARDS / _TOKEN).write_text(token, encoding="ascii")
    return token


def sees(run: Path, token: str) -> bool:
    """Return whether this process sees the folder of the run *run*, into which *token* was written."""
    try:
        return (run / SHARDS / _TOKEN).read_text(encoding="ascii") == token
    except (OSError, ValueError):
        return False


def left_in(run: Path, worker: str = "*") -> Iterator[Path]:
    """Yield the shards in the folder of the run *run*, closed ones first; *worker* restricts them to one worker.

    Shards that were refused before are left out.
    """
    for pattern in (f"{worker}/*-*.sqlite", f"{worker}/*/{DATABASE}"):
        yield from sorted((run / SHARDS).glob(pattern))


def runs_below(folder: Path) -> list[Path]:
    """Return, sorted, the folders at any depth below *folder*, itself included, that have a run's database.

    Folders of shards are left out.
    """
    found = list[Path]()
    for name, folders, files in os.walk(folder):  # what goes while it looks is passed over
        if DATABASE in files:
            found.append(Path(name))
            folders[:] = [one for one in folders if one not in {SHARDS, PICTURES}]
    return sorted(found)


def name_of(file: Path) -> str:
    """Return the name of a shard in messages: ``WORKER/NUMBER``."""
    if (digest := hash_in_name(file)) is not None:
        return f"{file.parent.name}/{file.stem.removesuffix(f'-{digest}')}"
    return f"{file.parent.parent.name}/{file.parent.name}"


def set_apart(file: Path) -> Path | None:
    """Rename a damaged shard, and its log if it has one, so that it is no longer read as a shard; return its new path.

    Returns *file* if it cannot be renamed, None if it no longer exists.
    """
    apart = file.with_name(f"{file.name}{_DAMAGED}")
    try:
        file.replace(apart)
    except FileNotFoundError:
        return None
    except OSError:
        return file
    with suppress(OSError):  # a closed shard has none
        file.with_name(f"{file.name}{_WAL}").replace(apart.with_name(f"{apart.name}{_WAL}"))
    return apart


def remove(file: Path) -> None:
    """Remove a shard that was merged, as far as the system allows: merging it again would change nothing."""
    with suppress(OSError):
        file.unlink(missing_ok=True)  # first, because without its log it would count as damaged
    if hash_in_name(file) is None:
        shutil.rmtree(file.parent, ignore_errors=True)


def remove_shards(run: Path) -> None:
    """Remove the folder of shards of the run *run*, unless it contains a damaged one; call it when all are merged."""
    folder = run / SHARDS
    if not folder.is_dir() or any(folder.glob(f"**/*{_DAMAGED}")):
        return
    shutil.rmtree(folder, ignore_errors=True)
