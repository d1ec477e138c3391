"""Runs code of a model in a child process that is started for it alone, and always ends it.

The parent neither parses nor evaluates the text: it hands it over and reads a bounded reply. The child has no
environment, no site packages, ``/`` as its folder, and confines itself before it reads the text (``evaluator.py``).
Needs POSIX resource limits; where there are none, nothing is run.
"""

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

from pydantic import BaseModel, ConfigDict, ValidationError

from medvision_agent.errors import ToolError

__all__ = ["CodeLimits", "run"]

_REPLY = 64 * 1024
_CHILD = """\
import sys, types
for name in ("medvision_agent", "medvision_agent.tools", "medvision_agent.tools.sandbox"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = sys.argv[1:2] if name.endswith("sandbox") else []
from medvision_agent.tools.sandbox.evaluator import main
main()
"""
"""Lets the child import its own few modules by their names, without the package and without any other."""


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """What one call may use: seconds on the clock and on the processor, memory (MiB), steps of the evaluator.

    Steps are what ends a long computation, at the same place on every machine; the others end what gets around them.
    """

    seconds: float = 20.0
    cpu_s: float = 5.0
    memory_mb: int = 256
    steps: int = 1_000_000


class _Reply(BaseModel):
    """What the child may write; it is not trusted either."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    value: int | float | str | None = None
    printed: str = ""
    error: str = ""


def run(code: str, limits: CodeLimits | None = None) -> tuple[int | float | str | None, str]:
    """Return the value of *code* (a finite number, a text or None) and what it printed; raises ToolError."""
    limits = limits or CodeLimits()
    if find_spec("resource") is None:
        raise ToolError("this tool is not available: the system it runs on cannot confine it")
    try:
        output, status, late = _talk(json.dumps(code).encode(), limits)
    except OSError as error:
        raise ToolError(f"this tool is not available: its process cannot be started ({error.strerror})") from None
    try:
        reply = _Reply.model_validate_json(output)
    except ValidationError:
        raise ToolError(_ending(status, limits, late=late)) from None
    if reply.error:
        raise ToolError(reply.error)
    return reply.value, reply.printed


def _talk(text: bytes, limits: CodeLimits) -> tuple[bytes, int, bool]:
    """Return the child's output (bounded), its exit code, and whether it was stopped for its time."""
    settings = [limits.cpu_s, limits.memory_mb, limits.steps]
    command = [sys.executable, "-I", "-S", "-B", "-c", _CHILD, str(Path(__file__).parent)]
    command += [str(math.ceil(setting)) for setting in settings]
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    child = subprocess.Popen(  # noqa: S603 (our own interpreter with our own file)
        command, stdin=pipe, stdout=pipe, stderr=none, cwd="/", env={}, start_new_session=True
    )
    late: list[bool] = []

    def stop() -> None:
        late.append(True)
        _kill(child)

    timer = Timer(limits.seconds, stop)
    timer.start()
    try:
        output = _exchange(child, text)
    finally:
        timer.cancel()
        timer.join()
        _kill(child)
        child.wait()
    return output, child.returncode, bool(late)


def _exchange(child: subprocess.Popen[bytes], text: bytes) -> bytes:
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 (both are pipes)
    with child.stdin, child.stdout:
        try:
            child.stdin.write(text)
            child.stdin.close()
        except BrokenPipeError:
            return b""
        output = child.stdout.read(_REPLY)
        if len(output) == _REPLY:
            _kill(child)  # before the pipe closes: how it ends must not hang on which comes first
        return output


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it may have started: its group is its own, and its number is kept until wait()."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended
        return


def _ending(code: int, limits: CodeLimits, *, late: bool) -> str:
    if late or code == -signal.SIGXCPU:
        return f"it was stopped: it takes longer than {limits.seconds if late else limits.cpu_s:g} s"
    if code == -signal.SIGKILL:
        return "it was stopped by the system: it takes too long or too much memory"
    return f"it could not be evaluated: too deep, too large, or outside arithmetic, math and statistics (code {code})"
