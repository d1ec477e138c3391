"""The store of one run: a folder with one SQLite file and a content-addressed folder of pictures.

The promise: *a sample reported as done is on disk*. Every finished sample is one transaction (WAL, synchronous=FULL);
its pictures are written, flushed and renamed into place before the row that names them. A run that is killed repeats
at most the samples in flight.

    RUN/run.sqlite      the resolved settings, the samples, one record and one trace (``packed.py``) per finished
                        sample, and their hashes (``seal.py``)
    RUN/pictures/ab/    abcd....png, named by the SHA-256 of the bytes
    RUN/review.jsonl    notes of people on samples (``reviews.py``): nothing here reads or writes them
    RUN/in_flight.jsonl samples being asked, while a process writes the run or where one died (``in_flight.py``)
    RUN/shards/         what workers of a cluster finished and the run has not taken yet (``shard.py``)

While a run is written, SQLite's log and a count of the records stand beside the file. The log is copied into the file
when the run was created and whenever it holds a megabyte.

Nothing is overwritten: a sample tried again after an infrastructure failure gets a further row (``attempt``), and the
latest one counts. One process writes at a time (a file lock says so); any number may read.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.files import (
    COUNT,
    DATABASE,
    LOCK,
    PICTURES,
    UNWRITABLE,
    not_stored,
    sync_folder,
    unwritable,
    write_picture,
)
from medvision_agent.eval.store.in_flight import JOURNAL, InFlight
from medvision_agent.eval.store.merge import Merged, merge, plain
from medvision_agent.eval.store.packed import Packer, packs
from medvision_agent.eval.store.provenance import libraries
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refused import Refused, intact_in
from medvision_agent.eval.store.row import add_row
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.schema import continue_run, create_run, set_fact
from medvision_agent.eval.store.shard import SHARDS, left_in, mark_of, name_of, remove, remove_shards, set_apart
from medvision_agent.eval.store.writer import Writer

__all__ = ["RunStore", "Traced"]

_LOG = logging.getLogger(__name__)


class Traced(Protocol):
    """The part of a conversation that is stored: a trace, made in this process or sent by another one."""

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """The PNG bytes, by their hashes, of the images that are not in the run's folder yet."""
        ...

    def to_json(self) -> str:
        """Return the trace without images as strict JSON."""
        ...


