"""Finds parts of a stored run that changed after they were stored: facts, samples, records, traces and images."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from medvision_agent.errors import DamageError
from medvision_agent.eval.store.files import COUNT, LOG, PICTURES, picture_path
from medvision_agent.eval.store.seal import (
    Adding,
    StoredRecord,
    Tally,
    is_sealed,
    records_in,
    should_be_sealed,
    stored_tally,
    tally_of,
)

__all__ = ["Damage", "changed", "damage_in", "is_lost", "picture_damage", "read_picture"]


@dataclass(frozen=True)
class Damage:
    """One part of a run that changed after it was stored."""

    what: str
    """A description that follows the name of the run in messages."""
    sample: str | None = None
    """The sample that is damaged, where it is a single one."""

    def error(self, folder: Path) -> DamageError:
        """Return the error to raise where the run in *folder* is read."""
        return DamageError(
            f"{folder} is damaged: {self.what}. Restore it from a copy; `medvision-agent verify` lists all damage"
        )


def changed(what: str, sample_id: str, attempt: int) -> Damage:
    """Return the damage of a record or a trace (*what*) that was changed after it was stored."""
    return Damage(f"the {what} of sample {sample_id!r} (attempt {attempt}) was changed after it was stored", sample_id)


def damage_in(
    database: sqlite3.Connection, count: int | None, passing: Callable[[StoredRecord], None] | None = None
) -> Iterator[Damage]:
    """Yield the damage to the facts, samples and records of a run; traces and images are not checked.

    *count* is the smallest number of records expected, as noted in a file beside the log (None: unknown); *passing* is
    called with every record, damaged or not. Data of a version that stored no hashes is not checked.
    """
    hashes = Adding()
    for record in records_in(database):
        hashes.add(record.sha256)
        if record.changed:
            yield changed("record", record.sample_id, record.attempt)
        if passing is not None:
            passing(record)
    if count is not None and hashes.count < count:
        yield Damage(
            f"{count} records were stored and {hashes.count} are left, because its database log ({LOG}) is lost or "
            "incomplete"
        )
    elif not is_sealed(database):
        if should_be_sealed(database):
            yield Damage("the hashes of its records are missing, though the version that wrote the run stores them")
    else:
        stored, found = stored_tally(database), tally_of(database, hashes)
        yield from (
            [Damage("the stored count and hash sum of its records are missing")]
            if stored is None
            else _differences(stored, found)
        )


def _differences(stored: Tally, found: Tally) -> Iterator[Damage]:
    if stored.facts != found.facts:
        yield Damage("its settings were changed after they were stored")
    if stored.samples != found.samples:
        yield Damage("its samples (questions and ground truth) were changed after they were stored")
    if stored.count != found.count:
        yield Damage(f"{stored.count} records were stored, but it holds {found.count}")
    elif (stored.records, stored.total) != (found.records, found.total):
        yield Damage("its records were changed after they were stored")


def is_lost(folder: Path) -> bool:
    """Return whether a folder with an empty database once held a run whose log was lost before it was copied there."""
    return (folder / COUNT).exists() or any((folder / PICTURES).glob("*/*.png"))


def picture_damage(folder: Path, key: str, sample_id: str | None = None) -> Damage | None:
    """Return the damage of the image with the hash *key* in a run's folder; None if it is unchanged.

    *sample_id* names its sample in the message.
    """
    found = _picture(folder, key, sample_id)
    return found if isinstance(found, Damage) else None


def read_picture(folder: Path, key: str, sample_id: str | None = None) -> bytes:
    """Return the PNG bytes of the image with the hash *key* in a run's folder.

    Raises DamageError, naming *sample_id*, where it is missing or was changed.
    """
    found = _picture(folder, key, sample_id)
    if isinstance(found, Damage):
        raise found.error(folder)
    return found


def _picture(folder: Path, key: str, sample_id: str | None) -> bytes | Damage:
    of = "" if sample_id is None else f" of sample {sample_id!r}"
    try:
        png = picture_path(folder, key).read_bytes()
    except OSError as error:
        return Damage(f"the image {key}{of} cannot be read ({error.strerror})", sample_id)
    if sha256(png).hexdigest() != key:
        return Damage(f"the image {key}{of} was changed after it was stored", sample_id)
    return png
