"""Queue of requests for a local model: requests are collected into batches, generated one at a time in a thread.

A request that nobody waits for any more (a timeout, Ctrl-C) is removed from the queue, or stopped while it is being
generated: a thread cannot be cancelled, so it ends after the current token.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from medvision_agent.agent.providers.local.engine import Generated, Request
from medvision_agent.agent.wire.failures import KnownFault

__all__ = ["Batches"]

LINGER = 0.05
"""Seconds that an incomplete batch waits for samples whose tools are still running."""

_Waiting = tuple[Request, "asyncio.Future[Generated]"]


class Batches:
    """A queue of requests of one event loop; *run* answers them in their order, at most *size* at a time."""

    def __init__(self, run: Callable[[Sequence[Request]], list[Generated | KnownFault]], size: int) -> None:
        self._run = run
        self._size = size
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-model")
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, request: Request) -> Generated:
        """Return the reply to *request*; raises KnownFault where it fails."""
        reply: asyncio.Future[Generated] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, reply))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return await reply
        except asyncio.CancelledError:
            request.stop.set()
            raise

    def ask_now(self, request: Request) -> Generated:
        """Return the reply to *request*, blocking the caller's thread; raises KnownFault where it fails."""
        return _reply_of(self._thread.submit(self._run, [request]).result()[0])

    async def close(self) -> None:
        """Stop the running generation and wait for its end; no further request can be asked."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _work(self) -> None:
        """Answer batches until no request waits."""
        while self._waiting:
            if len(self._waiting) < self._size:
                await asyncio.sleep(LINGER)
            if batch := self._take():
                await self._answer(batch)

    def _take(self) -> list[_Waiting]:
        """Return the next batch: the first waiting requests that declare the same tools."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < self._size:
            request, reply = self._waiting[0]
            if not reply.done() and batch and request.tools != batch[0][0].tools:
                break
            self._waiting.popleft()
            if not reply.done():
                batch.append((request, reply))
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        requests = [request for request, _ in batch]
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._thread, self._run, requests)
        except BaseException as error:
            for request, reply in batch:
                request.stop.set()
                if not reply.done():
                    reply.set_exception(error) if isinstance(error, Exception) else reply.cancel()
            raise
        for (_, reply), result in zip(batch, results, strict=True):
            if reply.done():
                continue
            if isinstance(result, KnownFault):
                reply.set_exception(result)
            else:
                reply.set_result(result)


def _reply_of(result: Generated | KnownFault) -> Generated:
    if isinstance(result, KnownFault):
        raise result
    return result
