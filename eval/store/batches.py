"""Finished samples on their way to the disk: those that wait are stored together, in one transaction.

Contract: a sample counts as stored only after the commit that holds it. What cannot be written of one sample fails that
sample alone: where a transaction of several fails, each of them is tried by itself.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from medvision_agent.errors import StorageError
from medvision_agent.eval.store.packed import Packer, packs
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.schema import Row, add_records
from medvision_agent.eval.store.seal import StoredRecord, hash_of_text
from medvision_agent.eval.store.writer import Writer

__all__ = ["UNWRITABLE", "Batches", "Traced"]

UNWRITABLE = (OSError, sqlite3.Error, ValueError, TypeError, RecursionError)
"""What writing may raise: the disk, the database, or something that is no JSON or no Unicode text."""
_TOGETHER = 64
"""Samples of one transaction, at most."""


class Traced(Protocol):
    """What is kept of a conversation: a trace, here or as another process sent it."""

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """The pictures that are not in the run's folder yet, by their hashes."""
        ...

    def to_json(self) -> str:
        """Return the rest as strict JSON."""
        ...


class _Waiting(NamedTuple):
    record: Record
    trace: Traced
    future: Future[None]


class Batches:
    """What waits for the thread that owns a run's database."""

    def __init__(self, folder: Path, writer: Writer, write_pictures: Callable[[Mapping[str, bytes]], None]) -> None:
        """*write_pictures* writes pictures into the run's folder, flushed."""
        self._folder, self._writer, self._write_pictures = folder, writer, write_pictures
        self._packed = writer.do(packs)
        self._packer = self._new_packer()
        self._waiting = deque[_Waiting]()

    def submit(self, record: Record, trace: Traced) -> Future[None]:
        """Hand over one finished sample, from any thread; raises StorageError after the run was closed.

        What is returned is done once the sample is on disk, or raises a StorageError that names it.
        """
        waiting = _Waiting(record, trace, Future[None]())
        waiting.future.set_running_or_notify_cancel()  # whoever stops waiting takes nothing back
        self._waiting.append(waiting)
        try:
            self._writer.submit(self._store)  # one for each sample; those that find nothing left do nothing
        except StorageError:
            self._waiting.remove(waiting)
            raise
        return waiting.future

    def _store(self, database: sqlite3.Connection) -> None:
        """Store what waits by now."""
        count = min(len(self._waiting), _TOGETHER)
        batch = [self._waiting.popleft() for _ in range(count)]
        rows = list[Row]()
        written = list[_Waiting]()
        for one in batch:
            try:
                rows.append(self._row(one))
                written.append(one)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                self._failed(one, error)
        try:
            self._add(database, rows)
        except BaseException as error:  # noqa: BLE001
            if len(rows) == 1:
                self._failed(written[0], error)
                return
            for one, row in zip(written, rows, strict=True):
                self._alone(database, one, row)
            return
        for one in written:
            one.future.set_result(None)

    def _alone(self, database: sqlite3.Connection, one: _Waiting, row: Row) -> None:
        try:
            self._add(database, [row])
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._failed(one, error)
        else:
            one.future.set_result(None)

    def _row(self, one: _Waiting) -> Row:
        """Write the pictures of a sample, and return the rest as it is to be stored."""
        record, text = one.record, one.trace.to_json()
        self._write_pictures(one.trace.pictures)
        content = record.model_dump_json(exclude={"sample"}, exclude_defaults=True)
        row = StoredRecord(record.sample.id, record.attempt, record.outcome, content, hash_of_text(text), None)
        return Row(row._replace(sha256=row.found_sha256), record.sample.task, text)

    def _add(self, database: sqlite3.Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        try:
            count = add_records(database, rows, self._packer)
        except BaseException:
            self._packer = self._new_packer()  # its bases may be of what was not stored
            raise
        with suppress(OSError):  # the samples are stored, and a lower count is true as well
            self._writer.note_count(count)

    def _failed(self, one: _Waiting, error: BaseException) -> None:
        if isinstance(error, UNWRITABLE):
            cause, error = (
                error,
                StorageError(
                    f"{self._folder}: sample {one.record.sample.id} was not stored: {error}; "
                    "the samples before it are; remove the cause and go on with --resume"
                ),
            )
            error.__cause__ = cause
        one.future.set_exception(error)

    def _new_packer(self) -> Packer | None:
        """Return what packs traces; None where the run was begun with traces in plain text."""
        return Packer() if self._packed else None
