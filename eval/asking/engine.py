"""Where samples are asked: in this process (``HERE``), or in others (``eval/engines/``).

Contract: an engine asks, and decides nothing. What is asked next, whether the budget allows it, what a refusal means
and what is stored stays with the one process that writes the run. An engine of leases hands out many samples together,
and its workers store what they finish beside the run, until that process takes it in.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from medvision_agent.agent.session import Waiting
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.one import ask_one, beside
from medvision_agent.eval.asking.pool import Lane, Pool
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import Traced

__all__ = ["HERE", "Engine", "LeasingEngine", "WorkerLostError"]


class WorkerLostError(Exception):
    """The process that asked a sample died, and its reply is lost."""


class Engine(Protocol):
    """An object that asks samples: this process, or several worker processes."""

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        """Ask one sample of the run *lane*, and return its record and its trace.

        Every failure of the sample becomes its record. Raises GivenUpError where *waiting* was given up, ProviderError
        where the provider refuses to work, and WorkerLostError where the process that asked it died.
        """
        ...


class LeasingEngine(ABC):
    """An object that asks samples by leases: it hands many samples together to each of its workers."""

    @abstractmethod
    async def ask_pools(
        self, pools: Sequence[Pool], meter: Meter, *, watch: Watch, stop: asyncio.Event
    ) -> list[Exception]:
        """Ask all samples of the pools, one pool for each model; return the errors that ended it early, in order.

        *meter* keeps the budget, *watch* has the callbacks, and no further sample is begun once *stop* is set. On
        return, all finished samples are in the runs.
        """


class _Here:
    """The engine that asks in this process."""

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        return await ask_one(lane.job, sample, attempt, await beside(lane.job, sample), waiting)


HERE: Engine = _Here()
