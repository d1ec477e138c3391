"""Several machines, as far as one machine can show: Ray workers against one process, a killed worker, a driver's CPU.

Every case is the command ``run`` with its store and summary, asking the fast server (``run_server.py``) whose replies
take a second. A rate is that of the steady part, from the third round of requests to the last but one, by the server's
count; the rate of the whole command, with its start and summary, stands beside it. CPU is user and system time over the
same part, of the command (which decides and stores), of the workers, and of the processes of Ray itself.

Usage: python benchmarks/cluster.py [--only NAME]... [--rounds N] [--json FILE]

Needs the extra ``cluster`` for the cases of Ray, and Linux (/proc). Starts one Ray after the other.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from run import phantoms, server
from run_ours import ROW

LATENCY = 1.0
POLL = 0.25
"""Seconds between two looks at the server's count and at the CPU times."""
TICKS = os.sysconf("SC_CLK_TCK")
COMMAND = "from medvision_agent.cli.main import main; main()"


@dataclass(frozen=True)
class Case:
    """The settings with which samples are asked."""

    name: str
    connections: int
    """Of each process that asks."""
    workers: int = 0
    """0: the process that stores asks, too."""
    engine: str = "local"
    asks: str = "text"
    kill: bool = False

    @property
    def flying(self) -> int:
        """Return how many samples are in flight."""
        return self.connections * max(1, self.workers)


CASES = (
    Case("1 process x 32", 32),
    Case("1 process x 64", 64),
    Case("1 process x 256", 256),
    Case("2 Ray workers x 32", 32, 2, "ray"),
    Case("2 Ray workers x 32, one killed", 32, 2, "ray", kill=True),
    Case("2 processes x 32", 32, 2),
    Case("1 Ray worker x 256", 256, 1, "ray"),
    Case("1 process x 32, five calls", 32, asks="loop"),
    Case("1 Ray worker x 32, five calls", 32, 1, "ray", "loop"),
)


@dataclass(frozen=True)
class Measured:
    """The measured costs of a case."""

    samples: int
    steady: float
    """Samples per second in the steady part."""
    whole: float
    """Samples per second of the whole command."""
    driver: float
    """Milliseconds of CPU per sample in the steady part: of the command itself."""
    worker: float
    ray: float
    twice: int = 0
    """Samples that were asked twice."""
    twice_stored: int = 0
    """Of these, such as had been stored before; should be 0."""
    lost: int = 0
    """Samples without an answer on record in the end; should be 0."""
    bytes: float = 0
    """Bytes of the database per sample."""


def marked(folder: Path, count: int, asks: str) -> Path:
    """Write *count* samples whose questions each contain a unique number; return the file."""
    data = phantoms(folder, count, "distance" if asks == "text" else "size")
    out = data.with_name(f"marked-{asks}.jsonl")
    lines = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()[:count]]
    for number, line in enumerate(lines):
        if asks == "text":
            line["landmarks"] = [f"spot {number}", "the far end"]
            for point, name in zip(line["truth_points"], line["landmarks"], strict=True):
                point["name"] = name
        else:
            line["label"] = f"spot {number}"
    out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return out


def asked(url: str) -> list[tuple[float, int]]:
    """Return moment and number of each sample that was begun since the last call."""
    with urlopen(f"{url}/asked") as reply:  # noqa: S310 - our own server
        return [(moment, number) for moment, number in json.load(reply)]


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it."""

    parent: int
    words: bytes
    seconds: float
    """CPU so far, with that of its children that ended."""


def processes() -> dict[int, Process]:
    """Return the processes of this machine."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            fields = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            seconds = sum(map(int, fields[11:15])) / TICKS
            found[int(entry.name)] = Process(int(fields[1]), (entry / "cmdline").read_bytes(), seconds)
    return found


def kinds(driver: int) -> Iterator[tuple[int, str, float]]:
    """Yield the id, the kind and the CPU seconds of the command's process and of all below it."""
    there = processes()
    for pid, process in there.items():
        kind, at = "driver", pid
        while at != driver and at in there:
            words = there[at].words
            if words.startswith(b"ray::_Actor") or b"medvision_agent.eval.engines.worker" in words:
                kind = "worker"
            elif kind == "driver" and any(mark in words for mark in (b"raylet", b"gcs_server", b"ray::")):
                kind = "ray"
            at = there[at].parent
        if at == driver:
            yield pid, kind, process.seconds


def cpu(driver: int) -> Counter[str]:
    """Return the CPU seconds so far of the command, its workers and Ray, children that ended included."""
    found = Counter[str]()
    for _, kind, seconds in kinds(driver):
        found[kind] += seconds
    return found


