"""Many connections as pools of one connection, because a pool checks each of its connections for each request.

With 256 connections in one pool, this check takes most of a request's time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from urllib.request import getproxies

import httpx2

__all__ = ["FEW", "Spread", "spread"]

FEW = 4
"""Maximum number of connections that one pool serves well."""


def spread(connections: int) -> httpx2.AsyncBaseTransport | None:
    """Return a transport of *connections*; None, for the client's default, with at most ``FEW`` or with a proxy."""
    return Spread(connections) if connections > FEW and not getproxies() else None


class Spread(httpx2.AsyncBaseTransport):
    """A transport of many connections, which sends each request by the most recently used free one."""

    def __init__(self, connections: int) -> None:
        self._free = asyncio.Semaphore(connections)
        self._context = httpx2.create_ssl_context()
        self._limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1)
        self._all, self._idle = list[httpx2.AsyncHTTPTransport](), list[httpx2.AsyncHTTPTransport]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the response; its connection is in use until the response is closed."""
        await self._free.acquire()
        transport = self._idle.pop() if self._idle else self._another()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            self._give_back(transport)
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - for the type checker
        response.stream = _Taken(response.stream, partial(self._give_back, transport))
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._all:
            await transport.aclose()

    def _another(self) -> httpx2.AsyncHTTPTransport:
        transport = httpx2.AsyncHTTPTransport(verify=self._context, limits=self._limits)
        self._all.append(transport)
        return transport

    def _give_back(self, transport: httpx2.AsyncHTTPTransport) -> None:
        self._idle.append(transport)
        self._free.release()


class _Taken(httpx2.AsyncByteStream):
    """The body of a reply; closing it frees its connection."""

    def __init__(self, stream: httpx2.AsyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back: Callable[[], None] | None = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        """Close the body, then free its connection."""
        try:
            await self._stream.aclose()
        finally:
            if self._give_back is not None:
                self._give_back()
                self._give_back = None
