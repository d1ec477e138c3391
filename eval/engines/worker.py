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
from functools import partial

from medvision_agent.agent.models import ModelConfig
from medvision_agent.agent.session import GivenUpError
from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.eval.asking.runner import Watch, waiting_until
from medvision_agent.eval.engines.bench import Bench, FarPace, spoken
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
    """A worker process: it answers the messages that arrive at its socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stop = asyncio.Event()
        self._numbers = itertools.count()
        self._paced: dict[int, asyncio.Future[int | None]] = {}
        self._tasks = set[asyncio.Task[None]]()
        self._bench = Bench(self._pace)

    async def work(self) -> None:
        """Handle messages until the other process closes the socket, then end this process."""
        self.say(Ready())
        while (message := await received(self._reader)) is not None:
            self._hear(message)
        os._exit(0)  # no process is left to receive the samples in flight

    def say(self, message: object) -> None:
        """Send a message to the process that writes the run."""
        self._writer.write(packed(message))

    def _pace(self, lane: int, model: str, config: ModelConfig) -> Pace:  # noqa: ARG002 - the other end knows them
        return FarPace(partial(self._turn, lane), lambda number, tokens: self.say(Took(number, lane, tokens)))

    async def _turn(self, lane: int) -> int:
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

        waiting = waiting_until(self._stop, Watch(on_fault=on_fault))
        work = self._bench.open(message) if isinstance(message, Open) else self._bench.ask(message, waiting)
        self.say(await spoken(message.number, work))
        await self._writer.drain()


def start(handle: int) -> None:
    """Run as a worker on the socket with this file descriptor, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal's processes
    logging.getLogger().addHandler(logging.NullHandler())  # notices were shown once by the other process
    asyncio.run(_work(handle))


async def _work(handle: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=handle))
    await _Worker(reader, writer).work()
