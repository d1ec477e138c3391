"""The child process of the ``python`` tool: confines itself, evaluates one code, writes one JSON object, ends.

Started by ``process.py`` as ``CHILD``, never imported by the package itself. The order matters: everything
needed is imported, then the process is confined for good, and only then is the model's text read.
"""

import json
import math
import os
import resource
import sys
import warnings
from typing import Any

from medvision_agent.tools.sandbox.evaluator import Evaluator
from medvision_agent.tools.sandbox.grammar import SOURCE, parse
from medvision_agent.tools.sandbox.names import Refused
from medvision_agent.tools.sandbox.show import clean, show

__all__ = ["confine", "main"]

BREACH = 70
"""Exit code where something reached for the system: no code a model writes should come that far."""
_EXACT = 2**53
_KEEP = 4000


def confine(cpu_s: int, memory_mb: int) -> None:
    """Give up files, processes, CPU time beyond *cpu_s*, memory beyond *memory_mb*, and every audited operation."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory_mb * 2**20,
    }
    for limit, most in limits.items():
        try:
            # One second between the two, for the signal that says what was used up.
            resource.setrlimit(limit, (most, most + (limit == resource.RLIMIT_CPU)))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS and does not keep it; steps bound the memory there
            continue
    warnings.simplefilter("ignore")
    sys.addaudithook(_guard)


def _guard(event: str, args: tuple[Any, ...]) -> None:
    # Whatever opens, imports, executes, connects or starts anything is audited. The parser may go on: it is "compile",
    # and looks for a file of the code's name, in vain, to show a wrong line of it.
    if event != "compile" and (event, args[:1]) != ("open", (SOURCE,)):
        os._exit(BREACH)


def main() -> None:
    """Answer the code on standard input (JSON) by an object of ``value`` and ``printed``, or of ``error``."""
    cpu_s, memory_mb, steps = map(int, sys.argv[2:5])
    confine(cpu_s, memory_mb)
    reply = json.dumps(_answer(json.loads(sys.stdin.buffer.read()), steps))
    sys.stdout.buffer.write(reply.encode())
    sys.stdout.buffer.flush()
    os._exit(0)


def _answer(code: str, steps: int) -> dict[str, Any]:
    evaluator: Evaluator | None = None
    try:
        tree = parse(code)
        evaluator = Evaluator(steps)
        value = _value(evaluator.run(tree))
        return {"value": value, "printed": clean("".join(evaluator.printed))[:_KEEP]}
    except Refused as error:
        text = str(error)
    except RecursionError:
        text = "nested too deep"
    except MemoryError:
        text = "more memory is needed than there is"
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        text = f"{type(error).__name__}: {error}"
    where = f"line {evaluator.line}: " if evaluator else ""
    return {"error": " ".join(clean(where + text[:_KEEP]).split())[:300]}


def _value(value: Any) -> Any:
    """Return a finite number as it is, where JSON keeps it exactly, None as None, all else as text."""
    if value is None or (type(value) is float and math.isfinite(value)) or (type(value) is int and abs(value) < _EXACT):
        return value
    return clean(show(value))[:_KEEP]
