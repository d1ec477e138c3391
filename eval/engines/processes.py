"""An engine of several processes of this machine: each asks some of the samples that are in flight.

Contract: what a worker says is heard in the order in which it says it; a sample goes to the worker with the fewest in
flight. The limits per minute of a model are kept here, for all workers together. Where a worker dies, its samples are
told so, and another takes its place. All end with the context, and with this process, however it ends.
"""

import asyncio
import itertools
import json
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from medvision_agent import errors
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.errors import ConfigError, MedVisionAgentError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.asking.one import beside
from medvision_agent.eval.asking.pool import Lane
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.engines.messages import (
    Ask,
    Broke,
    GaveUp,
    Heard,
    Open,
    Opened,
    Paced,
    Ready,
    Stop,
    Told,
    Took,
    Wants,
    packed,
    received,
)
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import Traced

__all__ = ["MOST_DEATHS", "Processes", "processes"]

_MODULE = "medvision_agent.eval.engines.worker"
_PATIENCE = 2.0
"""Seconds in which a worker ends that is told so; then it is killed."""
MOST_DEATHS = 10
"""Deaths of workers in a row, without a sample that ended in between, after which the run stops."""


@asynccontextmanager
async def processes(number: int, stop: asyncio.Event) -> AsyncIterator["Processes"]:
    """Start *number* workers, and end them with the context; they give up waiting when *stop* is set."""
    engine = Processes(number)
    stopping = asyncio.create_task(engine.stop_when(stop))
    try:
        yield engine
    finally:
        stopping.cancel()
        await engine.close()


class Processes:
    """The workers, each started when it is first needed."""

    def __init__(self, number: int) -> None:
        self._lanes: dict[Lane, int] = {}
        self._numbers, self._starts = itertools.count(), dict[int, Start]()
        self._workers = [_Worker(self) for _ in range(number)]
        self._deaths = 0

    async def ask(self, lane: Lane, sample: Sample, attempt: int, waiting: Waiting) -> tuple[Record, Traced]:
        """Have a worker ask one sample (``Engine.ask``)."""
        own = await beside(lane.job, sample)
        number = self._lanes.setdefault(lane, len(self._lanes))
        worker = min(self._workers, key=lambda one: one.flying)
        message = Ask(
            next(self._numbers),
            number,
            sample,
            attempt,
            lane.job.pictures.donors.get(sample.id),
            own.results,
            own.pixels,
            lane.job.thinking_budget,
        )
        told = await worker.ask(lane, message, waiting)
        self._deaths = 0
        record = Record.model_validate({**json.loads(told.record), "sample": sample})
        return record, told

    async def stop_when(self, stop: asyncio.Event) -> None:
        """Wait for *stop*, and have no worker wait for a further try of a request."""
        await stop.wait()
        for worker in self._workers:
            worker.say(Stop())

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*(worker.close() for worker in self._workers))

    def opening(self, lane: Lane, number: int) -> Open:
        """Return what a worker must know of a lane, whose number this is."""
        job, store = lane.job, lane.store
        return Open(
            next(self._numbers),
            number,
            job.settings.model_dump_json(),
            job.identity.model_dump(mode="json"),
            job.pictures.kind,
            store.folder,
            store.shared,
        )

    async def turn(self, lane: int, waiting: Waiting) -> int:
        """Wait until a request of a lane may start, and return the number of the start; raises GivenUpError."""
        start = await self._pace(lane).wait(waiting.sleep)
        self._starts[number := next(self._numbers)] = start
        return number

    def took(self, message: Took) -> None:
        """Count the tokens of a request."""
        self._pace(message.lane).took(self._starts.pop(message.start), message.tokens)

    def died(self, how: str) -> Exception:
        """Count the death of a worker, and return what it is to the samples it was asking."""
        self._deaths += 1
        if self._deaths < MOST_DEATHS:
            return WorkerLostError(how)
        return ConfigError(
            f"--processes: {self._deaths} worker processes died one after the other, without a sample that ended "
            f"(the last one {how}); where memory is short, give fewer --processes or --max-connections"
        )

    def _pace(self, lane: int) -> Pace:
        return next(one for one, number in self._lanes.items() if number == lane).job.chat.pace