@contextmanager
def command(case: Case, url: str, data: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command of a case; its output goes to a file beside its run."""
    models = out.with_suffix(".yaml")
    models.write_text(ROW.format(url=f"{url}/{case.asks}/{LATENCY:g}/v1"), encoding="utf-8")
    words = ["run", "--model", "fast", "--models", str(models), "--data", str(data), "--no-probe", "--out", str(out)]
    words += ["--tools", "off" if case.asks == "text" else "on", "--max-connections", str(case.flying)]
    words += ["--engine", case.engine, "--processes", str(max(1, case.workers))]
    with out.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", COMMAND, *words], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def measure(case: Case, url: str, folder: Path, rounds: int) -> Measured:
    """Run a case once."""
    from medvision_agent.eval.store.read import open_run  # noqa: PLC0415 - not what is measured

    count = case.flying * rounds
    data, out = marked(folder, count, case.asks), folder / case.name.replace(" ", "-")
    asked(url)
    begun: list[tuple[float, int]] = []
    looks: list[tuple[int, Counter[str]]] = []
    stored: set[str] = set()
    killed = 0.0
    began = time.monotonic()
    with command(case, url, data, out) as process:
        while process.poll() is None:
            time.sleep(POLL)
            begun += asked(url)
            if 2 * case.flying <= len(begun) <= count - case.flying and not killed:
                looks.append((len(begun), cpu(process.pid)))
            if case.kill and not killed and len(begun) >= count // 2:
                stored = {record.sample.id for record in open_run(out).records}
                killed = time.monotonic()
                os.kill(next(pid for pid, kind, _ in kinds(process.pid) if kind == "worker"), signal.SIGKILL)
        if process.returncode:
            raise SystemExit(f"{case.name} failed:\n{out.with_suffix('.log').read_text()[-2000:]}")
    whole = time.monotonic() - began
    moments = sorted(moment for moment, _ in begun)
    first, last = 2 * case.flying, count - case.flying
    (few, before), (many, after) = looks[0], looks[-1]
    ms = {kind: 1000 * (after[kind] - before[kind]) / (many - few) for kind in ("driver", "worker", "ray")}
    records = open_run(out).records
    names = [record.sample.id for record in records]
    lines = [json.loads(line)["id"] for line in data.read_text(encoding="utf-8").splitlines()]
    asks = Counter(number for _, number in begun)
    after_kill = {lines[number] for moment, number in begun if killed and moment > killed}
    answered = [record for record in records if not record.outcome.infrastructure]
    return Measured(
        samples=count,
        steady=(last - first) / (moments[last] - moments[first]),
        whole=count / whole,
        **ms,
        twice=sum(times > 1 for times in asks.values()),
        twice_stored=len(after_kill & stored) + len(names) - len(set(names)),
        lost=count - len(answered),
        bytes=(out / "run.sqlite").stat().st_size / count,
    )


def told(case: Case, of: Measured) -> str:
    """Return a line of text about a case."""
    line = (
        f"{case.name}: steady {of.steady:.1f} samples/s, whole command {of.whole:.1f} ({of.samples} samples); CPU per "
        f"sample: command {of.driver:.2f} ms, workers {of.worker:.2f} ms, Ray {of.ray:.2f} ms; {of.bytes:.0f} bytes"
    )
    if case.kill:
        line += f"; asked twice {of.twice}, of these stored before {of.twice_stored}, lost {of.lost}"
    return line


def main() -> None:
    """Measure the cases named in the arguments."""
    parser = argparse.ArgumentParser(description="Workers of Ray beside one process")
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES], help="may be repeated")
    parser.add_argument("--rounds", type=int, default=20, help="how often each connection is used")
    parser.add_argument("--json", type=Path, help="where the figures are written, for cluster_sim.py")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, server() as url:
        for case in CASES:
            if case.name in (options.only or [case.name]):
                measured = measure(case, url, Path(folder), options.rounds)
                found[case.name] = asdict(measured)
                print(told(case, measured), flush=True)
                if options.json:
                    options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    names = "2 Ray workers x 32", "1 process x 32"
    if set(names) <= found.keys():
        steady, whole = ([found[name][part] for name in names] for part in ("steady", "whole"))
        print(f"ratio of both: steady {steady[0] / steady[1]:.2f}, whole command {whole[0] / whole[1]:.2f}")
        print("goal: 1.7 in the steady part")


if __name__ == "__main__":
    main()
