"""Ways in which a stored run gets damaged: bits that turn, files that go, hands that edit.

Each takes the run's folder and a generator, and changes something.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

from medvision_agent.eval.store.files import COUNT, DATABASE, LOG, PICTURES
from medvision_agent.eval.store.in_flight import JOURNAL
from medvision_agent.eval.store.seal import traces_in

Damages = Callable[[Path, Random], object]
SWAP = """
    UPDATE record SET {column} = (
        SELECT {column} FROM record AS other
        WHERE other.sample_id = CASE record.sample_id WHEN :one THEN :two ELSE :one END
    ) WHERE sample_id IN (:one, :two)
"""


def _turn(content: bytes, rng: Random, bits: int = 1) -> bytes:
    """Return *content* with some bits turned."""
    changed = bytearray(content)
    for _ in range(bits):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _sql(folder: Path, statement: str, values: object = ()) -> list[tuple]:
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        return database.execute(statement, values).fetchall()


def _bit_in(table: str, column: str, folder: Path, rng: Random) -> None:
    """Turn one bit of a value in the database, which stays text or bytes."""
    rows = _sql(folder, f"SELECT rowid, typeof({column}), CAST({column} AS BLOB) FROM {table} ORDER BY rowid")  # noqa: S608
    row, kind, value = rng.choice(rows)
    _sql(folder, f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE rowid = ?", (_turn(value, rng), row))  # noqa: S608


def _edit(statement: str, folder: Path, rng: Random) -> None:
    """Run SQL about one sample, or two, that have a record."""
    one, two = rng.sample([row[0] for row in _sql(folder, "SELECT sample_id FROM record ORDER BY sample_id")], 2)
    _sql(folder, statement, {name: value for name, value in (("one", one), ("two", two)) if f":{name}" in statement})


def _bits_of(name: str, bits: int, folder: Path, rng: Random) -> None:
    path = folder / name
    path.write_bytes(_turn(path.read_bytes(), rng, bits))


def _cut(name: str, folder: Path, rng: Random) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: rng.randrange(len(content))])


def _page_of_zeros(folder: Path, rng: Random) -> None:
    content = bytearray((folder / DATABASE).read_bytes())
    start = 4096 * rng.randrange(len(content) // 4096)
    content[start : start + 4096] = bytes(4096)
    (folder / DATABASE).write_bytes(content)


def _replaced(by: bytes | None, folder: Path, rng: Random) -> None:
    (folder / DATABASE).unlink()
    (folder / DATABASE).mkdir() if by is None else (folder / DATABASE).write_bytes(by)


def _removed(name: str, folder: Path, rng: Random) -> None:
    (folder / name).unlink()


def _pictures(folder: Path, rng: Random, count: int) -> list[Path]:
    """Return some pictures of finished samples; those of samples in flight at a kill belong to no record."""
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        kept = "".join(trace.json or "" for trace in traces_in(database))
    return rng.sample([path for path in sorted((folder / PICTURES).glob("*/*.png")) if path.stem in kept], count)


def _picture(change: Callable[[bytes, Random], bytes | None], folder: Path, rng: Random) -> None:
    """Change one picture, or remove it where nothing is left."""
    (path,) = _pictures(folder, rng, 1)
    content = change(path.read_bytes(), rng)
    path.unlink() if content is None else path.write_bytes(content)


def _swapped_pictures(folder: Path, rng: Random) -> None:
    one, two = _pictures(folder, rng, 2)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def _without_pictures(folder: Path, rng: Random) -> None:
    shutil.rmtree(folder / PICTURES)


BITS: dict[str, Damages] = {
    "a bit of a record": partial(_bit_in, "record", "json"),
    "a bit of a trace": partial(_bit_in, "record", "trace"),
    "a bit of the hash of a record": partial(_bit_in, "record", "sha256"),
    "a bit of the hash of a trace": partial(_bit_in, "record", "trace_sha256"),
    "a bit of the name of an ending": partial(_bit_in, "record", "outcome"),
    "a bit of a sample": partial(_bit_in, "sample", "json"),
    "a bit of the settings": partial(_bit_in, "run", "value"),
    "a bit of the name of a setting": partial(_bit_in, "run", "key"),
    "a bit of the database file": partial(_bits_of, DATABASE, 1),
    "eight bits of the database file": partial(_bits_of, DATABASE, 8),
    "a page of zeros in the database file": _page_of_zeros,
    "a bit of a picture": partial(_picture, _turn),
}
FILES: dict[str, Damages] = {
    "the database cut short": partial(_cut, DATABASE),
    "the database emptied": partial(_replaced, b""),
    "a text for the database": partial(_replaced, b"no database\n" * 500),
    "a folder for the database": partial(_replaced, None),
    "the database deleted": partial(_removed, DATABASE),
    "a picture deleted": partial(_picture, lambda content, rng: None),
    "a picture cut short": partial(_picture, lambda content, rng: content[: rng.randrange(len(content))]),
    "two pictures swapped": _swapped_pictures,
    "all pictures deleted": _without_pictures,
}
EDITS: dict[str, Damages] = {
    name: partial(_edit, statement)
    for name, statement in {
        "an answer edited": "UPDATE record SET json = replace(json, 'answer>', 'answer>1') WHERE sample_id = :one",
        "tokens edited": "UPDATE record SET json = json_set(json, '$.usage.output', 7) WHERE sample_id = :one",
        "an ending edited": "UPDATE record SET outcome = 'no_answer' WHERE sample_id = :one",
        "a ground truth edited": "UPDATE sample SET json = replace(json, '8.0', '9.0') WHERE id = :one",
        "a setting edited": "UPDATE run SET value = replace(value, 'cv', 'prior') WHERE key = 'config'",
        "a record removed": "DELETE FROM record WHERE sample_id = :one",
        "a sample removed": "DELETE FROM sample WHERE id = :one",
        "a sample and its record removed": "DELETE FROM sample WHERE id = :one OR id = :two",
        "the tally removed": "DELETE FROM run WHERE key = 'tally'",
        "the format removed": "DELETE FROM run WHERE key = 'format'",
        "an older format": "UPDATE run SET value = '1' WHERE key = 'format'",
        "two records swapped": SWAP.format(column="json"),
        "two traces swapped": SWAP.format(column="trace"),
        "what a trace is packed against edited": "UPDATE record SET base = coalesce(base, 1) + 1",
        "the hash of a record removed": "UPDATE record SET sha256 = NULL WHERE sample_id = :one",
        "the hash of a trace removed": "UPDATE record SET trace_sha256 = NULL WHERE sample_id = :one",
        "a record doubled": (
            "INSERT INTO record (sample_id, attempt, outcome, json, trace, trace_sha256, sha256) "
            "SELECT sample_id, attempt + 1, outcome, json, trace, trace_sha256, sha256 FROM record "
            "WHERE sample_id = :one"
        ),
        "the column of hashes renamed": "ALTER TABLE record RENAME COLUMN sha256 TO sha257",
        "the table of records renamed": "ALTER TABLE record RENAME TO recorded",
    }.items()
}
LOGS: dict[str, Damages] = {
    "the log deleted": partial(_removed, LOG),
    "the log cut short": partial(_cut, LOG),
    "a bit of the log": partial(_bits_of, LOG, 1),
    "a bit of the count of records": partial(_bits_of, COUNT, 1),
    "bits of the journal of samples in flight": partial(_bits_of, JOURNAL, 3),
}
"""What lies beside the database of a run that was killed, and of no other."""
