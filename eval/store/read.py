"""Reading a stored run: its settings, samples, records and traces.

Contract: every error in a run's file is a StorageError that names the file, or a DamageError where data was changed
after it was stored. Records are read in the order of the samples, and few at a time.
"""

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

from msgspec import MsgspecError
from msgspec.json import Decoder

from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.asked import pending_of
from medvision_agent.eval.store.damage import changed, damage_in
from medvision_agent.eval.store.database import CELLS, FORMAT, STUDY, has_run, holds_run, named_errors, no_run, reading
from medvision_agent.eval.store.ends import Ends
from medvision_agent.eval.store.files import read_count
from medvision_agent.eval.store.later import Later, streamed
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import settled
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.seal import StoredRecord, TracesIn, records_in, stored_tally
from medvision_agent.eval.store.small import smaller_record, smaller_sample

__all__ = [
    "CANARIES",
    "CELLS",
    "FORMAT",
    "STUDY",
    "Traces",
    "find_attempt",
    "find_record",
    "has_run",
    "holds_run",
    "is_canary",
    "no_run",
    "open_run",
    "parsed",
    "read_config",
    "read_identity",
    "read_range",
    "read_record",
    "read_sample",
    "read_some",
    "read_trace",
    "read_traces",
    "reading",
    "records_of",
]

CANARIES = "canaries"
"""The folder for runs of a study that belong to no arm."""
_PART = """instr(record.json, '"part":true')"""
"""SQL condition for a record that is a drawn answer only; inside a JSON string its quotes would be escaped."""
_LAST = """(
    SELECT max(attempt) FROM record AS other
    WHERE other.sample_id = record.sample_id AND other.rowid <= :last AND instr(other.json, '"part":true') = 0
)"""
_LATEST = f"""
    FROM sample CROSS JOIN record ON record.sample_id = sample.id
    WHERE record.rowid <= :last AND record.attempt = {_LAST}
"""
_OF_ALL = f"{_LATEST} ORDER BY sample.position"
_OF_SOME = f"{_LATEST} AND sample.position >= :first AND sample.position < :end ORDER BY sample.position"
_SUPERSEDED = f"""
    FROM record WHERE record.rowid <= :last AND NOT {_PART} AND record.attempt < {_LAST} ORDER BY attempt, rowid
"""
_DRAWN = f"FROM record WHERE record.rowid <= :last AND {_PART} ORDER BY attempt, rowid"
_OF_ONE = f"FROM record WHERE record.sample_id = :sample AND NOT {_PART} ORDER BY attempt DESC LIMIT 1"
_WITH_PICTURE = f"""
    {_LATEST} AND sample.position >= :first AND sample.position < :end AND record.json ->> '$.v0_sha256' != ''
    ORDER BY sample.position LIMIT 1
"""
_THESE = "FROM json_each(:rows) AS wanted CROSS JOIN record ON record.rowid = wanted.value ORDER BY wanted.key"
_NEXT_SAMPLES = "SELECT position, json FROM sample WHERE position > ? ORDER BY position LIMIT ?"
_TOGETHER = 128
"""Number of samples or records read over one connection, so that a slow reader keeps no writer waiting."""
_STRICT = Decoder()
_EVER = (1 << 63) - 1
"""The highest possible rowid."""


def open_run(folder: Path) -> Run:
    """Return the run stored in *folder*; raises StorageError if it has none, and DamageError if its data was changed.

    Its settings, samples and records are checked now and read when needed; records added meanwhile are left out. Traces
    and images are checked when they are read.
    """
    count = read_count(folder)  # read before the database, which may grow meanwhile
    with reading(folder) as database:
        ends = Ends()
        for damage in damage_in(database, count, ends.hear):
            raise damage.error(folder)
        facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
        (planned,) = database.execute("SELECT count(*) FROM sample").fetchone()
        last = database.execute("SELECT max(rowid) FROM record").fetchone()[0] or 0
        todo = ends.todo(key for (key,) in database.execute("SELECT id FROM sample ORDER BY position"))
        tally = stored_tally(database)
        identity = Identity.model_validate({**facts["identity"], "resumed": facts.get("resumed", ())})
        probe = ToolProbe.model_validate(facts["probe"]) if "probe" in facts else None
        config = facts["config"]
        libraries = (config.get("libraries", {}), *facts.get("later_libraries", ()))
    samples = Later(planned, partial(_samples, folder), f"{folder}, samples", smaller=smaller_sample)

    def later(count: int, which: str) -> Later[Record]:
        return kept_small(count, partial(_records, folder, samples, which, last))

    def kept_small(count: int, read: Callable[[], Iterator[Record]]) -> Later[Record]:
        return Later(count, read, f"{folder}, records", smaller=smaller_record, parts=samples)

    records = later(ends.finished, _OF_ALL)
    return Run(
        folder,
        identity,
        config,
        samples,
        # Only all records together show which refusals are results.
        kept_small(ends.finished, settled(records)) if ends.refused else records,
        later(ends.superseded, _SUPERSEDED),
        later(ends.draws, _DRAWN),
        probe,
        unsealed=ends.unsealed,
        libraries=libraries,
        tally=tally,
        left=None if ends.refused else Later(len(todo), partial(pending_of, folder, todo), f"{folder}, samples"),
    )


