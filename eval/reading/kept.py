"""Kept readings: a small SQLite file, so that no response is paid for twice.

Contract: a reading is identified by the hash of the request and its receiver: the reader's row, the prompt, the
response, and the numbers wanted. It is on disk when ``keep`` returns. A file that is not a file of readings is a
StorageError.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.reader import Reader, Reading
from medvision_agent.errors import StorageError

__all__ = ["NAME", "Kept", "Readings"]

NAME = "readings.sqlite"
"""Name of the file, which is stored beside the responses."""
_TABLES = (
    (
        "CREATE TABLE IF NOT EXISTS reading (key TEXT PRIMARY KEY, numbers TEXT NOT NULL, unread TEXT NOT NULL, "
        "reply TEXT NOT NULL, model TEXT NOT NULL, model_version TEXT, usage TEXT NOT NULL, cost_usd REAL)"
    ),
    # Identifies the readers, so that a report finds their readings without the row of the model.
    "CREATE TABLE IF NOT EXISTS reader (id TEXT PRIMARY KEY, json TEXT NOT NULL)",
    # Usage of requests that got no reply.
    "CREATE TABLE IF NOT EXISTS lost (reader TEXT NOT NULL, usage TEXT NOT NULL, cost_usd REAL)",
)


@dataclass(frozen=True)
class Kept:
    """A reading of one response, with its cost in US dollars (None if a price is unknown)."""

    reading: Reading
    cost_usd: float | None


class Readings:
    """The file of stored readings, open; a context manager that closes it. Its methods raise StorageError."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises StorageError where that fails, or where the file is of another kind."""
        self._path = path
        with self._said():
            self._database = sqlite3.connect(path, timeout=30)
            try:
                for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *_TABLES):
                    self._database.execute(statement)
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def find(self, key: str) -> Kept | None:
        """Return the stored reading with this key (``Reader.key``); None where no reading is stored under it."""
        with self._said():
            row = self._database.execute(
                "SELECT numbers, unread, reply, model_version, usage, cost_usd FROM reading WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            numbers, unread, reply, version, usage, cost = row
            return Kept(Reading(tuple(json.loads(numbers)), unread, reply, version, Usage(**json.loads(usage))), cost)

    def keep(self, key: str, model: str, kept: Kept) -> None:
        """Store the reading *kept* by the model named *model* under *key* (``Reader.key``), unless the key is known."""
        one = kept.reading
        row: tuple[Any, ...] = (key, json.dumps(one.numbers), one.unread, one.reply, model, one.model_version)
        with self._said(), self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, one.usage.model_dump_json(), kept.cost_usd),
            )

    def introduce(self, reader: Reader) -> None:
        """Store who the reader is, so that a report finds its readings."""
        with self._said(), self._database:
            self._database.execute("INSERT OR REPLACE INTO reader VALUES (?, ?)", (reader.id, reader.model_dump_json()))

    def lose(self, reader: Reader, usage: Usage, cost_usd: float | None) -> None:
        """Store the usage and cost (US dollars; None: unknown) of a request that got no reply."""
        with self._said(), self._database:
            row = (reader.id, usage.model_dump_json(), cost_usd)
            self._database.execute("INSERT INTO lost VALUES (?, ?, ?)", row)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn errors of the database, and of what it holds, into a StorageError that names the file."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise StorageError(
                f"{self._path}: is not a usable file of a second reader's readings ({error}); move it away, or give "
                "another file with --readings"
            ) from None
