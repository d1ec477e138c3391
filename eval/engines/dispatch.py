"""An engine of several workers: each asks some of the samples that are in flight.

Contract: a sample goes to the worker with the fewest of its model in flight, so that workers share the connections of
each model evenly. The limits per minute of a model are kept here, for all workers together. If a worker dies, whoever
waits for one of its samples gets a WorkerLostError, and another worker takes its place. Workers end with the context.
"""

import asyncio
import itertools
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from medvision_agent import errors
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.errors import ConfigError, MedVisionAgentError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.asking.one import beside
from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.engines.messages import Ask, Broke, GaveUp, Message, Open, Opened, Told
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import Traced

__all__ = ["MOST_DEATHS", "Dispatch", "NotBegunError", "Worker", "died_often", "dispatching", "settled"]

MOST_DEATHS = 10
"""The run stops after so many deaths of workers in a row without a finished sample in between."""


@asynccontextmanager
async def dispatching(
    number: int, worker: Callable[["Dispatch"], "Worker"], stop: asyncio.Event
) -> AsyncIterator["Dispatch"]:
    """Open an engine of *number* workers, for a ``with`` block; its workers end with the block.

    *worker* makes each worker. When *stop* is set, they stop waiting for further tries of requests.
    """
    engine = Dispatch(number, worker)
    stopping = asyncio.create_task(engine.stop_when(stop))
    try:
        yield engine
    finally:
        stopping.cancel()
        await engine.close()


