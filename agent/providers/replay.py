"""What came to a request, given to an SDK as the answer to the same request.

Contract: within ``replayed`` an HTTP client of ours sends nothing. It returns the reply that came, or raises the error
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
    """Have every request of this task answered by what *came*."""
    token = _CAME.set(came)
    try:
        yield
    finally:
        _CAME.reset(token)


def came_before() -> httpx2.Response | None:
    """Return the reply that came, or raise what was raised; None where a request is to be sent."""
    came = _CAME.get()
    if isinstance(came, Exception):
        raise came
    return came
