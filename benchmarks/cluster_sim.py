"""How fast clusters would be that nobody measured: a simulation by events, from CPU times that were measured.

Each connection asks one sample after the other: the driver's core hands it out, the worker's core prepares it, then
each request is answered after the latency of the server and costs the worker's core once more, and at last the driver's
core stores it. A core does one thing at a time, in the order in which things come. The server has no bound, the network
takes no time, and times do not vary. One process alone is a worker whose core is the driver's.

Usage: python benchmarks/cluster_sim.py FIGURES.json

FIGURES.json is what ``cluster.py --json`` wrote: the CPU times come from it, and the rates that the simulation is
compared with.
"""

import argparse
import heapq
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 12
"""How often each connection is used; the first two and the last round are left out."""
BUSY = 0.97
"""Share of the time from which a core is what bounds."""


@dataclass
class Core:
    """One core: what comes first is done first."""

    free: float = 0.0
    busy: float = 0.0

    def work(self, now: float, seconds: float) -> float:
        """Return the moment at which work that comes now is done."""
        self.free = max(now, self.free) + seconds
        self.busy += seconds
        return self.free


@dataclass(frozen=True)
class Setting:
    """What is simulated; times in seconds of CPU per sample."""

    connections: int
    """Of each worker."""
    worker: float
    driver: float
    workers: int = 0
    """0: the process that stores asks, too."""
    latency: float = 1.0
    requests: int = 1


@dataclass(frozen=True)
class Outcome:
    """What came of it, in the steady part."""

    rate: float
    """Samples per second."""
    driver: float
    """Share of the time in which the driver's core was busy."""
    worker: float
    """The same of the workers' cores, on average."""

    @property
    def bound(self) -> str:
        """Return what bounds the rate."""
        if self.driver >= BUSY:
            return "the driver's core"
        return "the workers' cores" if self.worker >= BUSY else "connections and latency"


@dataclass
class Simulation:
    """The cores, and when what happens."""

    of: Setting
    driver: Core = field(default_factory=Core)
    done: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])
    """Of each sample: its end, and the seconds of work on the driver's and on the workers' cores by then."""

    def run(self) -> Outcome:
        """Simulate, and return what came of it."""
        of = self.of
        cores = [Core() for _ in range(of.workers)] or [self.driver]
        numbers, count = itertools.count(), of.connections * len(cores) * ROUNDS
        lives = [self.life(core, cores) for _ in range(of.connections) for core in cores]
        events = [(0.0, next(numbers), life) for life in lives]
        for _, _, life in events:
            next(life)
        while len(self.done) < count:
            now, _, life = heapq.heappop(events)
            heapq.heappush(events, (life.send(now), next(numbers), life))
        return self.steady(len(cores))

    def life(self, core: Core, cores: list[Core]) -> Iterator[float]:
        """Be one connection: take the moment at which it goes on, and yield the next one."""
        of = self.of
        now = yield 0.0
        while True:
            now = yield self.driver.work(now, of.driver / 2)
            for _ in range(of.requests):
                now = yield core.work(now, of.worker / (of.requests + 1))
                now = yield now + of.latency
            now = yield core.work(now, of.worker / (of.requests + 1))
            now = yield self.driver.work(now, of.driver / 2)
            self.done.append((now, self.driver.busy, sum(one.busy for one in cores)))

    def steady(self, cores: int) -> Outcome:
        """Return the rates between the second round and the last but one."""
        each = len(self.done) // ROUNDS
        (began, *first), (ended, *last) = self.done[2 * each], self.done[-each]
        driver, worker = ((after - before) / (ended - began) for before, after in zip(first, last, strict=True))
        return Outcome((len(self.done) - 3 * each) / (ended - began), driver, worker / cores)


def simulated(of: Setting) -> Outcome:
    """Return what comes of a setting."""
    return Simulation(of).run()


def compared(figures: dict[str, dict[str, float]]) -> Iterator[str]:
    """Yield a row for each measured case of text: what was measured, and what is simulated with its CPU times."""
    yield "| case | measured, steady | simulated | simulated / measured |\n|---|---|---|---|"
    cases = {"1 process x 32": (32, 0), "1 process x 64": (64, 0), "1 process x 256": (256, 0)}
    for name, (connections, workers) in (cases | {"2 Ray workers x 32": (32, 2)}).items():
        if found := figures.get(name):
            own = found["worker"] if workers else found["driver"]
            setting = Setting(connections, own / 1000, found["driver"] / 1000 if workers else 0.0, workers)
            rate = simulated(setting).rate
            yield f"| {name} | {found['steady']:.1f} samples/s | {rate:.1f} | {rate / found['steady']:.2f} |"


def clusters(figures: dict[str, dict[str, float]]) -> Iterator[str]:
    """Yield a row for each cluster: 1, 8 and 64 workers of 256 connections, one text answer and five calls."""
    yield "| workers x connections | samples/s | workers' cores | driver's core | what bounds |\n|---|---|---|---|---|"
    sources = ("one text answer", "2 Ray workers x 32", 1), ("five calls", "1 Ray worker x 32, five calls", 6)
    for what, name, requests in sources:
        if not (found := figures.get(name)):
            continue
        for workers in (1, 8, 64):
            times = found["worker"] / 1000, found["driver"] / 1000
            of = simulated(Setting(256, *times, workers, requests=requests))
            shares = f"{min(of.worker, 1):.0%} | {min(of.driver, 1):.0%}"
            yield f"| {what}: {workers} x 256 | {of.rate:.0f} | {shares} | {of.bound} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Clusters, simulated from measured CPU times")
    parser.add_argument("figures", type=Path)
    figures = json.loads(parser.parse_args().figures.read_text(encoding="utf-8"))
    print("\n".join([*compared(figures), "", *clusters(figures)]))


if __name__ == "__main__":
    main()
