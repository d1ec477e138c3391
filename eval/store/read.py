"""Reading a stored run, while it is being written or long after, also from a folder the reader cannot write.

Contract: whatever is wrong with a run's file is a StorageError that names it.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.damage import Damage, changed, damage_in, is_lost
from medvision_agent.eval.store.files import DATABASE, LOG, read_count
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import settled
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.store.seal import records_in, traces_in

__all__ = [
    "CANARIES",
    "CELLS",
    "FORMAT",
    "STUDY",
    "has_run",
    "holds_run",
    "is_canary",
    "no_run",
    "open_run",
    "read_config",
    "read_record",
    "read_sample",
    "read_trace",
    "read_traces",
    "reading",
]

FORMAT = 2
_READABLE = (1, FORMAT)
"""Format 1 had no hashes."""
_NO_PART = """instr(json, '"part":true') = 0"""
"""A record that was not only drawn to make another one of; inside a text, JSON writes the quotes otherwise."""
_OF_ALL = f"""
    WHERE (sample_id, attempt) IN (SELECT sample_id, max(attempt) FROM record WHERE {_NO_PART} GROUP BY sample_id)
    ORDER BY (SELECT position FROM sample WHERE id = sample_id)
"""  # noqa: S608 - of constants
_OF_ONE = f"WHERE sample_id = ? AND {_NO_PART} ORDER BY attempt DESC LIMIT 1"
STUDY, CELLS, CANARIES = "study.json", "cells", "canaries"
"""By these a study is known from a run: the file of its plan, the folder of its runs, and that of runs in no arm."""


def open_run(folder: Path) -> Run:
    """Read a stored run; raises StorageError if there is none, and DamageError if it is not what was stored.

    Traces and pictures are checked where they are read.
    """
    count = read_count(folder)  # before the database: it grows meanwhile
    with reading(folder) as database:
        for damage in damage_in(database, count):
            raise damage.error(folder)
        facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
        rows = database.execute("SELECT json FROM sample ORDER BY position")
        samples = {sample.id: sample for sample in (Sample.model_validate_json(row[0]) for row in rows)}
        latest, superseded, draws = dict[str, Record](), list[Record](), list[Record]()
        sealed = dict[str, bool]()
        for stored in records_in(database):
            record = Record.model_validate({**json.loads(stored.json), "sample": samples[stored.sample_id]})
            if record.part:
                draws.append(record)
                continue
            sealed[stored.sample_id] = stored.sha256 is not None
            if stored.sample_id in latest:
                superseded.append(latest[stored.sample_id])
            latest[stored.sample_id] = record
        records = settled([latest[sample_id] for sample_id in samples if sample_id in latest])
        identity = Identity.model_validate({**facts["identity"], "resumed": facts.get("resumed", ())})
        probe = ToolProbe.model_validate(facts["probe"]) if "probe" in facts else None
        config = facts["config"]
        return Run(
            folder,
            identity,
            config,
            list(samples.values()),
            records,
            superseded,
            draws,
            probe,
            unsealed=frozenset(sample_id for sample_id, holds in sealed.items() if not holds),
            libraries=(config.get("libraries", {}), *facts.get("later_libraries", ())),
        )


def read_config(folder: Path) -> dict[str, Any]:
    """Return the settings that a stored run keeps, without its samples and records; raises StorageError."""
    with reading(folder) as database:
        row = database.execute("SELECT value FROM run WHERE key = 'config'").fetchone()
        if row is None:
            raise DamageError(f"{folder}: its settings are gone, so the run is damaged; restore it from a copy")
        return dict(json.loads(row[0]))


def read_record(folder: Path, sample_id: str) -> Record:
    """Return the latest record of a sample, a refusal as it was stored.

    Raises StorageError if there is none, and DamageError if it is not what was stored.
    """
    with reading(folder) as database:
        for stored in records_in(database, _OF_ONE, sample_id):
            if stored.changed:
                raise changed("record", stored.sample_id, stored.attempt).error(folder)
            return Record.model_validate({**json.loads(stored.json), "sample": _sample(database, folder, sample_id)})
        raise StorageError(f"{folder} has no record of sample {sample_id!r}")


def read_sample(folder: Path, sample_id: str) -> Sample:
    """Return a sample of a run; raises StorageError if there is none."""
    with reading(folder) as database:
        return _sample(database, folder, sample_id)


def _sample(database: sqlite3.Connection, folder: Path, sample_id: str) -> Sample:
    row = database.execute("SELECT json FROM sample WHERE id = ?", (sample_id,)).fetchone()
    if row is None:
        raise StorageError(f"{folder} has no sample {sample_id!r}")
    return Sample.model_validate_json(row[0])


def read_trace(folder: Path, sample_id: str) -> dict[str, Any]:
    """Return the latest trace of a sample: ``messages`` and ``tool_calls``.

    Raises StorageError if there is none, and DamageError if it is not what was stored.
    """
    with reading(folder) as database:
        for _, trace in _traces(database, folder, _OF_ONE, sample_id):
            return trace
        raise StorageError(f"{folder} has no trace of sample {sample_id!r}")


def read_traces(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each finished sample's id and latest trace, in the order of the samples; raises as ``read_trace`` does."""
    with reading(folder) as database:
        yield from _traces(database, folder, _OF_ALL)


