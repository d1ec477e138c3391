"""Children: the command line in processes of their own, forked from one that has done the imports.

A child gets a ``Plan``: its arguments and what is to happen to it. It reports on a file that only it appends to.
"""

import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock

from fast import server

from matrix import hooks

BOUND = 120
"""Seconds within which a child ends. Undisturbed it needs less than one; a busy machine needs more."""
PRELOADED = (*server.PRELOADED, "medvision_agent.cli.ablate", "matrix.all")


@dataclass(frozen=True)
class Plan:
    """What a child does, and what is done to it."""

    arguments: tuple[str, ...]
    folder: Path
    """Where it runs, and where ``NAME.out``, ``NAME.err`` and ``NAME.report`` are written."""
    name: str
    triggers: tuple[tuple[str, int, str], ...] = ()
    """(point, number, "kill" or "stop")."""
    limits: tuple[tuple[str, int], ...] = ()
    """Resource limits: (name without RLIMIT_, soft limit); AS counts from what the child has already.

    FSIZE kills with SIGXFSZ at that byte of any file ..."""
    survives: bool = False
    """... unless this is set: then the write fails, as on a full disk."""
    clock: int | None = None
    """Seed of a clock that jumps."""


@dataclass(frozen=True)
class End:
    """How a child ended."""

    code: int | None
    """Exit code, a negative signal, or None where it had to be killed at its bound."""
    seconds: float
    """From where it was ready to where it had ended."""
    out: str
    err: str
    report: tuple[list, ...]

    def told(self, kind: str) -> list[list]:
        """Return the reports of a kind, without its name."""
        return [rest for name, *rest in self.report if name == kind]

    @property
    def last_words(self) -> str:
        """The end of what it said, in one line."""
        return f"code {self.code}: {' '.join(self.err.split())[-300:]}"


_CONTEXT = multiprocessing.get_context("forkserver") if hasattr(os, "fork") else None
_STARTING = Lock()


def run(
    plan: Plan,
    *,
    kill_after: float | None = None,
    stops: tuple[float, ...] = (),
    meanwhile: Callable[[int, Callable[[float], bool]], None] | None = None,
) -> End:
    """Run a child to its end; it is killed after *kill_after* seconds, and stopped (SIGINT) after each of *stops*.

    *meanwhile* is called once it is ready, with its id and a function that waits so many seconds for its end.
    """
    assert _CONTEXT is not None
    with _STARTING:
        os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        _CONTEXT.set_forkserver_preload(list(PRELOADED))
        ready, telling = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_child, args=(plan, telling))
        process.start()
    telling.close()
    wait([ready, process.sentinel], BOUND)
    began = time.monotonic()
    ready.close()
    for pause in stops:
        if not wait([process.sentinel], pause):
            os.kill(process.pid, signal.SIGINT)
    if meanwhile is not None:
        meanwhile(process.pid, lambda seconds: bool(wait([process.sentinel], seconds)))
    if kill_after is not None and not wait([process.sentinel], kill_after):
        process.kill()
    in_time = bool(wait([process.sentinel], BOUND))
    if not in_time:
        process.kill()
    with _STARTING:  # starting another process looks for the ends of all
        process.join()
    seconds, code = time.monotonic() - began, process.exitcode if in_time else None
    process.close()
    return End(code, seconds, _text(plan, "out"), _text(plan, "err"), tuple(_report(plan)))


def _text(plan: Plan, end: str) -> str:
    file = plan.folder / f"{plan.name}.{end}"
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _report(plan: Plan) -> list[list]:
    lines = _text(plan, "report").split("\n")
    return [json.loads(line) for line in lines[:-1]]  # the last is empty, or was cut


def _child(plan: Plan, telling: Connection) -> None:
    """Be the command: own session, streams, folder and hooks; *telling* hears when it begins."""
    os.setsid()
    sys.dont_write_bytecode = True
    os.chdir(plan.folder)
    for number, end in ((1, "out"), (2, "err")):
        file = os.open(f"{plan.name}.{end}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - for the life of the process
    sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8", buffering=1, closefd=False) for n in (1, 2))  # noqa: SIM115
    handle = os.open(f"{plan.name}.report", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def report(*what: object) -> None:
        os.write(handle, json.dumps(what).encode() + b"\n")

    points = hooks.Points(plan.triggers)
    hooks.watch_database(points)
    hooks.watch_files(points)
    hooks.report_samples(report)
    if plan.clock is not None:
        hooks.jump_clock(plan.clock)
    sys.argv = ["medvision-agent", *plan.arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from medvision_agent.cli.main import main

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, limit in plan.limits:
        if name == "FSIZE" and not plan.survives:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        kind = getattr(resource, f"RLIMIT_{name}")
        has = _memory() if name == "AS" else 0
        resource.setrlimit(kind, (has + limit, resource.getrlimit(kind)[1]))
    telling.send(None)
    telling.close()
    try:
        main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
        report("points", points.counts)
        report("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def cpu_seconds() -> float:
    """Return the seconds of processor time that this process and all its children took."""
    own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    server = forkserver._forkserver._forkserver_pid
    if server is None:
        return own
    fields = Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return own + sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _memory() -> int:
    """Return the bytes of address space that this process has already."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
