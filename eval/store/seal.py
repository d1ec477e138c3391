"""The seal of a run: hashes by which damage and careless edits are found.

Contract: what is hashed, by SHA-256 (of JSON in canonical form: UTF-8, no spaces, keys sorted):

- a trace: its JSON text, however it is packed (what was sent and said, every tool call and its result, the dates of
  requests, and every picture by the hash of its bytes);
- a record: ``[sample id, attempt, outcome, JSON text of the record as stored, hash of its trace]``; the record holds
  the response, how it ended, tokens, cost and versions;
- the facts of a run (settings, identity, format): pairs of key and text, in the order of the keys;
- its samples, ground truth included: id and text of each in their order, each followed by a line break.

The *seal* is the hash over the record hashes, sorted by sample and attempt: runs of parts of the samples can be merged
and give the seal of one run. The *tally*, which changes in the transaction that adds a record, says how many records
there are and what their hashes add up to: it misses a record that was taken away, also after a kill.

A forger who makes all hashes anew is not found.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from json.encoder import encode_basestring
from typing import NamedTuple

from medvision_agent.eval.store.packed import Unpacker, packs
from medvision_agent.frozen import Frozen

__all__ = [
    "Adding",
    "StoredRecord",
    "StoredTrace",
    "Tally",
    "TracesIn",
    "add_all_to_tally",
    "add_to_tally",
    "facts_changed",
    "hash_of",
    "hash_of_text",
    "is_sealed",
    "records_in",
    "seal_of",
    "set_tally",
    "should_be_sealed",
    "stored_tally",
    "tally_of",
    "traces_in",
]

_TALLY = "tally"
"""Key of the tally among the facts of a run; the tally is not included in its own sums."""
_ALL = 1 << 256


def hash_of(value: object) -> str:
    """Return the SHA-256 of JSON data in canonical form: UTF-8, no spaces, keys sorted."""
    return hash_of_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True))


def hash_of_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


class StoredRecord(NamedTuple):
    """A record as the database holds it, without its trace."""

    sample_id: str
    attempt: int
    outcome: str
    json: str
    trace_sha256: str | None
    sha256: str | None
    """None for a record of a version that did not seal."""

    @property
    def found_sha256(self) -> str:
        """The hash of the record as it is now: equals ``hash_of`` of its fields as a list, in a tenth of the time."""
        text = encode_basestring
        trace = "null" if self.trace_sha256 is None else text(self.trace_sha256)
        canonical = f"[{text(self.sample_id)},{self.attempt},{text(self.outcome)},{text(self.json)},{trace}]"
        return sha256(canonical.encode()).hexdigest()

    @property
    def changed(self) -> bool:
        """Whether the record was changed after it was stored; False if it was stored without a hash."""
        return self.sha256 is not None and self.sha256 != self.found_sha256


class StoredTrace(NamedTuple):
    """A trace as the database holds it, unpacked."""

    sample_id: str
    attempt: int
    json: str | None
    """None where it cannot be unpacked."""
    sha256: str | None
    """None for a record of a version that did not seal."""

    @property
    def changed(self) -> bool:
        """Whether the trace cannot be unpacked, or was changed after it was stored."""
        return self.json is None or (self.sha256 is not None and self.sha256 != hash_of_text(self.json))


class Tally(Frozen):
    """The expected content of a run: the number of its records, and hashes of its facts, samples and records."""

    facts: str
    """Hash of its facts."""
    samples: str
    """Hash of its samples."""
    records: int = 0
    """Number of records with a hash."""
    total: str = "0"
    """The sum of these hashes modulo 2^256, in hexadecimal digits: it does not depend on their order."""
    unsealed: int = 0
    """Number of records without a hash, from an older version."""

    @property
    def count(self) -> int:
        """The number of all records, with a hash or without."""
        return self.records + self.unsealed

    def plus(self, record_sha256: str | None) -> "Tally":
        """Return the tally with one more record, whose hash is given; None: a record without a hash."""
        if record_sha256 is None:
            return self.but(unsealed=self.unsealed + 1)
        total = (int(self.total, 16) + int(record_sha256, 16)) % _ALL
        return self.but(records=self.records + 1, total=f"{total:x}")


def is_sealed(database: sqlite3.Connection) -> bool:
    """Return whether this run was written or resumed by a version that stores hashes."""
    return "sha256" in {name for _, name, *_ in database.execute("PRAGMA table_info(record)")}


def should_be_sealed(database: sqlite3.Connection) -> bool:
    """Return whether this run has data that only versions with hashes store: their format, or a tally."""
    query = "SELECT 1 FROM run WHERE key = ? OR (key = 'format' AND value != '1')"
    return database.execute(query, (_TALLY,)).fetchone() is not None


def records_in(
    database: sqlite3.Connection, which: str = "FROM record ORDER BY rowid", **values: object
) -> Iterator[StoredRecord]:
    """Yield the records as the database holds them, in the order of storing unless *which* says otherwise.

    *which* is the part of the SQL query from FROM on, *values* are those of its named parameters.
    """
    hashes = "record.trace_sha256, record.sha256" if is_sealed(database) else "NULL, NULL"
    query = f"SELECT record.sample_id, record.attempt, record.outcome, record.json, {hashes} {which}"
    return map(StoredRecord._make, database.execute(query, values))


def traces_in(database: sqlite3.Connection, which: str = "FROM record", **values: object) -> Iterator[StoredTrace]:
    """Yield the traces as the database holds them, unpacked.

    *which* is the part of the SQL query from FROM on, *values* are those of its named parameters.
    """
    return TracesIn(database).those(which, **values)


class TracesIn:
    """A reader of the traces in a database, for repeated use: it remembers how they are stored, and unpacked bases."""

    def __init__(self, database: sqlite3.Connection) -> None:
        own_hash = "record.trace_sha256" if is_sealed(database) else "NULL"
        base = "record.base" if packs(database) else "NULL"
        stored = f"CAST(record.trace AS BLOB), typeof(record.trace), {base}"
        self._query = f"SELECT record.sample_id, record.attempt, {stored}, {own_hash}"
        self._database, self._unpacker = database, Unpacker(database)

    def those(self, which: str, **values: object) -> Iterator[StoredTrace]:
        """Yield the traces of the records that *which* selects, unpacked.

        *which* is the part of the SQL query from FROM on, *values* are those of its named parameters.
        """
        for sample_id, attempt, value, kind, on, sha in self._database.execute(f"{self._query} {which}", values):
            yield StoredTrace(sample_id, attempt, self._unpacker.text(value, kind, on), sha)


class Adding:
    """A running count and sum of the hashes of records as they are read."""

    def __init__(self) -> None:
        self.records = self.unsealed = self.total = 0

    @property
    def count(self) -> int:
        """The number of records so far, with a hash or without."""
        return self.records + self.unsealed

    def add(self, record_sha256: str | None) -> None:
        """Count one more record, whose hash is given; None: a record without a hash."""
        if record_sha256 is None:
            self.unsealed += 1
        else:
            self.records += 1
            with suppress(ValueError):  # an invalid hash cannot be one that was added to the tally
                self.total = (self.total + int(record_sha256, 16)) % _ALL


def tally_of(database: sqlite3.Connection, hashes: Iterable[str | None] | Adding) -> Tally:
    """Return the tally of a database's current content; *hashes* are the hashes of its records, or their sum."""
    samples = sha256()
    for sample_id, text in database.execute("SELECT id, json FROM sample ORDER BY position"):
        samples.update(f"{sample_id}\n{text}\n".encode())
    if isinstance(hashes, Adding):
        found = hashes
    else:
        found = Adding()
        for one in hashes:
            found.add(one)
    return Tally(
        facts=_facts(database),
        samples=samples.hexdigest(),
        records=found.records,
        total=f"{found.total:x}",
        unsealed=found.unsealed,
    )


