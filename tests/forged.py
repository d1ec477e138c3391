"""Stored runs changed by hand, with all hashes made anew: for tests about what a run says, not about its seal."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from medvision_agent.eval.store.seal import hash_of_text, records_in, set_tally, tally_of, traces_in

__all__ = ["forged", "retold"]


def retold(folder: Path, before: str, after: str, sample: str = "") -> None:
    """Change words in the traces of a run, or of one sample, and leave their hashes as they are."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        for trace in list(traces_in(database)):
            if sample in {"", trace.sample_id}:
                changed = ((trace.json or "").replace(before, after), trace.sample_id, trace.attempt)
                database.execute("UPDATE record SET trace = ? WHERE sample_id = ? AND attempt = ?", changed)


@contextmanager
def forged(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open a run's database for changes, and seal what they leave."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as database, database:
        yield database
        for trace in list(traces_in(database)):
            key = (trace.sample_id, trace.attempt)
            own = (hash_of_text(trace.json or ""), *key)
            database.execute("UPDATE record SET trace_sha256 = ? WHERE sample_id = ? AND attempt = ?", own)
        for record in list(records_in(database)):
            own = (record.found_sha256, record.sample_id, record.attempt)
            database.execute("UPDATE record SET sha256 = ? WHERE sample_id = ? AND attempt = ?", own)
        set_tally(database, tally_of(database, [record.sha256 for record in records_in(database)]))
