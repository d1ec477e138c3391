"""Runs a model's code in a child process forked only for it, and always ends this process.

The parent neither parses nor evaluates the text: it hands it over and reads a bounded reply. The child is forked from
a small process (``server.py``) that has done the imports and never sees a text: a fork costs a twentieth of an
interpreter. It has no environment, no site packages, ``/`` as its folder, and confines itself before it reads the
text (``evaluator.py``). Needs POSIX resource limits; where there are none, nothing is run.
"""

import json
import math
import signal
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Timer

from pydantic import BaseModel, ConfigDict, ValidationError

from medvision_agent.errors import ToolError
from medvision_agent.tools.sandbox.children import CHILDREN
from medvision_agent.tools.sandbox.messages import REQUEST

__all__ = ["CodeLimits", "run"]


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """The limits of one call: seconds by the clock and on the processor, memory (MiB), steps of the evaluator.

    Steps end a long computation at the same place on every machine; the other limits stop what escapes the count.
    """

    seconds: float = 20.0
    cpu_s: float = 5.0
    memory_mb: int = 256
    steps: int = 1_000_000


class _Reply(BaseModel):
    """The allowed form of the child's reply, which is checked because the child is not trusted."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    value: int | float | str | None = None
    printed: str = ""
    error: str = ""


def run(code: str, limits: CodeLimits | None = None) -> tuple[int | float | str | None, str]:
    """Return the value of *code* (a finite number, a text, or None if its last line has no value) and the printed text.

    Raises ToolError where the code is refused or fails, where it exceeds a limit, and where no child can be started.
    """
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
    """Return the child's output (bounded), its exit code, and whether it was stopped after ``limits.seconds``.

    *text* is the code as JSON. Raises OSError where no child can be started.
    """
    late: list[bool] = []

    def stop() -> None:
        late.append(True)
        with suppress(OSError):  # the server is gone, and its children with it
            child.kill()

    request = REQUEST.pack(*(math.ceil(one) for one in (limits.cpu_s, limits.memory_mb, limits.steps)))
    child = CHILDREN.start(request)
    timer = Timer(limits.seconds, stop)
    timer.start()
    try:
        output = child.exchange(text)
    finally:
        timer.cancel()
        timer.join()
        status = child.end()
    return output, status, bool(late)


def _ending(code: int, limits: CodeLimits, *, late: bool) -> str:
    """Return in words why a child with the exit code *code* gave no valid reply; *late* is whether its time was up."""
    if late or code == -signal.SIGXCPU:
        return f"it was stopped: it takes longer than {limits.seconds if late else limits.cpu_s:g} s"
    if code == -signal.SIGKILL:
        return "it was stopped by the system: it takes too long or too much memory"
    return f"it could not be evaluated: too deep, too large, or outside arithmetic, math and statistics (code {code})"
