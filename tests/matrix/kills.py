"""Children killed while they work, and what a resume finds and does.

A chain is one run or study: its child is killed, resumed and killed again, and then resumed to its end. Two kills a
chain: at a third death the program sets a sample aside that was alone in flight, which is another ending.

Kills come at random times (SIGKILL), at named points inside writes (SIGKILL), or at a byte of a file, where the kernel
ends the child in the middle of a write (SIGXFSZ).
"""

import random
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from matrix.children import End, Plan, run
from matrix.row import Row, seeded
from matrix.samples import write_samples, write_study
from matrix.stored import Truth, answers, runs

CONNECTIONS = (1, 8, 64)
SAMPLES = {1: 10, 8: 16, 64: 72}
"""Samples by connections: more than connections, or fewer would be in flight."""
COMMANDS = ("run", "ablate")
WAYS = ("at a random time", "at a point inside a write", "at a byte of a file")
WORKERS = 3


@dataclass(frozen=True)
class Undisturbed:
    """A case as it goes when nothing is done to it."""

    command: str
    connections: int
    processes: int
    arguments: tuple[str, ...]
    seconds: float
    points: dict[str, int]
    """How often each named point is passed."""
    size: int
    """Bytes of its largest file."""
    answers: dict

    @property
    def name(self) -> str:
        """What the table calls it."""
        more = "" if self.processes == 1 else f", {self.processes} processes"
        return f"{self.command}, {self.connections} connections{more}"

    def plan(self, folder: Path, name: str, **more: object) -> Plan:
        """Return how a child goes on with this case in *folder*."""
        resume = ("--resume",) if self.command == "run" and runs(folder / "out") else ()
        return Plan((*self.arguments, "--out", str(folder / "out"), *resume), folder, name, **more)


def undisturbed(command: str, connections: int, folder: Path, processes: int = 1) -> Undisturbed:
    """Run a case once, with nothing done to it; that must work."""
    data = write_samples(folder, SAMPLES[connections])
    if command == "run":
        words = ("--model", "baseline-cv", "--tools", "on", "--data", str(data), "--max-connections", str(connections))
        arguments: tuple[str, ...] = ("run", *words)
    else:
        arguments = ("ablate", str(write_study(folder, data, connections)))
    arguments = (*arguments, "--processes", str(processes))
    return measured(Undisturbed(command, connections, processes, arguments, 0, {}, 0, {}), folder)


def measured(case: Undisturbed, folder: Path) -> Undisturbed:
    """Run a case in *folder*, and return it with its time, its points, its size and its answers; that must work."""
    end = run(case.plan(folder, "undisturbed"))
    assert end.code == 0, end.last_words
    out = folder / "out"
    sizes = [file.stat().st_size for file in out.rglob("run.sqlite")]
    ((points,),) = end.told("points")
    return replace(case, seconds=end.seconds, points=points, size=max(sizes), answers=answers(out))


def chain(case: Undisturbed, way: str, folder: Path, rng: random.Random, kills: int) -> Row:
    """Kill one run or study up to *kills* times, then let it end."""
    folder.mkdir(parents=True)
    row, truth = Row("kills", f"{case.name}, {way}"), Truth(folder / "out")
    for number in range(kills):
        what, end = _kill(case, way, folder, rng, f"kill{number}")
        truth.judge(end, row, what)
        if end.code in {-signal.SIGKILL, -signal.SIGXFSZ}:
            row.tried += 1
        elif end.code == 0:
            break  # it had ended before
        else:
            row.fault("over" if end.code is None else "mistyped", f"{what}: {end.last_words}")
    finish(case, folder, row, truth)
    return row


def finish(case: Undisturbed, folder: Path, row: Row, truth: Truth) -> End:
    """Resume to the end, hold what was answered against the undisturbed case, and return how it ended."""
    end = run(case.plan(folder, "end"))
    truth.judge(end, row, "resumed to its end")
    if end.code != 0:
        row.fault("over" if end.code is None else "mistyped", f"resumed to its end: {end.last_words}")
        return end
    found = answers(folder / "out")
    different = [key for key, value in case.answers.items() if found.get(key) != value]
    row.fault("changed", f"answers of {different[:3]}", len(different))
    return end


def _kill(case: Undisturbed, way: str, folder: Path, rng: random.Random, name: str) -> tuple[str, End]:
    if way == "at a random time":
        after = rng.uniform(0, case.seconds)
        return f"killed after {after:.3f} s", run(case.plan(folder, name), kill_after=after)
    if way == "at a byte of a file":
        byte = rng.randrange(1, int(case.size * 1.1))
        return f"ended at byte {byte}", run(case.plan(folder, name, limits=(("FSIZE", byte),)))
    point = rng.choice(sorted(case.points))
    # What is left is asked by each resume: an early pass is reached more often.
    number = 1 + int((case.points[point] - 1) * rng.random() ** 2)
    return f"killed {point} {number}", run(case.plan(folder, name, triggers=((point, number, "kill"),)))


def matrix(
    folder: Path,
    seed: int,
    kills: int,
    *,
    commands: Sequence[str] = COMMANDS,
    connections: Sequence[int] = CONNECTIONS,
    processes: Sequence[tuple[str, int]] = (),
    per_chain: int = 2,
) -> list[Row]:
    """Kill children at least *kills* times in all, evenly over commands, connections and ways.

    *processes* are further cases: a command asked by a number of processes, with 8 connections.
    """
    cases = [undisturbed(command, count, folder / f"{command}{count}") for command in commands for count in connections]
    cases += [undisturbed(command, 8, folder / f"{command}8p{count}", count) for command, count in processes]
    wanted = -(-kills // (len(cases) * len(WAYS)))
    jobs = [(case, way) for case in cases for way in WAYS]
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = [
            pool.submit(_row, case, way, folder / f"chains{at}", seeded(seed, at), wanted, per_chain)
            for at, (case, way) in enumerate(jobs)
        ]
        return [one.result() for one in waiting]


def _row(case: Undisturbed, way: str, folder: Path, rng: random.Random, wanted: int, per_chain: int) -> Row:
    row = Row("kills", f"{case.name}, {way}")
    for number in range(4 * wanted):
        if row.tried >= wanted or row.broken:
            break
        try:
            row.add(chain(case, way, folder / str(number), rng, min(per_chain, wanted - row.tried)))
        except Exception as error:  # noqa: BLE001 - the other rows are made
            row.fault("broken", f"chain {number}: {error!r}")
    return row.done()
