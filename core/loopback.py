"""Servers that only this machine can reach."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from medvision_agent.errors import ConfigError

__all__ = ["HERE", "HOST", "Announced", "listening"]

HOST = "127.0.0.1"
HERE = frozenset({HOST, "localhost", "[::1]"})
"""Host names that mean this machine."""


class Announced(uvicorn.Server):
    """A uvicorn server that calls *ready* once it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server, then call *ready*."""
        await super().startup(sockets=sockets)
        self._ready()


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens on *port* (0: any free port).

    Raises ConfigError if the port is in use, or the system does not allow it.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # on other systems this option would allow two servers on one port
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with taken:
        try:
            taken.bind((HOST, port))
            taken.listen()  # at once: two sockets that are only bound can share one port
        except OSError as error:
            raise ConfigError(
                f"--port {port}: this port cannot be used ({error.strerror}); give another port, or 0 for any free port"
            ) from None
        yield taken
