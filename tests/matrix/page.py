"""docs/reliability.md, from rows that were measured."""

from collections.abc import Sequence

from matrix.row import FAULTS, Row

HEAD = """# Reliability

What is done to the program by the hundred, and what came of it. `make matrix` makes this page; the tests run a small
sample of it. Seed {seed}.

**lost**: finished samples that were not in the store afterwards. **again**: finished samples that were asked once more
(samples in flight may be). **changed**: records, traces or pictures that differ from what was stored, or answers that
differ from an undisturbed run's. **mistyped**: ends of the wrong class (exit code, traceback, message). **over**: ends
that took longer than their bound of two minutes. All should be zero.

"""
TAIL = """
## How

Children are real processes of the command line with the offline model `baseline-cv`. A killed run is resumed and
killed again, and at last resumed to its end. Points are before, inside and after each statement of SQLite, each flush,
rename, link, new folder and file. At a byte of a file the kernel ends the child in the middle of a write (SIGXFSZ).

## What was not tried

Power cuts and disks that lie about a flush; network file systems; Windows; several machines; real providers; damage to
stored bytes (`medvision-agent verify` has tests of its own); 64 file handles with 64 connections to a server; the
circuit breaker. Where there is no memory for a thread's own data, the C library ends the process without a
word: that counts as a kill.
"""


def page(rows: Sequence[Row], seed: int) -> str:
    """Return the page."""
    return HEAD.format(seed=seed) + table(rows) + TAIL


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table of Markdown."""
    lines = [f"| what | tried | {' | '.join(FAULTS)} |", f"|---|{'---:|' * (len(FAULTS) + 1)}"]
    for row in rows:
        counts = " | ".join(str(getattr(row, kind)) for kind in FAULTS)
        tried = f"{row.tried} {row.unit}" if not row.skipped else f"skipped: {row.skipped}"
        lines.append(f"| {row.matrix}: {row.what} | {tried} | {counts} |")
    total = " | ".join(str(sum(getattr(row, kind) for row in rows)) for kind in FAULTS)
    lines.append(f"| **all** | {sum(row.tried for row in rows)} | {total} |")
    return "\n".join(lines) + "\n"
