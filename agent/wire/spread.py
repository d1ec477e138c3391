"""Many connections as several pools of few: a pool looks at each of its connections for each request.

With 256 connections in one pool, that is most of the time a request takes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.request import getproxies

import httpx2

__all__ = ["POOL", "Spread", "spread"]

POOL = 4
"""Connections of one pool, at most."""


def spread(connections: int) -> httpx2.AsyncBaseTransport | None:
    """Return a transport of so many connections; None, the client's own, where few are asked for or a proxy is set."""
    return Spread(connections) if connections > POOL and not getproxies() else None


@dataclass(eq=False)
class _Pool:
    transport: httpx2.AsyncHTTPTransport
    free: int


class Spread(httpx2.AsyncBaseTransport):
    """A transport that sends each request by the pool with most free connections, and keeps to their sum."""

    def __init__(self, connections: int) -> None:
        context = httpx2.create_ssl_context()
        count = -(-connections // POOL)
        sizes = [connections // count + (number < connections % count) for number in range(count)]
        self._pools = [
            _Pool(
                httpx2.AsyncHTTPTransport(
                    verify=context, limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size)
                ),
                size,
            )
            for size in sizes
        ]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; its connection counts as taken until the reply is closed."""
        pool = max(self._pools, key=lambda one: one.free)
        pool.free -= 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            pool.free += 1
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - for the type checker
        response.stream = _Taken(response.stream, pool)
        return response

    async def aclose(self) -> None:
        """Close all pools."""
        for pool in self._pools:
            await pool.transport.aclose()


class _Taken(httpx2.AsyncByteStream):
    """The body of a reply, which gives its connection back once it is closed."""

    def __init__(self, stream: httpx2.AsyncByteStream, pool: _Pool) -> None:
        self._stream = stream
        self._pool: _Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._pool is not None:
            self._pool.free += 1
            self._pool = None
        await self._stream.aclose()