class Dispatch:
    """An engine of several workers, each started when it is first needed."""

    def __init__(self, number: int, worker: Callable[["Dispatch"], "Worker"]) -> None:
        self._lanes: dict[Lane, int] = {}
        self._numbers = itertools.count()
        self._workers = [worker(self) for _ in range(number)]
        self._deaths = 0
        self.stopping = False
        """Whether no further sample may be begun."""

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        """Have a worker ask one sample, and return its record and its trace.

        *lane* is the run, *attempt* counts from 1. Raises WorkerLostError if the worker died, GivenUpError where the
        run is being stopped, and MedVisionAgentError for an error that ends the run.
        """
        own = await beside(lane.job, sample)
        message = Ask(
            number=next(self._numbers),
            lane=self._lanes.setdefault(lane, len(self._lanes)),
            sample=sample,
            attempt=attempt,
            donor=lane.job.pictures.donors.get(sample.id),
            lent=lane.job.wording.lent_to(sample.id),
            results=own.results,
            pixels=own.pixels,
            thinking_budget=lane.job.thinking_budget,
        )
        model = lane.job.settings.model
        worker = min(self._workers, key=lambda one: (one.flying[model], one.flying.total()))
        told = await worker.ask(lane, message, waiting)
        self._deaths = 0
        return Record.model_validate({**json.loads(told.record), "sample": sample}), told

    async def stop_when(self, stop: asyncio.Event) -> None:
        """Wait for *stop*, then make all workers stop waiting for further tries of requests."""
        await stop.wait()
        self.stopping = True
        for worker in self._workers:
            worker.stop()

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*(worker.close() for worker in self._workers))

    def opening(self, lane: Lane) -> Open:
        """Return the message that has a worker prepare the run of a lane."""
        job, store = lane.job, lane.store
        share = -(-job.chat.config.max_connections // len(self._workers))
        return Open(
            number=next(self._numbers),
            lane=self._lanes[lane],
            settings=job.settings.model_dump_json(),
            identity=job.identity.model_dump(mode="json"),
            picture=job.pictures.kind,
            connections=share,
            folder=store.folder,
            shared=store.shared,
        )

    async def turn(self, lane: int, waiting: Waiting) -> Start | None:
        """Wait until a request of the lane with this number may start, and return its start.

        None where the run is being stopped.
        """
        try:
            return await self._pace(lane).wait(waiting.sleep)
        except GivenUpError:
            return None

    def took(self, lane: int, start: Start, tokens: int) -> None:
        """Count the tokens of a request, input and output together, of the lane with this number."""
        self._pace(lane).took(start, tokens)

    def died(self, how: str) -> Exception:
        """Count the death of a worker, and return the error to raise for the samples it was asking.

        *how* it died is in it.
        """
        self._deaths += 1
        return WorkerLostError(how) if self._deaths < MOST_DEATHS else died_often(self._deaths, how)

    def _pace(self, lane: int) -> Pace:
        return next(one for one, number in self._lanes.items() if number == lane).job.chat.pace


def died_often(deaths: int, how: str) -> ConfigError:
    """Return the error to raise after so many deaths in a row; *how* says how the last worker died."""
    return ConfigError(
        f"--processes: {deaths} worker processes died one after the other, and no sample was finished in between (the "
        f"last one: {how}); if memory is short, give fewer --processes or --max-connections, and go on with --resume"
    )


class NotBegunError(Exception):
    """Raised where a worker died before it began the sample: the sample did not cause the death, and is asked anew."""


class Worker(ABC):
    """A process that asks samples for the process that writes the run."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.flying = Counter[str]()
        """Samples in flight, by model."""
        self.dispatch = dispatch
        self._opened: dict[Lane, asyncio.Task[Told | Opened]] = {}
        self.lives = False
        self._starting = asyncio.Lock()

    async def ask(self, lane: Lane, message: Ask, waiting: Waiting) -> Told:
        """Ask one sample of the run *lane*, and return the message with its result.

        Raises WorkerLostError if the worker died, GivenUpError where the run is being stopped, and MedVisionAgentError
        for an error that ends the run.
        """
        self.flying[lane.job.settings.model] += 1
        try:
            while True:
                with suppress(NotBegunError):
                    return await self._ask(lane, message, waiting)
        finally:
            self.flying[lane.job.settings.model] -= 1

    async def _ask(self, lane: Lane, message: Ask, waiting: Waiting) -> Told:
        async with self._starting:
            if not self.lives:
                await self.start()
                self.lives = True
            if self.dispatch.stopping:  # a process that has just started was not told
                raise GivenUpError
        if lane not in self._opened:
            self._opened[lane] = asyncio.create_task(self.answer(self.dispatch.opening(lane), waiting))
        await asyncio.shield(self._opened[lane])
        told = await self.answer(message, waiting)
        assert isinstance(told, Told)  # noqa: S101 - nothing else answers an Ask
        return told

    def lost(self, how: str) -> Exception:
        """Note that the worker died, so that the next sample starts another; return the error to raise for its samples.

        *how* it died is part of the message.
        """
        self._opened, self.lives = {}, False
        return self.dispatch.died(how)

    @abstractmethod
    async def start(self) -> None:
        """Start the process; raises ConfigError where it cannot be started."""

    @abstractmethod
    async def answer(self, message: Open | Ask, waiting: Waiting) -> Told | Opened:
        """Send a message, and return its answer or raise the error that the worker reports.

        Raises WorkerLostError if the worker died while it worked on the message, and NotBegunError if it died before
        that.
        """

    @abstractmethod
    def stop(self) -> None:
        """Make the worker stop waiting for further tries of requests."""

    @abstractmethod
    async def close(self) -> None:
        """End the process, and wait for its end."""


def settled(message: Message) -> Told | Opened:
    """Return a worker's answer, or raise the error that it reports.

    GivenUpError: the run is being stopped; MedVisionAgentError: an error that ends the run; RuntimeError: a defect.
    """
    if isinstance(message, GaveUp):
        raise GivenUpError
    if isinstance(message, Broke):
        kind = getattr(errors, message.kind, None)
        if isinstance(kind, type) and issubclass(kind, MedVisionAgentError):
            raise kind(message.text)
        raise RuntimeError(f"a worker failed:\n{message.text}")
    return message
