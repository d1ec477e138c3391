"""An event simulation of the speed of clusters that were not measured, from measured CPU times.

Each connection asks one sample after the other: the worker's core prepares it, then each request is answered after the
latency of the server and costs the worker's core once more, and the driver's core hears of it, merges it and hands out
another. As many samples as a worker has in flight wait there: a connection waits for the driver only where that is
further behind. Besides, the driver's core works for each call to a worker (notes and leases), five times a second for
each. A core does one thing at a time, in the order in which things come. The server has no bound, the network takes no
time, and times do not vary. One process alone is a worker whose core is the driver's.

Usage: python benchmarks/cluster_sim.py FIGURES.json --sample MS --call MS

FIGURES.json is what ``cluster.py --json`` wrote: the CPU times of workers come from it, and the rates that the
simulation is compared with. *sample* is the driver's CPU for each sample (``leases.py``), *call* that for each call.
"""

import argparse
import heapq
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 12
"""How often each connection is used; the first two and the last round are left out."""
TOGETHER = 0.2
"""Seconds between two calls to a worker."""
BUSY = 0.97
"""Share of the time from which a core is what bounds."""


@dataclass
class Core:
    """One core, which does its work in order of arrival."""

    free: float = 0.0
    busy: float = 0.0

    def work(self, now: float, seconds: float) -> float:
        """Return the time at which work that arrives now is done."""
        self.free = max(now, self.free) + seconds
        self.busy += seconds
        return self.free


@dataclass(frozen=True)
class Setting:
    """The parameters of a simulation; times in seconds of CPU per sample."""

    connections: int
    """Of each worker."""
    worker: float
    driver: float
    workers: int = 0
    """0: the process that stores asks, too."""
    latency: float = 1.0
    requests: int = 1
    call: float = 0.0
    """Of the driver, for each call to a worker."""


@dataclass(frozen=True)
class Outcome:
    """The rates in the steady part of a simulation."""

    rate: float
    """Samples per second."""
    driver: float
    """Share of the time in which the driver's core was busy."""
    worker: float
    """The same of the workers' cores, on average."""

    @property
    def bound(self) -> str:
        """Return the part that limits the rate."""
        if self.driver >= BUSY:
            return "the driver's core"
        return "the workers' cores" if self.worker >= BUSY else "connections and latency"


@dataclass
class Simulation:
    """The cores, and the events in the order of time."""

    of: Setting
    driver: Core = field(default_factory=Core)
    behind: dict[int, deque[float]] = field(default_factory=lambda: defaultdict[int, deque[float]](deque))
    """By worker: when the driver is done with what it finished last."""
    done: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])
    """Of each sample: its end, and the seconds of work on the driver's and on the workers' cores by then."""

    def run(self) -> Outcome:
        """Simulate, and return the outcome."""
        of = self.of
        cores = [Core() for _ in range(of.workers)] or [self.driver]
        numbers, count = itertools.count(), of.connections * len(cores) * ROUNDS
        lives = [self.life(core, cores) for _ in range(of.connections) for core in cores]
        lives += [self.calls() for _ in range(of.workers if of.call else 0)]
        events = [(0.0, next(numbers), life) for life in lives]
        for _, _, life in events:
            next(life)
        while len(self.done) < count:
            now, _, life = heapq.heappop(events)
            heapq.heappush(events, (life.send(now), next(numbers), life))
        return self.steady(len(cores))

    def life(self, core: Core, cores: list[Core]) -> Iterator[float]:
        """Simulate one connection: receive the time at which it continues, and yield its next time."""
        of, behind = self.of, self.behind[id(core)]
        now = yield 0.0
        while True:
            for _ in range(of.requests):
                now = yield core.work(now, of.worker / (of.requests + 1))
                now = yield now + of.latency
            now = yield core.work(now, of.worker / (of.requests + 1))
            behind.append(self.driver.work(now, of.driver))
            self.done.append((now, self.driver.busy, sum(one.busy for one in cores)))
            if len(behind) > of.connections:
                now = yield max(now, behind.popleft())

    def calls(self) -> Iterator[float]:
        """Simulate the calls between the driver and one worker."""
        now = yield 0.0
        while True:
            now = yield max(self.driver.work(now, self.of.call), now + TOGETHER)

    def steady(self, cores: int) -> Outcome:
        """Return the rates between the second round and the last but one."""
        each = len(self.done) // ROUNDS
        (began, *first), (ended, *last) = self.done[2 * each], self.done[-each]
        driver, worker = ((after - before) / (ended - began) for before, after in zip(first, last, strict=True))
        return Outcome((len(self.done) - 3 * each) / (ended - began), driver, worker / cores)


def simulated(of: Setting) -> Outcome:
    """Return the outcome of a setting."""
    return Simulation(of).run()


def compared(figures: dict[str, dict[str, float]], sample: float, call: float) -> Iterator[str]:
    """Yield a row for each measured case of text: the measured rates, and the rates simulated from its CPU times."""
    yield "| case | measured, steady | simulated | simulated / measured |\n|---|---|---|---|"
    cases = {"1 process x 32": (32, 0), "1 process x 64": (64, 0), "1 process x 256": (256, 0)}
    for name, (connections, workers) in (cases | {"2 Ray workers x 32": (32, 2)}).items():
        if found := figures.get(name):
            own = found["worker"] if workers else found["driver"]
            times = (sample / 1000, workers, 1.0, 1, call / 1000) if workers else (0.0,)
            setting = Setting(connections, own / 1000, *times)
            rate = simulated(setting).rate
            yield f"| {name} | {found['steady']:.1f} samples/s | {rate:.1f} | {rate / found['steady']:.2f} |"


def clusters(figures: dict[str, dict[str, float]], sample: float, call: float) -> Iterator[str]:
    """Yield a row for each cluster: 1, 8 and 64 workers of 256 connections, one text answer and five calls."""
    yield "| workers x connections | samples/s | workers' cores | driver's core | what bounds |\n|---|---|---|---|---|"
    sources = ("one text answer", "2 Ray workers x 32", 1), ("five calls", "1 Ray worker x 32, five calls", 6)
    for what, name, requests in sources:
        if not (found := figures.get(name)):
            continue
        for workers in (1, 8, 64):
            times = found["worker"] / 1000, sample / 1000
            of = simulated(Setting(256, *times, workers, requests=requests, call=call / 1000))
            shares = f"{min(of.worker, 1):.0%} | {min(of.driver, 1):.0%}"
            yield f"| {what}: {workers} x 256 | {of.rate:.0f} | {shares} | {of.bound} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Clusters, simulated from measured CPU times")
    parser.add_argument("figures", type=Path)
    parser.add_argument("--sample", type=float, required=True, help="milliseconds of the driver for each sample")
    parser.add_argument("--call", type=float, required=True, help="milliseconds of the driver for each call")
    given = parser.parse_args()
    figures, times = json.loads(given.figures.read_text(encoding="utf-8")), (given.sample, given.call)
    print("\n".join([*compared(figures, *times), "", *clusters(figures, *times)]))


if __name__ == "__main__":
    main()
