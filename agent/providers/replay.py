"""Give a reply that was already received to an SDK as the answer to the same request.

Contract: within ``replayed`` this package's HTTP clients send nothing. They return the stored reply, or raise the error
that was raised.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx2

__all__ = ["Came", "came_before", "replayed"]

Came = httpx2.Response | Exception
_CAME: ContextVar[Came | None] = ContextVar("_CAME", default=None)


@contextmanager
def replayed(came: Came) -> Iterator[None]:
    """Within the block, answer every request of this task with *came*, a reply or an exception to raise."""
    token = _CAME.set(came)
    try:
        yield
    finally:
        _CAME.reset(token)


def came_before() -> httpx2.Response | None:
    """Return the stored reply, or raise the stored exception; None if the request must be sent."""
    came = _CAME.get()
    if isinstance(came, Exception):
        raise came
    return came
