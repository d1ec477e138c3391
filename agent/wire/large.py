"""Read large replies in a thread, so that other samples go on meanwhile.

The SDKs and adapters parse and convert a body where they await it, on the event loop. When a large body arrives, the
coroutine that awaits it is therefore cancelled, and the same call is made again in a thread with its own event
loop, where the HTTP client answers with the received bodies, in order. Every client, error and conversion is the
SDK's own, and nothing is sent twice. Small bodies are read on the event loop, because a thread would cost more than it
saves.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

__all__ = ["LARGE", "LARGE_VALUES", "aside_if_large", "hand_over", "handed_over"]

LARGE = 65_536
"""Bytes from which a body is processed in a thread."""
LARGE_VALUES = 1_000
"""JSON values from which a body is processed in a thread; commas and brackets within strings count here."""
_Result = TypeVar("_Result")


@dataclass
class _Call:
    """One call of a model and the replies it received; one call may send several requests."""

    given_up: asyncio.Timeout
    came: list[httpx2.Response] = field(default_factory=list)
    large: bool = False
    """Whether the last reply is large."""


_CALL: ContextVar[_Call | None] = ContextVar("_CALL", default=None)
"""The current call; None if it would not be repeated in a thread."""


def _is_large(body: bytes) -> bool:
    """Return whether a body is so large, in bytes or JSON values, that it is processed in a thread."""
    return len(body) >= LARGE or sum(map(body.count, (b",", b"[", b"{"))) >= LARGE_VALUES


async def aside_if_large(ask: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Return the result of *ask*; if the reply is large, *ask* is called a second time, in a thread.

    Nothing is sent twice: the received replies answer the second call.
    """
    call = _Call(asyncio.timeout(None))
    token = _CALL.set(call)
    try:
        try:
            async with call.given_up:
                return await ask()
        except TimeoutError:
            if not call.large:
                raise
        return await _in_a_thread(ask)
    finally:
        _CALL.reset(token)


async def _in_a_thread(ask: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Return the result of *ask*, called in a thread; cancelling also cancels a wait of the SDK there."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def call() -> _Result:
        if (task := asyncio.current_task()) is not None:
            running.append((asyncio.get_running_loop(), task))
        return await ask()

    try:
        return await asyncio.to_thread(lambda: asyncio.run(call()))
    except asyncio.CancelledError:
        for loop, task in running:
            with suppress(RuntimeError):  # the loop is closed: the call has ended
                loop.call_soon_threadsafe(task.cancel)
        raise


async def hand_over(reply: httpx2.Response) -> None:
    """Cancel the coroutine that awaits *reply* if it is large and the call can be repeated in a thread."""
    call = _CALL.get()
    if call is None:
        return
    call.came.append(reply)
    if _is_large(reply.content):
        call.large = True
        call.given_up.reschedule(0)
        await asyncio.get_running_loop().create_future()  # until it is cancelled


def handed_over() -> httpx2.Response | None:
    """Return the received reply to this request if the call is being repeated; None if it must be sent.

    The large reply is the last one; if an SDK then sends a further request by itself, that reply answers it too.
    """
    call = _CALL.get()
    if call is None or not call.large:
        return None
    return call.came.pop(0) if len(call.came) > 1 else call.came[0]
