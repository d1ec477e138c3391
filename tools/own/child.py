"""The process in which a tool is checked: ``python -m medvision_agent.tools.own.child SETTINGS``.

It writes every call to the report before it makes it, so that whoever started it knows which one never ended.
"""

import faulthandler
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.registry import registry_of

__all__ = ["main"]


def main(text: str) -> None:
    """Check the tool that the settings name, and write JSON lines to the report: each call before it is made.

    After the calls come the findings. *text* is a JSON object with the keys name, file, segmenter, report, calls,
    seconds (of one call) and memory_mb.
    """
    settings = json.loads(text)
    file = settings["file"]
    tool = registry_of(Path(file) if file else None, segmenter=settings["segmenter"]).tool(settings["name"])
    warnings.simplefilter("error", RuntimeWarning)  # numpy's warnings: a number that overflowed or is not a number
    with Path(settings["report"]).open("w", encoding="utf-8") as report:

        def write(**entry: object) -> None:
            report.write(json.dumps(entry) + "\n")
            report.flush()

        @contextmanager
        def watch(words: str) -> Iterator[None]:
            write(call=words)
            faulthandler.dump_traceback_later(settings["seconds"], exit=True)
            yield
            faulthandler.cancel_dump_traceback_later()

        write(bounded=_bound_memory(settings["memory_mb"]))
        findings = examine(tool, calls=settings["calls"], watch=watch)
        write(findings=[asdict(finding) for finding in findings])


def _bound_memory(memory_mb: int) -> bool:
    """Limit this process to *memory_mb* MB beyond what it uses now; return False where the system cannot limit it."""
    try:
        import resource  # noqa: PLC0415 - not on every system

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory_mb * 2**20, most))
    except (ImportError, OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
