"""Readings that are kept: a small SQLite file, so that no response is paid for twice.

Contract: a reading is found again by the hash of what was sent and to whom: the reader's row, the words of the prompt,
the response, and what was wanted. It is on disk when ``keep`` returns. A file that is none of these is a StorageError.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.reader import MOST_CHARACTERS, Reading, Wanted, prompt_sha256
from medvision_agent.errors import StorageError

__all__ = ["NAME", "Kept", "Readings", "key_of"]

NAME = "readings.sqlite"
"""The file beside what was read."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS reading (key TEXT PRIMARY KEY, numbers TEXT NOT NULL, unread TEXT NOT NULL, "
    "reply TEXT NOT NULL, model TEXT NOT NULL, model_version TEXT, usage TEXT NOT NULL, cost_usd REAL)"
)


@dataclass(frozen=True)
class Kept:
    """A reading with what it cost."""

    reading: Reading
    cost_usd: float | None


def key_of(model: ModelConfig, response: str, wanted: Wanted) -> str:
    """Return the hash of what a reader is sent, and of who it is."""
    sent = [model.identity(), prompt_sha256(), asdict(wanted), response[-MOST_CHARACTERS:]]
    return sha256(json.dumps(sent, sort_keys=True, default=str).encode("utf-8", "backslashreplace")).hexdigest()


class Readings:
    """The readings in one file; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it; raises StorageError."""
        self._path = path
        with self._said():
            self._database = sqlite3.connect(path, timeout=30)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def find(self, key: str) -> Kept | None:
        """Return what was read before, or None."""
        with self._said():
            row = self._database.execute(
                "SELECT numbers, unread, reply, model_version, usage, cost_usd FROM reading WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            numbers, unread, reply, version, usage, cost = row
            return Kept(Reading(tuple(json.loads(numbers)), unread, reply, version, Usage(**json.loads(usage))), cost)

    def keep(self, key: str, model: str, kept: Kept) -> None:
        """Write a reading to disk."""
        one = kept.reading
        row: tuple[Any, ...] = (key, json.dumps(one.numbers), one.unread, one.reply, model, one.model_version)
        with self._said(), self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, one.usage.model_dump_json(), kept.cost_usd),
            )

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise StorageError(
                f"{self._path}: expected a file of readings: {error}; move it away, or give another with --readings"
            ) from None
