"""Workers killed while the command that stores goes on, and a command of Ray killed together with its workers.

A killed worker ends nothing: the command ends as if undisturbed, and asks nothing again that was on record. A killed
command takes its workers with it, and is resumed to its end. (Commands killed beside their processes: ``kills.py``.)
"""

import os
import random
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from matrix.children import End, run
from matrix.kills import Undisturbed, finish, undisturbed
from matrix.row import Row, seeded
from matrix.stored import Truth

CONNECTIONS = 8
MARKS = (b"ray::_Actor", b"medvision_agent.eval.engines.worker")
"""In the command lines of workers."""
GONE = 30.0
"""Seconds within which workers end whose command was killed."""
MOST = 8
"""A kill comes when there are workers and fewer samples than this are on record, at random: half of them at most."""
LOOK = 0.02
"""Seconds between two looks at what runs."""


def matrix(folder: Path, seed: int, processes: int, ray: int) -> list[Row]:
    """Kill a worker of so many commands with *processes* and with *ray*, and as many commands of Ray."""
    jobs = [(command, "local", "a worker", processes) for command in ("run", "ablate")]
    jobs += [("run", "ray", "a worker", ray), ("run", "ray", "the command", ray)]
    rows = []
    for at, (command, engine, whom, kills) in enumerate(job for job in jobs if job[3]):
        row = Row("workers", f"{command}, 2 workers, {engine}: {whom} killed")
        if engine == "ray" and find_spec("ray") is None:
            row.skipped = "Ray is not installed"
        else:
            case = undisturbed(command, CONNECTIONS, folder / f"undisturbed{at}", 2, engine)
            _fill(row, case, whom, folder / f"killed{at}", seeded(seed, at), kills)
        rows.append(row.done())
    return rows


def _fill(row: Row, case: Undisturbed, whom: str, folder: Path, rng: random.Random, kills: int) -> None:
    for number in range(4 * kills):
        if row.tried >= kills or row.broken:
            return
        out = folder / str(number)
        out.mkdir(parents=True)
        try:
            _kill(row, case, whom, out, rng)
        except Exception as error:  # noqa: BLE001 - the other rows are made
            row.fault("broken", f"{number}: {error!r}")


def _kill(row: Row, case: Undisturbed, whom: str, folder: Path, rng: random.Random) -> None:
    truth, killed, workers = Truth(folder / "out"), list[int](), list[int]()

    after, report = rng.randrange(MOST), folder / "killed.report"

    def meanwhile(pid: int, ended: Callable[[float], bool]) -> None:
        while not killed and not ended(LOOK):
            workers[:] = below(pid)
            if workers and report.read_text(encoding="utf-8").count('["done"') >= after:
                with suppress(ProcessLookupError):  # it ended meanwhile
                    os.kill(victim := pid if whom == "the command" else rng.choice(workers), signal.SIGKILL)
                    killed.append(victim)

    end = run(case.plan(folder, "killed"), meanwhile=meanwhile)
    row.tried += len(killed)
    truth.judge(end, row, f"{whom} killed")
    _again(end, row)
    expected = -signal.SIGKILL if whom == "the command" and killed else 0
    if end.code not in {expected, 0}:
        row.fault("over" if end.code is None else "mistyped", f"{whom} killed: {end.last_words}")
    if whom == "the command" and not _gone(workers):
        row.fault("over", f"workers of a killed command are still there after {GONE:g} seconds")
    finish(case, folder, row, truth)


def _again(end: End, row: Row) -> None:
    """Count samples that were asked after they had been acknowledged, by the same command."""
    done, again = set[tuple[str, str]](), []
    for kind, *what in end.report:
        if kind == "done":
            done.add((what[0], what[1]))
        elif kind == "asked" and (what[0], what[1]) in done:
            again.append(what[1])
    row.fault("again", f"asked again: {again[:3]}", len(again))


def below(pid: int) -> Sequence[int]:
    """Return the ids of the workers below a process, in ascending order."""
    parents, workers = dict[int, int](), list[int]()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            if any(mark in (entry / "cmdline").read_bytes() for mark in MARKS):
                workers.append(int(entry.name))
    return sorted(worker for worker in workers if pid in _line(worker, parents))


def _line(pid: int, parents: dict[int, int]) -> list[int]:
    """Return a process and all above it."""
    line = [pid]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    return line


def _gone(pids: Sequence[int]) -> bool:
    """Wait until processes have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if not select.select([handle], [], [], GONE)[0]:
                    return False
            finally:
                os.close(handle)
    return True
