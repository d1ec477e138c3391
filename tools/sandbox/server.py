"""The server of the children that evaluate code: a small process that forks, ends and reaps one for each call.

``process.py`` starts it, with no environment, no site packages and ``/`` as its folder; the package itself never
imports it. It never reads what a model wrote: that comes by a pipe which the child alone reads. A request is the
limits of a call, with three files: what the child reads, what it writes, and a socket over which the call is ended.

Contract: no two calls share a child. A child keeps its number until its call has asked how it ended. When whoever
started the server is gone, it ends all children and itself.
"""

import gc
import os
import select
import signal
import socket
from contextlib import suppress

from medvision_agent.tools.sandbox.evaluator import main
from medvision_agent.tools.sandbox.messages import KILL, REQUEST, STATUS

__all__ = ["serve"]


def serve() -> None:
    """Fork a child for each request on standard input, a socket; end all children and return when it is closed."""
    gc.freeze()
    requests = socket.socket(fileno=os.dup(0))
    children: dict[socket.socket, int] = {}
    while True:
        ready: list[socket.socket] = select.select([requests, *children], [], [])[0]
        for one in ready:
            if one is not requests:
                _told(one, children)
            elif not _started(requests, children):
                for child in children.values():
                    _killed(child)
                return


def _started(requests: socket.socket, children: dict[socket.socket, int]) -> bool:
    """Fork the child of the next request, and add it to *children*; return False where the socket was closed."""
    request, files, _, _ = socket.recv_fds(requests, REQUEST.size, 3)
    if not request:
        return False
    source, reply, control = files
    try:
        child = os.fork()
    except OSError:  # the call sees its files closed, and nobody who tells it why
        for file in files:
            os.close(file)
        return True
    if child == 0:
        _answer(source, reply, request)
    with suppress(OSError):  # it may have done so itself, and have ended
        os.setpgid(child, child)
    os.close(source)
    os.close(reply)
    children[socket.socket(fileno=control)] = child
    return True


def _answer(source: int, reply: int, request: bytes) -> None:
    """Run as the forked child: keep only its two files, evaluate the code, and exit; never returns."""
    try:
        os.setpgid(0, 0)
        os.dup2(source, 0)
        os.dup2(reply, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        main(*REQUEST.unpack(request))
    finally:
        os._exit(1)  # never back into the server


def _told(control: socket.socket, children: dict[socket.socket, int]) -> None:
    """Carry out the order that came on *control*, and end its child; a call that has gone orders the same.

    The order ``WAIT`` also sends the exit status, and removes the child from *children*.
    """
    word = control.recv(1)
    _killed(children[control])
    if word == KILL:
        return
    _, status = os.waitpid(children.pop(control), 0)
    with suppress(OSError), control:
        control.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _killed(child: int) -> None:
    """Kill a child and all processes of its group."""
    for kill in (os.killpg, os.kill):  # the group may not be made yet
        with suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)
