"""docs/reliability.md, from rows that were measured."""

from collections.abc import Mapping, Sequence

from matrix.floods import MEGABYTES, MEMORY, SECONDS, TIMEOUT
from matrix.row import FAULTS, Row
from matrix.workers import CONNECTIONS, GONE, SHARE

HEAD = """# Reliability

This page lists what is done to the program in hundreds of trials, and the results. `make matrix` makes this page; the
tests run a small sample of it. Seed {seed}; it took {minutes:.0f} minutes of processor time.{said}

**lost**: finished samples that were not in the store afterwards. **again**: finished samples that were asked once more
(samples in flight may be asked again). **changed**: records, traces or images that differ from what was stored, answers
that differ from those of an undisturbed run, and damage that no command reported. **mistyped**: endings of the wrong
class (exit code, outcome, traceback, message). **over**: endings that took longer, or more memory, than their bound,
and kills after which more samples were asked twice than had been in flight. **broken**: trials that failed themselves
and show nothing about the program. All counts should be zero.

"""
TAIL = f"""
## How

**kills, stops, resources.** Real child processes run the command line with the offline model `baseline-cv`; they end
within two minutes. A killed run is resumed and killed again, and finally resumed to its end. Points are before, inside
and after each statement of SQLite, each flush, rename, link, new folder and file. At a byte of a file, the kernel ends
the child in the middle of a write (SIGXFSZ).

**wire.** A local server speaks the wire format of chat completions, of OpenAI's responses and of Gemini. There is one
run for each row of the program's own tables: every reason to stop, every status from 300 on and a dozen below, and
every word by which an error under status 200 states its kind. Each is tried as the first reply and after a tool call. A
test compares the trials with the tables.

**floods.** Six samples are asked at once, and one of them receives a gzip or deflate bomb, a body without end, or a
body or headers that arrive very slowly. It ends in its class, and the others are answered, within {SECONDS} seconds (a
request may take {TIMEOUT}) and with at most {MEMORY // 2**20} MiB more memory than the run takes otherwise (a body may
have {MEGABYTES} MB).

**breaker.** A server refuses requests repeatedly at 1, 8 and 64 connections. Either the run stops with the server's
words and exit code 2 before many more requests are sent, or it continues because the probe is answered. A resume asks
what is unfinished, and nothing else.

**handles.** 96 samples at 64 connections, on both wires, in a process that may open few files. The run finishes, or
ends with an error message; a resume with more handles answers the rest.

**damage.** A finished run and a killed one are damaged, verified, scored, explained (`why`) and resumed. Each command
refuses, or prints what it printed before. If `verify` finds nothing, all records and images are unchanged. No resume
hides damage that `verify` had found.

**workers.** A server counts the requests for each sample. After a random number of them, SIGKILL ends a worker (a
process, or with Ray the actor that holds a lease), the command, or everything at once (with Ray also Ray's own
processes), or the actor of Ray that keeps the limits per minute. A command that lost a worker must end as if
undisturbed. The workers of a killed command must end within {GONE:.0f} seconds; it is resumed to its end. Then every
sample has one record, and no more samples were asked twice than were in flight. In the rows *a shard damaged*, one bit
of a shard that the killed command's workers left is turned before the resume, which must name this shard once and keep
it; the samples in it may be asked twice as well. Only workers of Ray write shards. (The rows *kills: ... 2 processes*
are of commands that were killed inside their writes, with their processes beside them.)

{{twice}}
## Several processes

With `--processes N`, N further processes ask the samples. The process you started decides everything and is the only
one that writes the run's database: what is asked next, the budget, the limits per minute, when a server's refusals stop
the run, and when a sample is done. Its guarantees are therefore the same as with one process, and the records are the
same except for times (`tests/cli/test_processes.py` compares them).

- Ctrl-C and kills: the processes ignore Ctrl-C, and end with the process that started them, however it ends.
- When a process dies, its samples are asked again. A sample that was in flight at two deaths is asked alone, and at the
  third death it is set aside as `crashed`. After ten deaths in a row without an answer in between, the run stops.
- Each process opens the data and the tools by the stored settings. It refuses to ask if their identity differs from the
  run's, for instance because a file of tools was changed meanwhile.
- By default there is one process for each 64 samples in flight and each 100 samples, but not more than there are cores.
  A model that works offline gets as many processes as there are cores. A model loaded into the process (`provider:
  transformers`) is asked in one process.

With `--engine ray`, workers of a cluster ask by leases and write shards that the command merges. What is guaranteed
then, and by how much a budget can be overshot, is described in [cluster.md](cluster.md#what-is-guaranteed).

## What was not tried

Power cuts and disks that falsely confirm a flush; network file systems; Windows; several machines; real providers;
refusals and few handles on the responses interface; damage to a study's plan and to exported files (which have separate
tests); edits by somebody who recomputes all hashes, which nothing here can detect. If there is no memory for a thread's
own data, the C library ends the process without a message: that counts as a kill.
"""


def page(
    rows: Sequence[Row], seed: int, cpu_seconds: float, shares: Mapping[str, float], earlier: Sequence[str] = ()
) -> str:
    """Return the page: of some matrices a share of the trials was made, and others are of an *earlier* page."""
    fewer = ", ".join(f"{name} ({share:.0%})" for name, share in shares.items() if share != 1)
    said = f"\nFewer trials than by `make matrix` were made of: {fewer}." if fewer else ""
    if earlier:
        said += f"\nMade by an earlier version of the program, and not part of this time: {', '.join(earlier)}."
    head = HEAD.format(seed=seed, minutes=cpu_seconds / 60, said=said)
    return head + table(rows) + TAIL.format(twice=_asked_twice(rows))


def _asked_twice(rows: Sequence[Row]) -> str:
    """Return the table of samples that were asked twice, where this was counted."""
    lines = [
        f"There were {CONNECTIONS} samples in flight, {SHARE} at each worker. These were asked twice:\n",
        "| what | kills | in flight | most after one kill | in all |",
        "|---|---:|---:|---:|---:|",
    ]
    counted = [row for row in rows if row.may is not None and not row.skipped]
    lines += [f"| {row.what} | {row.tried} | {row.may} | {row.twice} | {row.twice_in_all} |" for row in counted]
    return "\n".join(lines) + "\n" if counted else ""


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
