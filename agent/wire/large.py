"""Large replies, read in a thread, so that other samples go on meanwhile.

The SDKs and adapters parse and convert a body where they await it, on the event loop. Once a large body is there, the
coroutine that awaits it is therefore given up, and the same call is made again in a thread with an event loop of its
own, where the HTTP client answers with the body that came. Every client, error and conversion is the SDK's own, and
nothing is sent twice. Small bodies are read where they come, because a thread would cost more than it saves.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2

__all__ = ["LARGE", "LARGE_VALUES", "aside_if_large", "hand_over", "handed_over", "is_large"]

LARGE = 65_536
"""Bytes from which a body is worked on in a thread."""
LARGE_VALUES = 1_000
"""JSON values from which it is, too; commas and brackets within strings count here."""
_Result = TypeVar("_Result")


@dataclass
class _Call:
    """One call of a model, and the large reply that came to it."""

    given_up: asyncio.Timeout
    reply: httpx2.Response | None = None


_CALL: ContextVar[_Call | None] = ContextVar("_CALL", default=None)
"""None where nobody would make the call again."""


def is_large(body: bytes) -> bool:
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
            if call.reply is None:
                raise
        return await asyncio.to_thread(lambda: asyncio.run(ask()))
    finally:
        _CALL.reset(token)


async def hand_over(reply: httpx2.Response) -> None:
    """Give up the coroutine that awaits *reply* if that is large and the call can be made again in a thread."""
    call = _CALL.get()
    if call is not None and is_large(reply.content):
        call.reply = reply
        call.given_up.reschedule(0)
        await asyncio.get_running_loop().create_future()  # until it is cancelled


def handed_over() -> httpx2.Response | None:
    """Return the large reply for which the call is made again; None where the request is to be sent."""
    call = _CALL.get()
    return call.reply if call is not None else None
