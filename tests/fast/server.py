"""A process that has imported the command line already, and forks a child for each command: see ``commands.py``.

    python server.py SOCKET [MODULE ...]

A client connects, sends its arguments, folder, environment and the folders of its PYTHONPATH that the server does not
have, as JSON with its three standard streams, and gets the child's process id, then its exit status. A client that goes
away takes its child with it.
"""

import contextlib
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import traceback

PRELOADED = (
    "medvision_agent.api.asking",
    "medvision_agent.api.comparing",
    "medvision_agent.api.scoring",
    "medvision_agent.api.studying",
    "medvision_agent.api.writing",
    "medvision_agent.cli.printed.summary",
    "medvision_agent.agent.providers.gemini.chat",
    "medvision_agent.agent.providers.openai",
    "medvision_agent.cli.main",
    "medvision_agent.cli.report",
    "medvision_agent.cli.run",
    "anyio._backends._asyncio",
    "httpcore2",
    "matplotlib.figure",
    "openai.resources.chat",
)


def serve(path: str, *more: str) -> None:
    for name in (*PRELOADED, *more):
        importlib.import_module(name)
    importlib.import_module(
        "medvision_agent.tools.registry.registry"
    ).installed.cache_clear()  # packages: a child's own
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are nobody's business
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{path}.new")
        listening.listen(64)
        os.rename(f"{path}.new", path)  # noqa: PTH104 - a client finds a socket that answers
        while os.getppid() != 1:
            if not select.select([listening], [], [], 1)[0]:
                continue
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                supervise(connection)
            connection.close()


def supervise(connection: socket.socket) -> None:
    """Fork the child, tell its process id and its status, and kill it when the client is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sent, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not sent.endswith(b"\n"):
        sent += connection.recv(1 << 20)
    asked = json.loads(sent)
    child = os.fork()
    if child == 0:
        connection.close()
        command(asked, streams)
    for stream in streams:
        os.close(stream)
    handle = os.pidfd_open(child)
    connection.sendall(f"{child}\n".encode())
    ready, _, _ = select.select([handle, connection], [], [])
    if handle not in ready:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def command(asked: dict, streams: list[int]) -> None:
    """Be the command: its own session, streams, folder, arguments and environment."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(number, mode, closefd=False), encoding="utf-8", write_through=number == 2)
        for number, mode in enumerate(("rb", "wb", "wb"))
    )
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.path[:0] = asked["more_path"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code: object = 0
    try:
        run(asked["arguments"])
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def run(arguments: list[str]) -> None:
    """Run the command line, or what follows ``-c`` as Python does."""
    if arguments[:1] == ["-c"]:
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a test's own code
    else:
        sys.argv = ["medvision-agent", *arguments]
        importlib.import_module("medvision_agent.cli.main").main()


if __name__ == "__main__":
    serve(*sys.argv[1:])
