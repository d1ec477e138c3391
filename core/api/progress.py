"""The progress of a run on the error stream: done, rate, failures, tokens and cost so far.

In a terminal it is a bar, in a notebook a line that is written again, elsewhere nothing but what is said once.
"""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.store.record import Record
from medvision_agent.text import printable

__all__ = ["RunProgress"]

_PAUSE = 0.5
"""Seconds between two writings of a notebook's line."""


class RunProgress:
    """Shows a run as it goes; silent where it is not *shown*."""

    def __init__(self, *, shown: bool = True) -> None:
        console = Console(stderr=True)
        self._shown = shown
        self._notebook = shown and console.is_jupyter
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=self._notebook or not (shown and console.is_terminal),
        )
        self._task = self._bar.add_task("", total=None, facts="")
        self._write: Callable[[str], None] | None = None
        self._written = 0.0
        self._failed = {"answer": 0, "connection": 0}
        self._retried = 0
        self._last_fault = ""
        self._usage = Usage()
        self._cost: float | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._refresh(last=True)
        self._bar.stop()

    def watch(self, **hooks: Any) -> Watch:
        """Return what a run tells of itself: to this, and to *hooks* of ``Watch``."""
        return Watch(on_record=self.add, on_fault=self.fault, on_note=self.say, **hooks)

    def say(self, line: str) -> None:
        """Write a line on the error stream; nothing in it steers a terminal."""
        if self._shown:
            sys.stderr.write(f"{printable(line)}\n")
            sys.stderr.flush()

    def begin(self, total: int, description: str) -> None:
        """Begin with a number of samples."""
        self._bar.update(self._task, total=total, description=description)
        self._refresh()

    def add(self, record: Record) -> None:
        """Count a finished sample."""
        if record.outcome.infrastructure:
            self._failed["connection"] += 1
        elif record.outcome != "answered":
            self._failed["answer"] += 1
        self._usage += record.usage
        if record.cost_usd is not None:
            self._cost = (self._cost or 0.0) + record.cost_usd
        self._bar.update(self._task, advance=1, facts=self._facts())
        self._refresh()

    def fault(self, fault: Fault, tries: int) -> None:  # noqa: ARG002 - the hook's signature
        """Count a try of a request that failed, and say why the bar may stand still."""
        self._retried += 1
        wait = f", asked to wait {fault.wait_seconds:.0f} s" if fault.wait_seconds else ""
        self._last_fault = f" (last: {fault.outcome.value}{wait})"
        self._bar.update(self._task, facts=self._facts())
        self._refresh()

    def interrupted(self) -> None:
        """Say that the first Ctrl-C was heard."""
        self.say("finishing what is in flight; press Ctrl-C again to stop at once")

    def _facts(self) -> str:
        speed = self._bar.tasks[0].speed
        rate = f"{speed:.1f}/s" if speed else "-/s"
        cost = "" if self._cost is None else f", ${self._cost:.2f}"
        tokens = (self._usage.input + self._usage.output) / 1000
        tries = f"failed tries {self._retried}{self._last_fault}, " if self._retried else ""
        failed = f"no answer {self._failed['answer']}, not reached {self._failed['connection']}"
        return f"{rate}, {tries}{failed}, {tokens:.0f}k tokens{cost}"

    def _refresh(self, *, last: bool = False) -> None:
        """Write the notebook's line again, now and then."""
        if not self._notebook or not (last or time.monotonic() - self._written >= _PAUSE):
            return
        self._written = time.monotonic()
        task = self._bar.tasks[0]
        self._write = self._write or _notebook_line()
        self._write(f"{task.description}: {task.completed:.0f} of {task.total or 0:.0f}, {self._facts()}")


def _notebook_line() -> Callable[[str], None]:
    """Return what writes a line below a notebook's cell, in the place of the one before."""
    from IPython.display import display  # noqa: PLC0415 - there only in a notebook

    handle = display({"text/plain": ""}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": printable(text)}, raw=True)
