"""A worker process, as ``processes.py`` starts it.

Contract: it ends as soon as the process that started it does, however that ends. It leaves interruptions to that
process, and prints nothing on standard output.
"""

import asyncio
import itertools
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.rate_limit import Pace, Start
from medvision_agent.eval.engines.bench import Bench, spoken
from medvision_agent.eval.engines.messages import (
    Ask,
    Began,
    Fault,
    Heard,
    Open,
    Paced,
    Ready,
    Stop,
    Took,
    Wants,
    packed,
    received,
)

__all__ = ["start"]


class _Worker:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stop = asyncio.Event()
        self._numbers = itertools.count()
        self._paced: dict[int, asyncio.Future[int | None]] = {}
        self._tasks = set[asyncio.Task[None]]()
        self._bench = Bench(lambda lane, model, config: _FarPace(self, lane))  # noqa: ARG005 - the other end knows

    async def work(self) -> None:
        """Do what is asked until the other end is gone."""
        self.say(Ready())
        async with self._bench:
            while (message := await received(self._reader)) is not None:
                self._hear(message)
            os._exit(0)  # nobody is left to hear of what is in flight

    def say(self, message: object) -> None:
        """Send a message."""
        self._writer.write(packed(message))

    async def turn(self, lane: int) -> int:
        """Wait until a request of a lane may start; raises GivenUpError where the run is being stopped."""
        number = next(self._numbers)
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._paced[number] = answer
        self.say(Wants(number, lane))
        start = await answer
        if start is None:
            raise GivenUpError
        return start

    def _hear(self, message: object) -> None:
        if isinstance(message, Open | Ask):
            task = asyncio.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif isinstance(message, Paced):
            self._paced.pop(message.number).set_result(message.start)
        elif isinstance(message, Stop):
            self._stop.set()

    async def _answer(self, message: Open | Ask) -> None:
        self.say(Began(message.number))

        def on_fault(fault: Fault, tries: int) -> None:
            self.say(Heard(message.number, fault, tries))

        waiting = Waiting(sleep=self._sleep, on_fault=on_fault)
        work = self._bench.open(message) if isinstance(message, Open) else self._bench.ask(message, waiting)
        self.say(await spoken(message.number, work))
        await self._writer.drain()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
        raise GivenUpError


class _FarPace(Pace):
    """Limits per minute that the other end keeps for all workers."""

    def __init__(self, worker: _Worker, lane: int) -> None:
        super().__init__()
        self._worker, self._lane = worker, lane

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> Start:  # noqa: ARG002 - the other end waits
        return _FarStart(0.0, 0.0, await self._worker.turn(self._lane))

    def took(self, start: Start, tokens: int) -> None:
        if isinstance(start, _FarStart):
            self._worker.say(Took(start.number, self._lane, tokens))


@dataclass(eq=False)
class _FarStart(Start):
    number: int


def start(handle: int) -> None:
    """Be a worker at the other end of a socket, until that end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes
    logging.getLogger().addHandler(logging.NullHandler())  # notices were told once
    asyncio.run(_work(handle))


async def _work(handle: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=handle))
    await _Worker(reader, writer).work()
