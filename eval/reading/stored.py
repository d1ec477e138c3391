"""Stored readings, loaded without any call: for a report, and for figures that use the reader.

Contract: nothing is written. A file of an earlier version does not name the reader: none of its readings is found. A
stored reading is checked like a new one: its numbers must stand in the response. A file that is not a file of readings
is a StorageError that names it.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.reader import Reader, Reading, stand_in
from medvision_agent.errors import StorageError
from medvision_agent.eval.reading.both import BothRead
from medvision_agent.eval.reading.kept import NAME, Kept
from medvision_agent.eval.reading.texts import Text
from medvision_agent.eval.store.database import connect_read_only
from medvision_agent.eval.tasks import TaskName

__all__ = ["ReadAgain", "Spent", "Stored", "read_again", "stored_readings"]

_GONE = "the stored reading does not stand in the text"


@dataclass(frozen=True)
class Spent:
    """The number of readings with their usage and cost."""

    read: int = 0
    """Number of responses read; equal ones count once."""
    failed: int = 0
    """Number of requests that got no reply."""
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    """In US dollars; None if a price is unknown."""

    def __add__(self, other: "Spent") -> "Spent":
        """Return the sum of both; its cost is None if that of either is unknown, unless that one is empty."""
        known = [one for one in (self, other) if one.read or one.failed]
        costs = [one.cost_usd for one in known if one.cost_usd is not None]
        cost = sum(costs) if costs and len(costs) == len(known) else None
        return Spent(self.read + other.read, self.failed + other.failed, self.usage + other.usage, cost)


@dataclass(frozen=True, eq=False)
class Stored:
    """The stored readings of one run's responses, by all second readers."""

    readers: tuple[Reader, ...] = ()
    readings: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
    """By key (``Reader.key``)."""
    lost: Mapping[str, Spent] = field(default_factory=dict[str, Spent])
    """Usage of requests that got no reply, by the id of the reader."""

    @property
    def spent_usd(self) -> float:
        """The cost of all readings and lost requests in US dollars; those of unknown cost count as 0."""
        costs = [kept.cost_usd for kept in self.readings.values()] + [one.cost_usd for one in self.lost.values()]
        return sum(cost for cost in costs if cost is not None)


@dataclass(frozen=True, eq=False)
class ReadAgain:
    """The scored samples of a run, read by both the protocol's rule and one second reader."""

    samples: list[BothRead]
    not_reached: Counter[TaskName]
    """Number of samples that the reader was not asked about, or gave no reply for."""
    spent: Spent
    versions: tuple[str, ...]


def stored_readings(folder: Path) -> Stored:
    """Return the readings stored in the folder of a run; empty if there is no file of readings.

    Raises StorageError if the file cannot be read.
    """
    file = folder / NAME
    if not file.is_file():
        return Stored()
    try:
        with closing(connect_read_only(file)) as database:
            return _stored(database)
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise StorageError(
            f"{file}: is not a readable file of a second reader's readings ({error}); restore it from a copy, or move "
            "it away and read the responses again"
        ) from None


def _stored(database: sqlite3.Connection) -> Stored:
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "reader" not in names:
        return Stored()
    readers = [Reader.model_validate_json(text) for (text,) in database.execute("SELECT json FROM reader")]
    rows = database.execute("SELECT key, numbers, unread, model_version, usage, cost_usd FROM reading")
    readings = {
        str(key): Kept(
            Reading(tuple(map(str, json.loads(numbers))), str(unread), "", version, Usage(**json.loads(usage))), cost
        )
        for key, numbers, unread, version, usage, cost in rows
    }
    lost = dict[str, Spent]()
    for reader, usage, cost in database.execute("SELECT reader, usage, cost_usd FROM lost"):
        lost[reader] = lost.get(reader, Spent()) + Spent(0, 1, Usage(**json.loads(usage)), cost)
    return Stored(tuple(sorted(readers, key=lambda one: (one.name, one.id))), readings, lost)


def read_again(texts: Iterable[Text], reader: Reader, stored: Stored) -> ReadAgain:
    """Return the samples of *texts* with the stored readings of one second reader; no request is sent.

    The usage is that of these samples and of the reader's lost requests.
    """
    samples, missed, versions = list[BothRead](), Counter[TaskName](), dict[str, None]()
    spent, paid = stored.lost.get(reader.id, Spent()), set[str]()
    for text in texts:
        if text.response is None:
            samples.append(BothRead.of(text, None))
            continue
        key = reader.key(text.response, text.wanted)
        kept = stored.readings.get(key)
        if kept is None:
            missed[text.asked.task] += 1
            continue
        if key not in paid:
            paid.add(key)
            spent += Spent(1, 0, kept.reading.usage, kept.cost_usd)
        versions |= {kept.reading.model_version: None} if kept.reading.model_version else {}
        samples.append(BothRead.of(text, _checked(kept.reading, text)))
    return ReadAgain(samples, missed, spent, tuple(versions))


def _checked(reading: Reading, text: Text) -> Reading:
    """Return a stored reading, without its numbers if their count is wrong or the response does not contain them."""
    fits = len(reading.numbers) == text.wanted.count and stand_in(reading.numbers, text.response or "")
    return reading if not reading.numbers or fits else replace(reading, numbers=(), unread=_GONE)
