"""Large replies, read in a thread, so that other samples go on meanwhile.

The SDKs and adapters parse and convert a body where they await it, on the event loop. Once a large body is there, the
coroutine that awaits it is therefore given up, and the same call is made again in a thread with an event loop of its
own, where the HTTP client answers with the bodies that came, in their order. Every client, error and conversion is the
SDK's own, and nothing is sent twice. Small bodies are read where they come, because a thread would cost more than it
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
"""Bytes from which a body is worked on in a thread."""
LARGE_VALUES = 1_000
"""JSON values from which it is, too; commas and brackets within strings count here."""
_Result = TypeVar("_Result")


@dataclass
class _Call:
    """One call of a model, and the replies that came to it; a class may send more than one request."""

    given_up: asyncio.Timeout
    came: list[httpx2.Response] = field(default_factory=list)
    large: bool = False
    """The last of them is large."""


_CALL: ContextVar[_Call | None] = ContextVar("_CALL", default=None)
"""None where nobody would make the call again."""


def _is_large(body: bytes) -> bool:
    """Tell whether a body is worked on in a thread."""
    return len(body) >= LARGE or sum(map(body.count, (b",", b"[", b"{"))) >= LARGE_VALUES


async def aside_if_large(ask: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Return what *ask* returns; where the reply is large, *ask* is called again in a thread."""
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
    """Return what *ask* returns in a thread; when this is cancelled, an SDK that waits there waits no longer."""
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
    """Give up the coroutine that awaits *reply* if that is large and the call can be made again in a thread."""
    call = _CALL.get()
    if call is None:
        return
    call.came.append(reply)
    if _is_large(reply.content):
        call.large = True
        call.given_up.reschedule(0)
        await asyncio.get_running_loop().create_future()  # until it is cancelled


def handed_over() -> httpx2.Response | None:
    """Return the reply that came to this request, where the call is made again; None where it is to be sent.

    The large one is the last; where an SDK tries again by itself, it is also the answer to that.
    """
    call = _CALL.get()
    if call is None or not call.large:
        return None
    return call.came.pop(0) if len(call.came) > 1 else call.came[0]