def _samples(folder: Path) -> Iterator[Sample]:
    after = -1
    while True:
        with reading(folder) as database:
            some = [
                (position, Sample.model_validate_json(text))
                for position, text in database.execute(_NEXT_SAMPLES, (after, _TOGETHER))
            ]
        if not some:
            return
        yield from (sample for _, sample in some)
        after = some[-1][0]


def _records(folder: Path, samples: Later[Sample], which: str, last: int) -> Iterator[Record]:
    """Yield the records of a run that *which* selects in SQL.

    Those stored after the one with rowid *last* are left out.
    """
    known = _known(samples)
    with reading(folder) as database:
        rows = array("q", (row for (row,) in database.execute(f"SELECT record.rowid {which}", {"last": last})))
    for first in range(0, len(rows), _TOGETHER):
        some = json.dumps(rows[first : first + _TOGETHER].tolist())
        with reading(folder) as database:
            records = [
                _record(folder, one, known(one.sample_id) or _sample(database, folder, one.sample_id))
                for one in records_in(database, _THESE, rows=some)
            ]
        yield from records


def _known(samples: Later[Sample]) -> Callable[[str], Sample | None]:
    """Return a function from a sample's id to the sample, None where it must be read from the store.

    Where samples are kept packed, they must be asked for in their order.
    """
    if samples.kept:
        return {sample.id: sample for sample in samples}.get
    left = samples.stream() if samples.at_hand else iter(())
    return lambda sample_id: next((sample for sample in left if sample.id == sample_id), None)


def _record(folder: Path, stored: StoredRecord, sample: Sample) -> Record:
    if stored.changed:
        raise changed("record", stored.sample_id, stored.attempt).error(folder)
    return Record.model_validate({**parsed(stored.json), "sample": sample})


def read_config(folder: Path) -> dict[str, Any]:
    """Return the settings of a stored run, without reading its samples and records.

    Raises StorageError if the folder has no readable run.
    """
    return _fact(folder, "config")


def read_identity(folder: Path) -> dict[str, Any]:
    """Return the identity (the fields that define a run) with which a stored run was begun, as JSON data.

    Raises StorageError if the folder has no readable run.
    """
    return _fact(folder, "identity")