class _Worker:
    """One process, and what it was asked and has not answered yet."""

    def __init__(self, engine: Processes) -> None:
        self.flying = 0
        """Samples in flight."""
        self._engine = engine
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._pacing = set[asyncio.Task[None]]()
        self._asked: dict[int, tuple[asyncio.Future[object], Waiting]] = {}
        self._opened: dict[Lane, asyncio.Task[object]] = {}
        self._starting = asyncio.Lock()

    async def ask(self, lane: Lane, message: Ask, waiting: Waiting) -> Told:
        """Ask one sample; raises what an engine's ``ask`` does."""
        self.flying += 1
        try:
            async with self._starting:
                if self._process is None:
                    await self._start()
            if lane not in self._opened:
                opening = self._engine.opening(lane, message.lane)
                self._opened[lane] = asyncio.create_task(self._answer(opening.number, opening, waiting))
            await asyncio.shield(self._opened[lane])
            told = await self._answer(message.number, message, waiting)
            assert isinstance(told, Told)  # noqa: S101 - nothing else answers an Ask
            return told
        finally:
            self.flying -= 1

    def say(self, message: object) -> None:
        """Send a message, if there is anybody to hear it."""
        if self._writer is not None:
            self._writer.write(packed(message))

    async def close(self) -> None:
        """End the process and wait for its end."""
        for task in (self._listening, *self._pacing, *self._opened.values()):
            if task is not None:
                task.cancel()
        if self._writer is not None:
            self._writer.close()  # which it takes for the end
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._process.wait()
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            handle = theirs.fileno()
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _MODULE, str(handle)), stdin=DEVNULL, stdout=2, pass_fds=[handle]
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        if not isinstance(await received(reader), Ready):
            self._process = self._writer = None
            raise ConfigError(
                f"--processes: a worker process {_ended(await process.wait())} before it could be asked; the lines "
                "above say why. Leave --processes out to ask in one process"
            )
        self._listening = asyncio.create_task(self._listen(reader, process))

    async def _answer(self, number: int, message: object, waiting: Waiting) -> object:
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = answer, waiting
        try:
            self.say(message)
            return await answer
        finally:
            del self._asked[number]

    async def _listen(self, reader: asyncio.StreamReader, process: Process) -> None:
        problem: Exception
        try:
            while (message := await received(reader)) is not None:
                self._hear(message)
            problem = self._engine.died(_ended(await process.wait()))
        except Exception as error:  # noqa: BLE001 - raised by all that wait for an answer
            problem = error
        self._process = self._writer = None
        self._opened = {}
        for answer, _ in self._asked.values():
            if not answer.done():
                answer.set_exception(problem)

    def _hear(self, message: object) -> None:
        if isinstance(message, Wants):
            task = asyncio.create_task(self._pace(message))
            self._pacing.add(task)
            task.add_done_callback(self._pacing.discard)
        elif isinstance(message, Took):
            self._engine.took(message)
        elif isinstance(message, Heard | Told | Opened | GaveUp | Broke) and message.number in self._asked:
            answer, waiting = self._asked[message.number]
            if isinstance(message, Heard):
                waiting.on_fault(message.fault, message.tries)
            elif isinstance(message, GaveUp):
                answer.set_exception(GivenUpError())
            elif isinstance(message, Broke):
                answer.set_exception(_raised(message))
            else:
                answer.set_result(message)

    async def _pace(self, message: Wants) -> None:
        waiting = next((waiting for _, waiting in self._asked.values()), Waiting())
        try:
            start = await self._engine.turn(message.lane, waiting)
        except GivenUpError:
            start = None
        self.say(Paced(message.number, start))


def _raised(message: Broke) -> Exception:
    """Return the error that a worker raised."""
    kind = getattr(errors, message.kind, None)
    if isinstance(kind, type) and issubclass(kind, MedVisionAgentError):
        return kind(message.text)
    return RuntimeError(f"a worker process failed:\n{message.text}")


def _ended(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
