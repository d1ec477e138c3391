"""Shards that workers of a killed command left, and one of them damaged: it is named once, kept, and asked again."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from matrix.children import End
from matrix.row import Row
from matrix.stored import runs
from medvision_agent.eval.store.files import LOG
from medvision_agent.eval.store.shard import hash_in_name, left_in

_NAMED = "it is not merged into the run, and kept as"


def damage_one(out: Path, rng: random.Random) -> int:
    """Turn a bit of a shard below *out*, in its log where it was left open; returns how many records it held.

    0: there is no shard with a record.
    """
    held = {file: _records(file) for run in runs(out) for file in left_in(run)}
    if not (shards := sorted(file for file, records in held.items() if records)):
        return 0
    shard = rng.choice(shards)
    file = shard if hash_in_name(shard) else shard.with_name(LOG)
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)
    return held[shard]


def judge(result: Row, end: End, out: Path) -> None:
    """Count a damaged shard that the resumed command did not name once, or did not keep."""
    named, kept = end.err.count(_NAMED), [*out.rglob("*.damaged")]
    result.fault("mistyped", f"a damaged shard was named {named} times", int(named != 1))
    result.fault("lost", f"{len(kept)} damaged shards were kept", int(len(kept) != 1))


def _records(file: Path) -> int:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as shard:
        if shard.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone() is None:
            return 0
        return int(shard.execute("SELECT count(*) FROM record").fetchone()[0])
