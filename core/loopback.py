"""Servers for this machine alone."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from medvision_agent.errors import ConfigError

__all__ = ["HERE", "HOST", "Announced", "listening"]

HOST = "127.0.0.1"
HERE = frozenset({HOST, "localhost", "[::1]"})
"""The names by which a request means this machine."""


class Announced(uvicorn.Server):
    """A server that says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        self._ready()


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Hold a port of this machine while the context lasts; 0 is a free one. Raises ConfigError where it is taken."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let two servers have one port
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with taken:
        try:
            taken.bind((HOST, port))
            taken.listen()  # at once: two that are bound and do not listen can have one port
        except OSError as error:
            raise ConfigError(f"--port {port}: {error.strerror}; give another one, or 0 for a free one") from None
        yield taken