def stored_tally(database: sqlite3.Connection) -> Tally | None:
    """Return the tally that was stored with the last record; None for a run of a version that stored no hashes."""
    row = database.execute("SELECT value FROM run WHERE key = ?", (_TALLY,)).fetchone()
    return None if row is None else Tally.model_validate_json(row[0])


def set_tally(database: sqlite3.Connection, tally: Tally) -> None:
    """Store *tally*; call it in the transaction that changes the data it counts."""
    database.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (_TALLY, tally.model_dump_json()))


def add_to_tally(database: sqlite3.Connection, record: StoredRecord) -> Tally:
    """Add a record to the stored tally, in the transaction that stores the record, and return the new tally.

    Raises ValueError if the run has no tally.
    """
    tally = stored_tally(database)
    if tally is None:
        raise ValueError("the run has no tally of its records")
    tally = tally.plus(record.sha256)
    set_tally(database, tally)
    return tally


def add_all_to_tally(database: sqlite3.Connection, hashes: Iterable[str]) -> Tally:
    """Add records with these hashes to the stored tally, in the transaction that stores them; return the new tally.

    Raises ValueError if the run has no tally.
    """
    tally, added = stored_tally(database), Adding()
    if tally is None:
        raise ValueError("the run has no tally of its records")
    for one in hashes:
        added.add(one)
    total = (int(tally.total, 16) + added.total) % _ALL
    tally = tally.but(records=tally.records + added.records, total=f"{total:x}")
    set_tally(database, tally)
    return tally


def facts_changed(database: sqlite3.Connection) -> Tally | None:
    """Bring the stored tally up to date with the facts, in the transaction that changes a fact, and return the tally.

    None if the run has no tally, because an older version wrote it.
    """
    if (tally := stored_tally(database)) is not None:
        tally = tally.but(facts=_facts(database))
        set_tally(database, tally)
    return tally


def _facts(database: sqlite3.Connection) -> str:
    return hash_of(database.execute("SELECT key, value FROM run WHERE key != ? ORDER BY key", (_TALLY,)).fetchall())


def seal_of(records: Iterable[StoredRecord]) -> str:
    """Return the seal: the hash over the hashes of these records, sorted by sample and attempt.

    Records without a hash are left out.
    """
    ordered = sorted((one.sample_id, one.attempt, one.sha256) for one in records if one.sha256 is not None)
    return hash_of([sha256 for *_, sha256 in ordered])