def _traces(
    database: sqlite3.Connection, folder: Path, which: str, *values: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for trace in traces_in(database, which, *values):
        if trace.changed:
            raise changed("trace", trace.sample_id, trace.attempt).error(folder)
        yield trace.sample_id, json.loads(trace.json)


def is_canary(folder: Path) -> bool:
    """Say whether a run belongs to a study and to none of its arms."""
    return folder.parent.name == CANARIES and (folder.parent.parent / STUDY).is_file()


def has_run(folder: Path) -> bool:
    """Say whether a folder holds a run; what a process killed on its way there left behind is none."""
    if not (folder / DATABASE).is_file():
        return False
    with _connected(folder) as database:
        return holds_run(database)


def holds_run(database: sqlite3.Connection) -> bool:
    """Say whether a run was made in this file; a process killed before its first commit leaves a file without."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'run'").fetchone() is not None


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open a run's database in one state, whatever is written meanwhile; raises StorageError if there is no run."""
    with _connected(folder) as database:
        database.execute("BEGIN")
        if not holds_run(database):
            raise no_run(folder)
        row = database.execute("SELECT value FROM run WHERE key = 'format'").fetchone()
        if row is None or json.loads(row[0]) not in _READABLE:
            known = " and ".join(map(str, _READABLE))
            raise StorageError(f"{folder / DATABASE}: format {row and row[0]}, this version reads formats {known}")
        yield database


def no_run(folder: Path) -> StorageError:
    """Return what is wrong with a folder whose database holds no run."""
    if is_lost(folder):
        return Damage(f"its log ({LOG}) is lost, and with it the whole run").error(folder)
    return StorageError(
        f"{folder} holds no run: it was interrupted before it was created. Repeat the command without --resume."
    )


@contextmanager
def _connected(folder: Path) -> Iterator[sqlite3.Connection]:
    file = folder / DATABASE
    if not file.is_file() and (folder / STUDY).is_file():
        raise StorageError(f"{folder} is a study, not a run; its runs are the folders in {folder / CELLS}: give one")
    if not file.is_file():
        raise StorageError(f"{folder} holds no run ({DATABASE} is missing); give the folder a run was written to")
    database = None
    try:
        database = _connect(file)
        yield database
    except (sqlite3.OperationalError, ValueError, KeyError) as error:  # locked, not to be opened, of a later version
        raise StorageError(f"{file} is not a readable run: {error}") from error
    except sqlite3.Error as error:
        raise DamageError(f"{file} is not a readable run, it is damaged: {error}; restore it from a copy") from error
    finally:
        if database is not None:
            database.close()


def _connect(file: Path) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode=ro"
    database = sqlite3.connect(uri, uri=True)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        # A file in WAL mode asks its readers for helper files; in an archive they cannot be made. Without a log the
        # file is complete, and a folder that cannot be written has no writer to look out for.
        if file.with_name(f"{file.name}-wal").exists():
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True)
    except BaseException:
        database.close()
        raise
    return database
