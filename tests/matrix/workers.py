"""Commands with several workers: a worker, the command, everything, or Ray's actor of the limits is killed.

A killed worker ends nothing: the command ends as if undisturbed. A killed command takes its workers with it, and is
resumed to its end. Kills come after a random number of requests, which a server counts: no sample is lost, none is kept
twice, and no more are asked twice than were in flight, or in a shard that was damaged after the kill (``shards.py``).
(Commands killed inside their writes: ``kills.py``.)
"""

import json
import os
import random
import select
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from fake.replies import Reply, text, trickle
from fake.server import Request

from matrix.children import End, run
from matrix.kills import Undisturbed, finish, measured
from matrix.row import Row, seeded
from matrix.samples import write_samples, write_study
from matrix.server import ByModel, number_of, row, serving
from matrix.shards import damage_one, judge
from matrix.stored import Truth, runs
from medvision_agent.eval.store.read import open_run

CONNECTIONS, WORKERS = 8, 2
SAMPLES = {"run": 40, "ablate": 24}
"""Samples by command; a study asks each of them twice, once in each arm."""
PAUSE = 0.002
"""Seconds after each eight bytes of a reply: it takes a tenth of a second, so that samples are in flight."""
SHARE = CONNECTIONS // WORKERS
IN_FLIGHT = {"a worker": SHARE, "the command": CONNECTIONS, "everything": CONNECTIONS, "the actor of the limits": 0}
"""Who is killed, and how many samples may be in flight there."""
HURT = "the command, and a shard damaged"
IN_FLIGHT[HURT] = CONNECTIONS
KILLED = ("a worker", "the command", "everything")
LOCAL = tuple((command, "local", whom) for command in ("run", "ablate") for whom in KILLED)
RAY = (
    *(("run", "ray", whom) for whom in (*KILLED, "the actor of the limits")),
    *(("ablate", "ray", whom) for whom in KILLED),
    *((command, "ray", HURT) for command in ("run", "ablate")),  # other workers write no shards
)
ENDS_ALL = ("the command", "everything", HURT)
MARKS = (b"ray::_Actor", b"medvision_agent.eval.engines.worker")
"""In the command lines of workers."""
LIMITS = (b"ray::_Pacer",)
GONE = 30.0
"""Seconds within which workers end whose command was killed."""
LOOK = 0.02
"""Seconds between two looks at what the server counts."""
Job = tuple[str, str, str]
"""Command, engine, and who is killed."""


def matrix(folder: Path, seed: int, kills: int, jobs: Sequence[Job]) -> list[Row]:
    """Kill so often for each of the *jobs*."""
    cases, rows = dict[tuple[str, str], Undisturbed](), []
    with serving() as server:
        for at, (command, engine, whom) in enumerate(jobs):
            what = "the command killed, a shard damaged" if whom == HURT else f"{whom} killed"
            result = Row("workers", f"{command}, {WORKERS} workers, {engine}: {what}", may=IN_FLIGHT[whom])
            if engine == "ray" and find_spec("ray") is None:
                result.skipped = "Ray is not installed"
            else:
                if (command, engine) not in cases:
                    cases[command, engine] = _undisturbed(command, engine, folder / f"{command}-{engine}", server)
                _fill(result, cases[command, engine], whom, folder / f"killed{at}", seeded(seed, at), kills, server)
            rows.append(result.done())
    return rows


def _undisturbed(command: str, engine: str, folder: Path, server: ByModel) -> Undisturbed:
    """Run a command once, with nothing done to it; it finds its files in the folder where it runs."""
    write_samples(folder / "data", SAMPLES[command])
    if command == "run":
        asked = ("--model", "mine", "--models", "models.yaml", "--data", str(folder / "data" / "samples.jsonl"))
        arguments = ("run", *asked, "--tools", "off", "--max-connections", str(CONNECTIONS))
    else:
        arguments = ("ablate", "study.yaml")
    arguments = (*arguments, "--processes", str(WORKERS), "--engine", engine)
    case = Undisturbed(command, CONNECTIONS, WORKERS, arguments, 0, {}, 0, {})
    counted = _serve(case, folder, folder / "data", server)
    case = measured(case, folder)
    assert set(counted.values()) == {1}, "undisturbed, nothing is asked twice"
    return case


