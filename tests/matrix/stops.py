"""Children stopped (SIGINT) once or twice, also while samples are being written.

The first stop lets the samples in flight finish, the second ends at once: either way the exit code is 130, what was
acknowledged is stored, and a resume goes on. A stop that comes when all is done changes nothing.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from matrix.children import End, run
from matrix.kills import COMMANDS, CONNECTIONS, WORKERS, Undisturbed, finish, undisturbed
from matrix.row import Row, seeded
from matrix.stored import Truth

HOW = ("one stop", "two stops", "two stops at points inside writes")
STOPPED = (130, 0)


def matrix(
    folder: Path,
    seed: int,
    stops: int,
    *,
    commands: Sequence[str] = COMMANDS,
    connections: Sequence[int] = CONNECTIONS,
) -> list[Row]:
    """Stop children *stops* times in all, evenly over commands, connections and ways; each is resumed to its end."""
    cases = [undisturbed(command, count, folder / f"{command}{count}") for command in commands for count in connections]
    wanted = -(-stops // (len(cases) * len(HOW)))
    jobs = [(case, how) for case in cases for how in HOW]
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = [
            pool.submit(_row, case, how, folder / f"stops{at}", seeded(seed, at), wanted)
            for at, (case, how) in enumerate(jobs)
        ]
        return [one.result() for one in waiting]


def _row(case: Undisturbed, how: str, folder: Path, rng: random.Random, wanted: int) -> Row:
    row = Row("stops", f"{case.command}, {case.connections} connections, {how}", "stopped children")
    for number in range(wanted):
        out = folder / str(number)
        out.mkdir(parents=True)
        truth = Truth(out / "out")
        with row.trial(str(number)):
            what, end = _stop(case, how, out, rng)
            truth.judge(end, row, what)
            if end.code is None:
                row.fault("over", f"{what}: {end.last_words}")
            elif end.code not in STOPPED or "Traceback" in end.err:
                row.fault("mistyped", f"{what}: {end.last_words}")
            finish(case, out, row, truth)
    return row.done()


def _stop(case: Undisturbed, how: str, folder: Path, rng: random.Random) -> tuple[str, End]:
    if how == "two stops at points inside writes":
        points = [point for point, count in case.points.items() if count > 4]
        triggers = tuple(
            (point, rng.randint(3, case.points[point]), "stop") for point in rng.sample(points, min(2, len(points)))
        )
        return f"stopped {triggers}", run(case.plan(folder, "stopped", triggers=triggers))
    first = rng.uniform(0, 1) * case.seconds
    pauses = (first,) if how == "one stop" else (first, rng.uniform(0, 0.2) * case.seconds)
    return f"stopped after {pauses}", run(case.plan(folder, "stopped"), stops=pauses)
