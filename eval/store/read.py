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
from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["CELLS", "FORMAT", "STUDY", "has_run", "holds_run", "open_run", "read_trace", "read_traces"]

FORMAT = 1
STUDY, CELLS = "study.json", "cells"
"""By these a study is known from a run: the file of its plan, and the folder of its runs."""


def open_run(folder: Path) -> Run:
    """Read a stored run; raises StorageError if there is none or it is no run of this program."""
    with _reading(folder) as database:
        if not holds_run(database):
            raise StorageError(
                f"{folder} holds no run: it was interrupted before it was created. Repeat the command without --resume."
            )
        facts = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM run")}
        if facts.get("format") != FORMAT:
            raise StorageError(
                f"{folder / DATABASE}: format {facts.get('format')!r}, this version reads format {FORMAT}"
            )
        rows = database.execute("SELECT json FROM sample ORDER BY position")
        samples = {sample.id: sample for sample in (Sample.model_validate_json(row[0]) for row in rows)}
        latest, superseded = dict[str, Record](), list[Record]()
        for sample_id, text in database.execute("SELECT sample_id, json FROM record ORDER BY attempt"):
            if sample_id in latest:
                superseded.append(latest[sample_id])
            latest[sample_id] = Record.model_validate({**json.loads(text), "sample": samples[sample_id]})
        records = [latest[sample_id] for sample_id in samples if sample_id in latest]
        identity = Identity.model_validate({**facts["identity"], "resumed": facts.get("resumed", ())})
        probe = ToolProbe.model_validate(facts["probe"]) if "probe" in facts else None
        return Run(folder, identity, facts["config"], list(samples.values()), records, superseded, probe)


def read_trace(folder: Path, sample_id: str) -> dict[str, Any]:
    """Return the latest trace of a sample: ``messages`` and ``tool_calls``; raises StorageError if there is none."""
    query = "SELECT trace FROM record WHERE sample_id = ? ORDER BY attempt DESC LIMIT 1"
    with _reading(folder) as database:
        row = database.execute(query, (sample_id,)).fetchone()
        if row is None:
            raise StorageError(f"{folder} has no trace of sample {sample_id!r}")
        trace: dict[str, Any] = json.loads(row[0])
        return trace


def read_traces(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each finished sample's id and latest trace, in the order of the samples; raises StorageError."""
    query = """
        SELECT sample_id, trace, max(attempt) FROM record JOIN sample ON sample.id = sample_id
        GROUP BY sample_id ORDER BY position
    """
    with _reading(folder) as database:
        for sample_id, trace, _ in database.execute(query):
            yield sample_id, json.loads(trace)


def has_run(folder: Path) -> bool:
    """Say whether a folder holds a run; what a process killed on its way there left behind is none."""
    if not (folder / DATABASE).is_file():
        return False
    with _reading(folder) as database:
        return holds_run(database)


def holds_run(database: sqlite3.Connection) -> bool:
    """Say whether a run was made in this file; a process killed before its first commit leaves a file without."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'run'").fetchone() is not None


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    file = folder / DATABASE
    if not file.is_file() and (folder / STUDY).is_file():
        raise StorageError(f"{folder} is a study, not a run; its runs are the folders in {folder / CELLS}: give one")
    if not file.is_file():
        raise StorageError(f"{folder} holds no run ({DATABASE} is missing); give the folder a run was written to")
    database = None
    try:
        database = _connect(file)
        yield database
    except (sqlite3.Error, ValueError, KeyError) as error:
        raise StorageError(f"{file} is not a readable run: {error}") from error
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