def _serve(case: Undisturbed, folder: Path, data: Path, server: ByModel) -> Counter[tuple[bool, int]]:
    """Write the model of a command, and return the count of its requests: by arm (with tools or not) and sample."""
    counted, name = Counter[tuple[bool, int]](), f"{folder.parent.name}-{folder.name}"

    def answered(request: Request) -> Reply:
        counted[bool(request.body.get("tools")), number := number_of(request)] += 1
        return trickle(text(f"<answer>{number}.5</answer>"), PAUSE)

    server.rules[name] = answered
    folder.mkdir(parents=True, exist_ok=True)
    model = row(server, "chat", name, max_tries=3, requests_per_minute=60_000)
    (folder / "models.yaml").write_text(json.dumps({"mine": model}), encoding="utf-8")
    if case.command == "ablate":
        models = "models: [mine]\nmodels_file: models.yaml"
        write_study(folder, data / "samples.jsonl", CONNECTIONS, models)
    return counted


def _fill(
    result: Row, case: Undisturbed, whom: str, folder: Path, rng: random.Random, kills: int, server: ByModel
) -> None:
    data = next(folder.parent.glob(f"{case.command}-*")) / "data"
    for number in range(4 * kills):
        if result.tried >= kills or result.broken:
            return
        out = folder / str(number)
        counted = _serve(case, out, data, server)
        try:
            _kill(result, case, whom, out, rng, counted)
        except Exception as error:  # noqa: BLE001 - the other rows are made
            result.fault("broken", f"{number}: {error!r}")


def _kill(
    result: Row, case: Undisturbed, whom: str, folder: Path, rng: random.Random, counted: Counter[tuple[bool, int]]
) -> None:
    truth, killed, workers = Truth(folder / "out"), list[int](), list[int]()
    after = rng.randrange(1, len(case.answers))

    def meanwhile(pid: int, ended: Callable[[float], bool]) -> None:
        while not killed and not ended(LOOK):
            if counted.total() < after:
                continue
            workers[:] = below(pid, MARKS)
            killed.extend(_killed(_victims(whom, pid, rng)))

    end = run(case.plan(folder, "killed"), meanwhile=meanwhile)
    truth.judge(end, result, f"{whom} killed after {after} requests")
    _again(end, result)
    expected = -signal.SIGKILL if whom in ENDS_ALL and killed else 0
    if end.code not in {expected, 0}:
        result.fault("over" if end.code is None else "mistyped", f"{whom} killed: {end.last_words}")
    if whom in ENDS_ALL and not _gone(workers):
        result.fault("over", f"workers of a killed command are still there after {GONE:g} seconds")
    hurt = damage_one(folder / "out", rng) if whom == HURT and killed else 0
    result.tried += bool(hurt if whom == HURT else killed)
    end = finish(case, folder, result, truth)
    if hurt:
        judge(result, end, folder / "out")
    kept = [one for run in runs(folder / "out") for one in (*open_run(run).records, *open_run(run).superseded)]
    result.fault("changed", f"{len(kept)} records of {len(case.answers)} samples", abs(len(kept) - len(case.answers)))
    may = (result.may or 0) + hurt if killed else 0
    _count(result, f"{whom} killed after {after} requests", counted.total() - len(counted), may)


def _count(result: Row, what: str, twice: int, may: int) -> None:
    """Count samples that were asked twice; as many as were in flight or in a damaged shard *may* be."""
    result.fault("over", f"{what}: {twice} samples were asked twice, {may} may be", int(twice > may))
    result.twice, result.twice_in_all = max(result.twice, twice), result.twice_in_all + twice


def _victims(whom: str, pid: int, rng: random.Random) -> list[int]:
    """Return the processes to be killed, the command first; none where they have not started."""
    if whom in {"the command", HURT}:
        return [pid]
    if whom == "everything":
        return [pid, *below(pid)]
    found = below(pid, LIMITS if whom == "the actor of the limits" else MARKS)
    return [rng.choice(found)] if found else []


def _killed(pids: Sequence[int]) -> list[int]:
    """Kill processes, and return those that were there."""
    found = []
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(pid, signal.SIGKILL)
            found.append(pid)
    return found


def _again(end: End, result: Row) -> None:
    """Count samples that were asked after they had been acknowledged, by the same command."""
    done, again = set[tuple[str, str]](), []
    for kind, *what in end.report:
        if kind == "done":
            done.add((what[0], what[1]))
        elif kind == "asked" and (what[0], what[1]) in done:
            again.append(what[1])
    result.fault("again", f"asked again: {again[:3]}", len(again))


def below(pid: int, marks: Sequence[bytes] = (b"",)) -> list[int]:
    """Return the ids of the processes below one with one of the *marks* in their command lines, in ascending order."""
    parents, found = dict[int, int](), list[int]()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            if any(mark in (entry / "cmdline").read_bytes() for mark in marks):
                found.append(int(entry.name))
    return sorted(one for one in found if one != pid and pid in _line(one, parents))


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
