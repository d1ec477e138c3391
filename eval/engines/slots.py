"""The workers of a cluster, as the process that writes the run sees them, with their unfinished leases."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import NamedTuple

from medvision_agent.eval.asking.pool import Ask, Lane
from medvision_agent.eval.engines.messages import Leased, News, Open, Place

__all__ = ["LeaseWorker", "Out", "Slot", "Tried", "shares"]

_MOST_AHEAD = 512
"""Largest number of samples that wait at a worker."""


class LeaseWorker(ABC):
    """A process, on any machine, that holds leases of samples; its methods raise WorkerLostError if it died."""

    machine = ""
    """The name of the machine on which it runs, once a lane was opened."""

    @abstractmethod
    async def start(self) -> None:
        """Start the process; a worker that died or was killed can be started anew."""

    @abstractmethod
    async def open(self, message: Open, place: Place) -> bool:
        """Prepare the run of a lane, and return whether the worker sees the run's folder.

        Raises the error it reports.
        """

    @abstractmethod
    async def lease(self, asks: Sequence[Leased], most: int) -> None:
        """Give the worker samples of one model, of which at most *most* are asked at the same time.

        Returns when they have arrived at the worker, before they are asked.
        """

    @abstractmethod
    async def recall(self, pool: int) -> list[int]:
        """Take back the samples of a model (by the number of its pool) that were not begun; return their numbers."""

    @abstractmethod
    async def news(self, heard: int) -> News:
        """Return the worker's notes after the note with the number *heard*.

        It answers every few seconds, also without notes.
        """

    @abstractmethod
    def stop(self) -> None:
        """Make the worker stop waiting for further tries of requests, and begin no further sample."""

    @abstractmethod
    def kill(self) -> None:
        """End the process at once."""

    @abstractmethod
    def close(self) -> None:
        """End the process and everything that all workers share."""


class Tried(NamedTuple):
    """A worker that could not read the image of a sample: its slot, its machine, and why."""

    slot: "Slot"
    machine: str
    why: str


@dataclass(eq=False)
class Out:
    """A sample that was leased to a worker and has not ended."""

    number: int
    pool: int
    ask: Ask
    slot: "Slot"
    asking: AbstractContextManager[None]
    flies: bool = True
    """Whether it counts as in flight: until it is finished, even if it is merged into the run only later."""
    shard: str = ""
    """The shard that holds it, if it is finished and waits for that shard to be merged."""
    made: bool = False
    """Whether no worker asks it: this process makes its record from the answers drawn for it."""
    arrived: bool = False
    """Whether the worker has confirmed that it has the sample."""
    tried: tuple[Tried, ...] = ()
    """The workers that had it before and could not read its image."""


@dataclass(eq=False)
class Slot:
    """One of the workers with its unfinished samples; if the worker dies, another one is started in the same slot."""

    worker: LeaseWorker
    shares: Sequence[int]
    """How many samples of each model it has in flight at most."""
    life: str = field(default_factory=lambda: f"w{token_hex(6)}")
    """The folder of its shards."""
    out: dict[int, Out] = field(default_factory=dict[int, Out])
    """Its samples by number, in the order in which they were leased."""
    count: Counter[int] = field(default_factory=Counter[int])
    """How many of these are not finished, by model."""
    outbox: list[Out] = field(default_factory=list[Out])
    """The samples that were not sent to the worker yet."""
    serves: bool = True
    """Whether it can be handed samples: not while the remains of a dead worker are processed."""
    unread: int = 0
    """Samples whose image it could not read and that another worker has now; it is handed none meanwhile."""
    needed: asyncio.Event = field(default_factory=asyncio.Event)
    sees: dict[Lane, bool] = field(default_factory=dict[Lane, bool])
    """The lanes it has prepared, and whether it sees the folders of their runs."""
    heard: int = 0
    """The number of the last note that was processed."""
    hearing: asyncio.Task[None] | None = None
    """The task that processes the latest notes; it is not interrupted if the worker dies meanwhile."""
    unclosed: bool = False
    finished: int = 0
    rate: float = 0.0
    """Recent rate of finished samples per second."""

    def ahead(self, pool: int) -> int:
        """Return how many samples of a model may wait at the worker.

        As many as it has in flight, or finishes in a second if that is more.
        """
        return max(self.shares[pool], min(_MOST_AHEAD, int(self.rate)))

    def anew(self) -> None:
        """Reset the slot for a new worker; call it when no sample of it is unfinished."""
        self.life = f"w{token_hex(6)}"
        self.outbox, self.sees, self.heard, self.unclosed = [], {}, 0, False
        self.serves = True
        self.needed.clear()


def shares(parallel: int, workers: int) -> list[int]:
    """Return how many samples each worker has in flight: *parallel* together, divided as evenly as possible."""
    return [parallel // workers + (number < parallel % workers) for number in range(workers)]
