"""Commands in a terminal of a stated width: a pty, as a person has it."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

from commands import COMMAND

__all__ = ["in_terminal"]

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_terminal(*words: object, columns: int, cwd: Path) -> tuple[int, list[str]]:
    """Return the exit code and the lines that a command prints in a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    process = subprocess.Popen(
        [COMMAND, *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env=environ | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while chunk := os.read(ours, 65536):
            written += chunk
    os.close(ours)
    text = _ESCAPES.sub("", written.decode())
    return process.wait(), [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n")]
