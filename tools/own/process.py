"""Runs the check of a tool in a separate process with limits of time and memory, and always returns findings."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from medvision_agent.finding import Finding
from medvision_agent.text import printable
from medvision_agent.tools.own.examine import CALLS

__all__ = ["CheckBounds", "check"]

_BOUNDS = "it keeps its bounds"


@dataclass(frozen=True, slots=True)
class CheckBounds:
    """The limits of a tool's check: the number of calls, and the time and memory of each call."""

    calls: int = CALLS
    seconds: float = 5.0
    """Seconds that one call may take."""
    memory_mb: int = 1024
    """Megabytes beyond what the process has when the tool is loaded."""


def check(name: str, file: Path | None, bounds: CheckBounds, *, segmenter: str | None = None) -> list[Finding]:
    """Return the findings about the tool *name* of *file*, or of an installed package where *file* is None.

    A call that exceeds its limits ends the check: the one finding returned then names this call. The caller has loaded
    the tool once without an error. *segmenter* is the address of the server that the variant ``server`` asks.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        settings: dict[str, object] = {
            "name": name,
            "file": str(file) if file else None,
            "segmenter": segmenter,
            "report": str(report),
            "calls": bounds.calls,
        }
        settings |= {"seconds": bounds.seconds, "memory_mb": bounds.memory_mb}
        command = [sys.executable, "-m", "medvision_agent.tools.own.child", json.dumps(settings)]
        done = subprocess.run(  # noqa: S603 - our own interpreter with our own module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    entries = [json.loads(line) for line in lines]
    words = done.stderr.decode(errors="replace")
    if not entries or "findings" not in entries[-1]:
        last = next((entry["call"] for entry in reversed(entries) if "call" in entry), "the first call")
        return [Finding(_BOUNDS, "no", f"{_ending(done.returncode, words, bounds)}: {last}")]
    findings = [Finding(**finding) for finding in entries[-1]["findings"]]
    return [*findings, _kept(bounds, bounded=entries[0]["bounded"])]


def _ending(code: int, words: str, bounds: CheckBounds) -> str:
    """Return in words why a process ended without findings: *code* is its exit code, *words* its error output."""
    if words.startswith("Timeout ("):
        return f"a call was stopped after {bounds.seconds:g} s"
    last = words.strip().splitlines()[-1:] or ["no message"]
    return printable(f"the process ended with code {code} ({last[0][:200]})")


def _kept(bounds: CheckBounds, *, bounded: bool) -> Finding:
    """Return the finding that the calls kept their limits; *bounded* is whether the system could limit memory."""
    seconds = f"no call took {bounds.seconds:g} s"
    if not bounded:
        return Finding(_BOUNDS, "unknown", f"{seconds}; this system cannot bound the memory of a process")
    return Finding(_BOUNDS, "yes", f"{seconds}, none needed {bounds.memory_mb} MB")
