"""Checks whether a stored run was changed after it was stored: everything is read, images too.

Contract: nothing is changed. It finds damage and careless edits, but not a forger who computes all hashes again.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import DamageError, StorageError
from medvision_agent.eval.store.damage import Damage, changed, damage_in, picture_damage
from medvision_agent.eval.store.files import PICTURES, is_hash, read_count
from medvision_agent.eval.store.read import open_run, reading
from medvision_agent.eval.store.seal import records_in, seal_of, traces_in

__all__ = ["Verified", "verify_run"]

_BLOCK = re.compile(r'"picture": "([0-9a-f]{64})"')
_SHOWN = 20
"""Largest number of SQLite's error messages that are listed."""


@dataclass(frozen=True)
class Verified:
    """The result of verifying a run: what was checked, and the damage."""

    folder: Path
    records: int = 0
    """Number of records, each with its trace, earlier attempts included."""
    unsealed: int = 0
    """Number of records from a version that stored no hashes: only their images are checked."""
    pictures: int = 0
    """Number of image files."""
    seal: str | None = None
    """The hash over all records with a hash; None where none has one."""
    damage: tuple[Damage, ...] = ()


def verify_run(folder: Path) -> Verified:
    """Read and check a whole run, images too, and return what was checked and the damage.

    Raises StorageError where the folder has no run, or it cannot be opened; damage is returned, not raised.
    """
    count = read_count(folder)  # before the database: it grows meanwhile
    try:
        with reading(folder) as database:
            records = list(records_in(database))
            damage = [*_complaints(database), *damage_in(database, count)]
            named = dict[str, str | None]()
            for trace in traces_in(database):
                damage += [changed("trace", trace.sample_id, trace.attempt)] if trace.changed else []
                for key in filter(is_hash, _pictures(trace.json or "")):
                    named.setdefault(key, trace.sample_id)
    except DamageError as error:  # reading stops here
        return Verified(folder, damage=(Damage(str(error)),))
    files = sorted(path.stem for path in (folder / PICTURES).glob("*/*.png"))
    named = dict.fromkeys(files) | named
    damage += [found for key, sample in sorted(named.items()) if (found := picture_damage(folder, key, sample))]
    if not damage:
        damage = list(_unreadable(folder))
    return Verified(
        folder,
        records=len(records),
        unsealed=sum(record.sha256 is None for record in records),
        pictures=len(files),
        seal=seal_of(records) if any(record.sha256 for record in records) else None,
        damage=tuple(damage),
    )


def _complaints(database: sqlite3.Connection) -> Iterator[Damage]:
    """Yield the damage that SQLite's own check finds in the file."""
    for (line,) in database.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield Damage(f"its database is damaged: {line}")


def _pictures(trace: str) -> list[str]:
    """Return the hashes of the images that a trace names; traces of older versions name them in message blocks."""
    try:
        return [str(key) for key in json.loads(trace)["pictures"]]
    except (ValueError, KeyError, TypeError):
        return _BLOCK.findall(trace)


def _unreadable(folder: Path) -> Iterator[Damage]:
    """Yield the reason why a run cannot be read although its hashes are right; nothing if it can be read."""
    try:
        open_run(folder)
    except StorageError as error:
        yield Damage(str(error))
