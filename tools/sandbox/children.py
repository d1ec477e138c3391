"""Child processes that evaluate code, one for each call, and the server of this process that forks them.

A process has one server, which it starts with its first call, and again where it has ended. A process that is forked
from it starts its own.
"""

import atexit
import errno
import os
import select
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from medvision_agent.tools.sandbox.messages import KILL, STATUS, WAIT

__all__ = ["CHILDREN", "Child", "Children"]

_REPLY = 64 * 1024
_SERVER = """\
import sys, types
for name in ("medvision_agent", "medvision_agent.tools", "medvision_agent.tools.sandbox"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = sys.argv[1:2] if name.endswith("sandbox") else []
from medvision_agent.tools.sandbox.server import serve
serve()
"""
"""Lets the server import its own few modules by their names, without the package and without any other."""


class Child:
    """The handle of a child process that evaluates one code: its input, its output, and the socket that ends it."""

    def __init__(self, source: int, reply: int, control: socket.socket) -> None:
        self._source, self._control = source, control
        self._reply = open(reply, "rb", buffering=0)  # noqa: SIM115 - of a handle; closed when the child has ended

    def exchange(self, text: bytes) -> bytes:
        """Send *text*, the code as JSON, and return the reply (at most 64 KiB); empty if child or server has ended."""
        try:
            with open(self._source, "wb") as source:  # noqa: PTH123 - of a handle
                source.write(text)
        except BrokenPipeError:
            return b""
        reply, waiting = b"", select.poll()
        for end in (self._reply.fileno(), self._control.fileno()):
            waiting.register(end, select.POLLIN)
        while len(reply) < _REPLY:
            if self._reply.fileno() not in dict(waiting.poll()):  # nobody is left who could end the child
                return b""
            if not (part := self._reply.read(_REPLY - len(reply))):
                break
            reply += part
        return reply

    def kill(self) -> None:
        """Order the server to end the child; returns at once."""
        self._control.send(KILL)

    def end(self) -> int:
        """End the child if it still runs, and return its exit code (minus the signal that ended it).

        Raises OSError where that is unknown.
        """
        # The reply stays open until then: how a child ends that writes on must not hang on which comes first.
        with self._reply, self._control:
            self._control.send(WAIT)
            status = self._control.recv(STATUS.size)
        if not status:
            raise ConnectionResetError(errno.ECONNRESET, "it was ended before it answered")
        return int(STATUS.unpack(status)[0])


class Children:
    """The server process that forks children; it is started at the first call, and again after it has ended."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._server: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def start(self, request: bytes) -> Child:
        """Return a new child with the limits of *request*, packed as ``REQUEST``; raises OSError where this fails."""
        with ExitStack() as theirs, ExitStack() as ours:
            reads, source = os.pipe()
            theirs.callback(os.close, reads)
            ours.callback(os.close, source)
            reply, writes = os.pipe()
            theirs.callback(os.close, writes)
            ours.callback(os.close, reply)
            control, control_there = socket.socketpair()
            theirs.enter_context(control_there)
            ours.enter_context(control)
            files = [reads, writes, control_there.fileno()]
            with self._lock:
                try:
                    self._sent(request, files)
                except OSError:  # it has ended
                    self.close()
                    self._sent(request, files)
            ours.pop_all()
        return Child(source, reply, control)

    def _sent(self, request: bytes, files: list[int]) -> None:
        """Send a request and its three files to the server, which is started where there is none; raises OSError."""
        if self._server is None:
            self._server = _started()
        socket.send_fds(self._server[1], [request], files)

    def close(self) -> None:
        """End the server and its children; the next call starts another."""
        if self._server is not None:
            (server, requests), self._server = self._server, None
            requests.close()
            server.wait()

    def forget(self) -> None:
        """Drop the server in a forked process: it belongs to the parent process, which alone may end it."""
        self._lock = Lock()
        if self._server is not None:
            (server, requests), self._server = self._server, None
            requests.close()
            server.returncode = 0  # it is not this process's to wait for


def _started() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a server process; return it with the socket that takes its requests."""
    requests, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", "-B", "-c", _SERVER, str(Path(__file__).parent)]
    none = subprocess.DEVNULL
    with theirs:
        server = subprocess.Popen(  # noqa: S603 (our own interpreter with our own file)
            command, stdin=theirs.fileno(), stdout=none, stderr=none, cwd="/", env={}, start_new_session=True
        )
    return server, requests


CHILDREN = Children()
atexit.register(CHILDREN.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CHILDREN.forget)
