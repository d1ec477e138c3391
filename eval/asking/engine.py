"""Where samples are asked: in this process (``HERE``), or in others (``eval/engines/``).

Contract: an engine asks, and decides nothing. What is asked next, whether the budget allows it, what a refusal means
and what is stored stays with the one process that writes the run.
"""

from typing import Protocol

from medvision_agent.agent.session import Waiting
from medvision_agent.eval.asking.one import ask_one, beside
from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import Traced

__all__ = ["HERE", "Engine", "WorkerLostError"]


class WorkerLostError(Exception):
    """The process that asked a sample died; whatever it was about to say is lost."""


class Engine(Protocol):
    """Something that asks samples."""

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        """Ask one sample, and return its record and its trace; whatever happens to it becomes its record.

        Raises GivenUpError where *waiting* was given up, ProviderError where the provider refuses to work, and
        WorkerLostError.
        """
        ...


class _Here:
    """This process."""

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        return await ask_one(lane.job, sample, attempt, await beside(lane.job, sample), waiting)


HERE: Engine = _Here()
