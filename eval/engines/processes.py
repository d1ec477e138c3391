"""Workers that are processes of this machine, each at the other end of a socket (``worker.py``).

Contract: the messages of a worker are processed in the order in which it sent them. All workers end with this process,
however it ends.
"""

import asyncio
import itertools
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from medvision_agent.agent.session import Waiting
from medvision_agent.agent.wire.rate_limit import Start
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.engines.dispatch import Dispatch, NotBegunError, Worker, settled
from medvision_agent.eval.engines.messages import (
    Ask,
    Began,
    Heard,
    Message,
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

__all__ = ["ProcessWorker"]

_START = """\
import sys
sys.path[:] = sys.argv[2:]
from medvision_agent.eval.engines.worker import start
start(int(sys.argv[1]))
"""
"""Lets a worker find what this process finds: packages, models and tools beside a script or a notebook."""
_PATIENCE = 2.0
"""Seconds that a worker has to end by itself before it is killed."""


class ProcessWorker(Worker):
    """A worker that is a process of this machine, with the messages that it has not answered yet."""

    def __init__(self, dispatch: Dispatch) -> None:
        super().__init__(dispatch)
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks = set[asyncio.Task[None]]()
        self._asked: dict[int, tuple[asyncio.Future[Message], Waiting]] = {}
        self._begun = set[int]()
        """The unanswered messages that the process has begun to work on."""
        self._numbers, self._starts = itertools.count(), dict[int, Start]()
        """Requests of the process that are not over, where limits per minute are kept."""

    async def start(self) -> None:
        """Start the process; raises ConfigError where it ends while it starts."""
        ours, theirs = socket.socketpair()
        with theirs:
            handle = theirs.fileno()
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _START, str(handle), *sys.path), stdin=DEVNULL, stdout=2, pass_fds=[handle]
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        if not isinstance(await received(reader), Ready):
            raise self._not_started(await process.wait())
        self._go(self._listen(reader, process))

    async def answer(self, message: Open | Ask, waiting: Waiting) -> Told | Opened:
        """Send a message, and return its answer or raise the error that the worker reports.

        Raises WorkerLostError if the worker died while it worked on the message, and NotBegunError if it died before
        that.
        """
        if not self.lives:
            raise NotBegunError
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[message.number] = answer, waiting
        try:
            self._say(message)
            return settled(await answer)
        finally:
            del self._asked[message.number]
            self._begun.discard(message.number)

    def stop(self) -> None:
        """Make the worker stop waiting for further tries of requests."""
        self._say(Stop())

    async def close(self) -> None:
        """End the process by closing its socket."""
        for task in self._tasks:
            task.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._process.wait()
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _not_started(self, status: int) -> Exception:
        """Return the error to raise for a process that ended with this exit status before it could be asked.

        A process that was killed counts as any other death of a worker.
        """
        self._forget()
        if status < 0:
            return _innocent(self.lost(_ended(status)))
        return ConfigError(
            f"--processes: a worker process {_ended(status)} while it started; its own error is printed above. "
            "Remove the cause, or give --processes 1 to ask in one process"
        )

    def _forget(self) -> None:
        """Clean up after a process that died."""
        self._starts.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _say(self, message: object) -> None:
        if self._writer is not None:
            self._writer.write(packed(message))

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, reader: asyncio.StreamReader, process: Process) -> None:
        try:
            while (message := await received(reader)) is not None:
                self._hear(message)
            problem = self.lost(_ended(await process.wait()))
            self._forget()
        except Exception as error:  # noqa: BLE001 - raised where answers are waited for
            problem = error
        innocent = _innocent(problem)
        for number, (answer, _) in self._asked.items():
            if not answer.done():
                answer.set_exception(problem if number in self._begun else innocent)

    def _hear(self, message: object) -> None:
        if isinstance(message, Wants):
            self._go(self._pace(message))
        elif isinstance(message, Took):
            start = self._starts.pop(message.start)
            if message.tokens is not None:
                self.dispatch.took(message.lane, start, message.tokens)
        elif isinstance(message, Began):
            self._begun.add(message.number)
        elif isinstance(message, Heard) and message.number in self._asked:
            self._asked[message.number][1].on_fault(message.fault, message.tries)
        elif isinstance(message, Message) and message.number in self._asked:
            self._asked[message.number][0].set_result(message)

    async def _pace(self, message: Wants) -> None:
        waiting = next((waiting for _, waiting in self._asked.values()), Waiting())
        writer, number = self._writer, next(self._numbers)
        start = await self.dispatch.turn(message.lane, waiting)
        if self._writer is not writer:
            return  # the process that wanted it died meanwhile
        if start is not None:
            self._starts[number] = start
        self._say(Paced(message.number, None if start is None else number))


def _innocent(problem: Exception) -> Exception:
    """Return the error to raise for a sample that a dead worker had not begun.

    *problem* is the error for the others.
    """
    return NotBegunError() if isinstance(problem, WorkerLostError) else problem


def _ended(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