class RunStore:
    """A run's folder, open for writing. Open it by ``create`` or ``resume``, then use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared: Path | None = None
        """A folder shared with other runs, from which this run's images are linked."""
        self._writer = Writer(folder)
        self.mark = ""
        """What the run is known by in its shards."""
        self._packer: Packer | None = None
        """None where the run was begun with traces in plain text."""
        self.run: Run
        """The run's state when it was opened for writing."""
        self.in_flight = InFlight(folder)
        self._refused = deque[Refused]()

    @classmethod
    def create(cls, folder: Path, samples: Iterable[Sample], identity: Identity, config: Mapping[str, Any]) -> Self:
        """Make a new run and return its open store; raises StorageError if the folder has a run or cannot be written.

        The settings and the samples are one transaction: a folder holds a whole run or none. The remains of a process
        killed before that do not count as a run, and are replaced.
        """
        store = cls(folder)
        try:
            facts = {"identity": identity.model_dump(mode="json", exclude={"resumed"}), "config": config}
            store._writer.do(lambda database: create_run(database, folder, samples, facts))
            store._writer.note_count(0)
            store._opened(open_run(folder))
            sync_folder(folder)
        except UNWRITABLE as error:
            store.close()
            raise StorageError(unwritable(folder / DATABASE, error)) from error
        except BaseException:
            store.close()
            raise
        _LOG.info("%s: a run of %d samples was created", folder, len(store.run.samples))
        return store

    @classmethod
    def resume(cls, folder: Path, identity: Identity) -> Self:
        """Return the open store of an existing run, with left shards merged.

        Raises StorageError naming every field of *identity* that differs from the run's. The code may be another than
        the run was begun with: the store notes it, and every summary says so.
        """
        stored = open_run(folder)
        different = [
            f"  {name}: the run has {then!r}, this command has {now!r}"
            for name, then, now in stored.identity.differences(identity)
        ]
        if different:
            lines = "\n".join(different)
            raise StorageError(
                f"{folder} cannot be resumed with other settings; give the same ones, or another --out:\n{lines}"
            )
        store = cls(folder)
        try:
            if (folder / SHARDS).is_dir():
                store.merge_left()
                remove_shards(folder)
                stored = open_run(folder)
            tally = store._writer.do(lambda database: continue_run(database, stored, identity.code, libraries()))
            store._writer.note_count(tally.count)
            store._opened(stored)
        except UNWRITABLE as error:
            store.close()
            raise StorageError(
                f"{folder / DATABASE} cannot be written: {error}; remove the cause and repeat the command"
            ) from error
        except BaseException:
            store.close()
            raise
        _LOG.info("%s: the run is resumed", folder)
        return store

    def _opened(self, run: Run) -> None:
        self.run = run
        self._packer = Packer() if self._writer.do(packs) else None
        self.mark = self._writer.do(mark_of)

    @property
    def packs(self) -> bool:
        """Whether the run stores its traces packed."""
        return self._packer is not None

    def note_probe(self, probe: ToolProbe) -> None:
        """Store the result of the probe of tool declarations, in place of an earlier session's."""
        found = probe.model_dump(mode="json")
        self._writer.do(lambda database: set_fact(database, "probe", found))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Store everything that was handed over, close the database and let others write.

        May be called several times.
        """
        self.in_flight.close()
        self._writer.close()

    def discard_if_empty(self) -> None:
        """Remove the run if it holds no record; images and files that do not belong to it stay."""
        try:
            count = self._writer.do(lambda database: database.execute("SELECT count(*) FROM record").fetchone()[0])
        except sqlite3.Error:
            return  # an unreadable run stays
        if count:
            return
        self.close()
        remove_shards(self.folder)
        for name in (DATABASE, COUNT, LOCK, JOURNAL):
            (self.folder / name).unlink(missing_ok=True)
        for folder in (self.folder / PICTURES, self.folder):
            with suppress(OSError):  # not empty
                folder.rmdir()

    def add(self, record: Record, trace: Traced) -> None:
        """Store one finished sample, from any thread; when this returns it is on disk.

        Raises StorageError naming the sample if its record, trace or images cannot be written; then it counts as not
        asked.
        """
        self._submit(record, trace).result()

    async def add_async(self, record: Record, trace: Traced) -> None:
        """Store one finished sample as ``add`` does, while the event loop goes on.

        A task that is cancelled here stops waiting, but its sample is still stored.
        """
        await asyncio.shield(asyncio.wrap_future(self._submit(record, trace)))

    async def merge_async(self, file: Path) -> Merged:
        """Merge a shard into the run while the event loop continues; then it is deleted, or renamed if it is damaged.

        A damaged shard appears in ``refusals``, even if the caller stops waiting. Raises StorageError where the shard
        cannot be read or the run cannot be written; then the shard stays.
        """
        return await asyncio.shield(asyncio.wrap_future(self._writer.submit(partial(self._merge, file))))

    def refusals(self) -> Iterator[Refused]:
        """Yield the damaged shards that were not merged, each once; may be called at any time, from any thread."""
        while self._refused:
            yield self._refused.popleft()

    def merge_left(self, worker: str = "*") -> list[Merged]:
        """Merge all shards of a *worker* that ended (default: of all workers); return one result for each shard.

        Damaged shards appear in ``refusals``. Raises StorageError where a shard cannot be read or the run cannot be
        written.
        """
        return self._writer.do(lambda database: [self._merge(one, database) for one in left_in(self.folder, worker)])

    def _merge(self, file: Path, database: sqlite3.Connection) -> Merged:
        try:
            merged = merge(database, plain(file))
        except DamageError as error:
            kept = set_apart(file)
            where = "" if kept is None else f", and kept as {kept}"
            intact = intact_in(kept, database) if kept else []
            self._refused.append(Refused(name_of(file), f"{error}; it is not merged into the run{where}", intact))
            return Merged()
        except UNWRITABLE as error:
            raise StorageError(
                f"{file}: the shard was not merged into the run: {error}; it is kept: remove the cause (where the disk "
                "is full, free some space) and repeat the command (`medvision-agent run` then needs --resume). If the "
                "file cannot be read any more, remove it: its samples are then asked again"
            ) from error
        if merged.tally is not None:
            with suppress(OSError):  # the samples are stored, and a lower count is true as well
                self._writer.note_count(merged.tally.count)
        remove(file)
        return merged

    def _submit(self, record: Record, trace: Traced) -> Future[None]:
        return self._writer.submit(lambda database: self._add(database, record, trace))

    def _add(self, database: sqlite3.Connection, record: Record, trace: Traced) -> None:
        try:
            text = trace.to_json()
            for key, png in trace.pictures.items():
                write_picture(self.folder, key, png, self.shared)
            tally = add_row(database, record, text, self._packer)
        except UNWRITABLE as error:
            raise StorageError(not_stored(self.folder, record.sample.id, error)) from error
        with suppress(OSError):  # the sample is stored, and a lower count is true as well
            self._writer.note_count(tally.count)