def _fact(folder: Path, key: str) -> dict[str, Any]:
    with reading(folder) as database:
        row = database.execute("SELECT value FROM run WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise DamageError(f"{folder} is damaged: the {key} of the run is missing; restore it from a copy")
        return dict(json.loads(row[0]))


def find_record(folder: Path, sample_id: str) -> Record | None:
    """Return the latest record of a sample; None if it was not asked yet.

    A refused request has the outcome that was stored, even if the refusal is due to a rule of the server. Raises
    DamageError if the record was changed after it was stored.
    """
    with reading(folder) as database:
        for stored in records_in(database, _OF_ONE, sample=sample_id):
            return _record(folder, stored, _sample(database, folder, sample_id))
        return None


def find_attempt(folder: Path, sample: Sample, attempt: int) -> Record | None:
    """Return the record of attempt number *attempt* (from 1), drawn answers included; None if there is no such attempt.

    Raises DamageError if it was changed after it was stored.
    """
    with reading(folder) as database:
        which = "FROM record WHERE record.sample_id = :sample AND record.attempt = :attempt"
        for stored in records_in(database, which, sample=sample.id, attempt=attempt):
            return _record(folder, stored, sample)
        return None


def read_record(folder: Path, sample_id: str) -> Record:
    """Return the latest record of a sample; raises StorageError if the sample was not asked yet.

    A refused request has the outcome that was stored. Raises DamageError if the record was changed after it was stored.
    """
    if (found := find_record(folder, sample_id)) is None:
        raise StorageError(
            f"{folder} has no record of sample {sample_id!r}: it has not been asked yet; wait for the run, or continue "
            "it with --resume"
        )
    return found


def records_of(run: Run, samples: Iterable[str]) -> dict[str, Record]:
    """Return, by id, the latest records of these samples, with the outcomes that the whole run gives to refusals.

    Raises StorageError if a sample has no record, and DamageError if one was changed after it was stored.
    """
    wanted = set(samples)
    if run.left is None:  # refusals are judged over all records
        return {record.sample.id: record for record in streamed(run.records) if record.sample.id in wanted}
    return {one: read_record(run.folder, one) for one in wanted}


def read_some(folder: Path, about: int) -> Iterator[Record]:
    """Yield about *about* latest records, spread over a run's samples, of samples that were shown with an image."""
    with reading(folder) as database:
        (planned,) = database.execute("SELECT count(*) FROM sample").fetchone()
        step = max(1, planned // about)
        for first in range(0, planned, step):
            for stored in records_in(database, _WITH_PICTURE, last=_EVER, first=first, end=first + step):
                yield _record(folder, stored, _sample(database, folder, stored.sample_id))


def read_range(run: Run, first: int, end: int) -> Iterator[Record]:
    """Yield the latest records of the samples from position *first* (from 0) up to *end* (excluded).

    Refused requests have the outcomes that were stored. Raises DamageError if a record was changed after it was stored.
    """
    with reading(run.folder) as database:
        for stored in records_in(database, _OF_SOME, last=_EVER, first=first, end=end):
            yield _record(run.folder, stored, _sample(database, run.folder, stored.sample_id))


def read_sample(folder: Path, sample_id: str) -> Sample:
    """Return a sample of a run; raises StorageError if the run has no sample with this id."""
    with reading(folder) as database:
        return _sample(database, folder, sample_id)


def _sample(database: sqlite3.Connection, folder: Path, sample_id: str) -> Sample:
    row = database.execute("SELECT json FROM sample WHERE id = ?", (sample_id,)).fetchone()
    if row is None:
        raise StorageError(f"{folder}: the run has no sample {sample_id!r}; give the id of one of its samples")
    return Sample.model_validate_json(row[0])


class Traces:
    """A reader of the latest traces of a run's samples over one connection, for many of them.

    Use it in a ``with`` block.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._stored: TracesIn | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, sample_id: str) -> dict[str, Any]:
        """Return the latest trace of a sample, as JSON data with ``messages`` and ``tool_calls``.

        Raises StorageError if the sample was not asked yet, and DamageError if its trace was changed after it was
        stored.
        """
        for _, trace in self._read(_OF_ONE, sample=sample_id):
            return trace
        raise StorageError(
            f"{self._folder} has no trace of sample {sample_id!r}: it has not been asked yet; wait for the run, or "
            "continue it with --resume"
        )

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each finished sample's id and latest trace, in the order of the samples.

        Raises DamageError if a trace was changed after it was stored.
        """
        return self._read(_OF_ALL, last=_EVER)

    def _read(self, which: str, **values: object) -> Iterator[tuple[str, dict[str, Any]]]:
        with named_errors(self._folder):
            if self._stored is None:
                database = self._stack.enter_context(reading(self._folder))
                self._stored = TracesIn(database)
                database.execute("COMMIT")  # a slow reader must not keep a writer waiting
            for trace in self._stored.those(which, **values):
                if trace.json is None or trace.changed:
                    raise changed("trace", trace.sample_id, trace.attempt).error(self._folder)
                yield trace.sample_id, parsed(trace.json)


def parsed(text: str) -> Any:
    """Return the data in a JSON text, as ``json.loads`` does, but in less than half the time for strict JSON.

    Raises ValueError if the text is not JSON.
    """
    try:
        return _STRICT.decode(text)
    except MsgspecError:  # NaN, a number beyond all doubles, half a character
        return json.loads(text)


def read_trace(folder: Path, sample_id: str) -> dict[str, Any]:
    """Return the latest trace of a sample, as JSON data with ``messages`` and ``tool_calls``.

    Raises StorageError if the sample was not asked yet, and DamageError if its trace was changed after it was stored.
    """
    with Traces(folder) as traces:
        return traces.of(sample_id)


def read_traces(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each finished sample's id and latest trace, in the order of the samples.

    Raises DamageError if a trace was changed after it was stored.
    """
    with Traces(folder) as traces:
        yield from traces.all()


def is_canary(folder: Path) -> bool:
    """Return whether the run in *folder* is one of a study's canaries: samples asked repeatedly, in no arm."""
    return folder.parent.name == CANARIES and (folder.parent.parent / STUDY).is_file()
