"""Merges shards into their run: copies their packed records, by sample and attempt.

Contract: a shard is merged in one transaction, which leaves the tally true, and merging it again changes nothing: of
two records with the same sample and attempt the first one stays. A shard that changed after its worker wrote it is
refused as a whole: a closed shard is checked by the hash in its name, an open one by the hashes and the count of its
records.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from medvision_agent.errors import DamageError
from medvision_agent.eval.store.database import connect_read_only
from medvision_agent.eval.store.files import read_count
from medvision_agent.eval.store.packed import Packed, Packer, packs
from medvision_agent.eval.store.seal import StoredRecord, StoredTrace, Tally, TracesIn, add_all_to_tally, records_in
from medvision_agent.eval.store.shard import hash_in_name, mark_of, run_of_shard
from medvision_agent.eval.store.writer import transaction
from medvision_agent.text import plural

__all__ = ["Merged", "merge", "plain"]

_FIELDS = "sample_id, attempt, outcome, json, trace_sha256, sha256"
_COLUMNS = f"{_FIELDS}, trace"
_UNPACKED = f"INSERT INTO main.record ({_COLUMNS}) SELECT {_FIELDS}, ? FROM shard.record WHERE rowid = ?"  # noqa: S608
_COPY = f"""
INSERT INTO main.record (rowid, {_COLUMNS}, base)
SELECT rowid + :after, {_COLUMNS}, base + :after FROM shard.record ORDER BY rowid
"""  # noqa: S608 - nothing in it comes from outside
_KNOWN = """
SELECT own.rowid FROM shard.record AS own
JOIN main.record AS other ON other.sample_id = own.sample_id AND other.attempt = own.attempt
"""
_LACKING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""SQLite's codes for what the system lacks or refuses; they say nothing about the content of a file."""
_STRANGE = "SELECT sample_id FROM shard.record WHERE sample_id NOT IN (SELECT id FROM main.sample) LIMIT 1"


class Merged(NamedTuple):
    """The result of merging a shard, a file with samples that one worker finished, into its run."""

    keys: Sequence[tuple[str, int]] = ()
    """Sample and attempt of every record in the shard, including those that the run had before."""
    tally: Tally | None = None
    """The tally of the run after the merge; None if every record was there before, or the shard was refused."""


def plain(file: Path) -> Path:
    """Return the path of one plain file with the checked content of the shard *file*.

    A shard that a worker left open is copied beside it, with all committed transactions, and checked record by record.
    Raises DamageError where the shard is damaged or missing, and OSError or sqlite3.Error where the system lacks
    something, such as room on the disk for the copy: then nothing is known about the shard.
    """
    if (digest := hash_in_name(file)) is not None:
        try:
            found = sha256(file.read_bytes()).hexdigest()
        except FileNotFoundError as error:
            raise DamageError(
                f"{file}: the shard is missing: its worker closed it, and it was removed after that"
            ) from error
        if found != digest:
            raise DamageError(
                f"{file}: the shard was changed after its worker wrote it: its SHA-256 is not the one in its name"
            )
        return file
    copy = file.with_name("left.sqlite")
    copy.unlink(missing_ok=True)
    try:
        # Read-only, because closing would otherwise remove a log that may be what is damaged.
        with closing(connect_read_only(file)) as left, closing(sqlite3.connect(copy)) as whole:
            left.backup(whole)
            _check(file, whole)
    except BaseException as error:
        copy.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error) and _primary(error) not in _LACKING:
            raise DamageError(f"{file}: the shard cannot be read: {error}") from error
        raise
    return copy


def _primary(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary code of an error; None for an error of Python's module."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _check(file: Path, database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA quick_check").fetchone()
    if found != ("ok",):
        raise DamageError(f"{file}: the shard is damaged: {found and found[0]}")
    noted = read_count(file.parent) or 0
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone() is not None:
        (records,) = database.execute("SELECT count(*) FROM record").fetchone()
    elif not noted:
        return  # its worker died while creating it
    else:
        records = 0
    if records < noted:
        raise DamageError(
            f"{file}: the shard lacks {noted - records} of the {plural(noted, 'answer')} that its worker stored: its "
            "log was changed, cut or removed"
        )
    stored: Iterator[StoredRecord | StoredTrace] = chain(records_in(database), TracesIn(database).those("FROM record"))
    for one in stored:
        if one.changed:
            raise DamageError(f"{file}: the shard is damaged at sample {one.sample_id!r} (attempt {one.attempt})")


def merge(database: sqlite3.Connection, file: Path) -> Merged:
    """Add to a run the records that it lacks of a shard, one plain file; return what the shard held.

    Raises DamageError if the shard belongs to another run.
    """
    with _attached(database, file):
        if database.execute("SELECT 1 FROM shard.sqlite_master WHERE name = 'record'").fetchone() is None:
            return Merged()
        rows = database.execute("SELECT sample_id, attempt, sha256, rowid FROM shard.record ORDER BY rowid").fetchall()
        with transaction(database):
            if run_of_shard(database) != mark_of(database):
                raise DamageError(f"{file}: the shard belongs to a run that was begun with other settings")
            for (strange,) in database.execute(_STRANGE):
                raise DamageError(f"{file}: the shard belongs to another run: this run has no sample {strange!r}")
            known = {number for (number,) in database.execute(_KNOWN)}
            new = [row for row in rows if row[3] not in known]
            if not new:
                return Merged([row[:2] for row in rows])
            if packs(database) and not known:
                (after,) = database.execute("SELECT coalesce(max(rowid), 0) FROM main.record").fetchone()
                database.execute(_COPY, {"after": after})
            else:
                _one_by_one(database, file, [row[3] for row in new])
            tally = add_all_to_tally(database, [row[2] for row in new])
    return Merged([row[:2] for row in rows], tally)


def _one_by_one(database: sqlite3.Connection, file: Path, numbers: Sequence[int]) -> None:
    """Copy the records of a shard with these rowids, each with its trace packed by itself.

    The trace that it was packed against may not be copied.
    """
    form = packs(database)
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as shard:
        stored = TracesIn(shard)
        for number in numbers:
            (trace,) = stored.those("FROM record WHERE record.rowid = :number", number=number)
            if trace.json is None:
                raise DamageError(f"{file}: the shard is damaged at sample {trace.sample_id!r}")
            packed = Packer().pack("", trace.json) if form else Packed(trace.json)
            database.execute(_UNPACKED, (packed.value, number))


@contextmanager
def _attached(database: sqlite3.Connection, file: Path) -> Iterator[None]:
    database.execute("ATTACH ? AS shard", (f"{file.absolute().as_uri()}?mode=ro&immutable=1",))
    try:
        yield
    finally:
        database.execute("DETACH shard")
