"""The progress of a run on the error stream: done, loss so far, rate, failures, tokens and cost.

In a terminal it is a bar with a line below it, in a notebook one line that is updated. Elsewhere (a file, a batch
job, CI) it is a line after the first sample, then one a minute, and one at the end. A run that hangs also writes a
line a minute, with the samples in flight and for how long: a timer writes it, not the samples.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from medvision_agent.agent.wire.failures import Fault
from medvision_agent.api.so_far import SoFar
from medvision_agent.eval.asking.watch import Brief, Watch
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from medvision_agent.api.bar import Bar

__all__ = ["RunProgress"]

_PAUSE = 0.5
"""Seconds between two updates of a notebook's line."""
_MINUTE = 60.0
"""Seconds between two lines without a terminal."""
_TICK = 5.0
"""Seconds between two checks of the clock."""


class RunProgress:
    """The display of a run's progress on the error stream; nothing is shown unless *shown*.

    *rules* score the loss that is shown (None: the default protocol); *clock* returns seconds.
    """

    def __init__(
        self, rules: Protocol | None = None, *, shown: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._shown = clock, shown
        self._rules = rules or protocol(DEFAULT_PROTOCOL)
        self._so_far = SoFar(self._rules, clock)
        console = _console() if shown else None
        self._notebook = console is not None and console.is_jupyter
        self._bar = None if console is None or self._notebook else _bar(console, self._so_far.facts)
        self._lines = shown and not self._notebook and self._bar is None
        self._description = ""
        self._write: Callable[[str], None] | None = None
        self._written: float | None = None
        self._begun = clock()
        self._unsaid = False
        """Whether something has happened since the last line was written."""

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._refresh(last=True)
        if self._bar is not None:
            self._bar.stop()

    def watch(self, **hooks: Any) -> Watch:
        """Return the callbacks through which a run reports to this object; *hooks* are further fields of ``Watch``."""
        return Watch(
            asking=self._so_far.asking,
            on_record=self.add,
            on_scored=self.add,
            rules=self._rules,
            on_fault=self.fault,
            on_note=self.say,
            **hooks,
        )

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """Check the clock regularly, in the running event loop, while the context lasts."""
        task = asyncio.create_task(self._tick_on())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.tick()

    def tick(self) -> None:
        """Update the display although nothing happened; write the line that is due each minute."""
        since = self._begun if self._written is None else self._written
        due = self._so_far.total is not None and self._clock() - since >= self._pause
        self._unsaid = self._unsaid or due
        self._refresh(due=due)

    def say(self, line: str) -> None:
        """Write a line without control characters to the error stream; be silent once nobody reads the stream."""
        if not self._shown:
            return
        try:
            sys.stderr.write(f"{printable(line)}\n")
            sys.stderr.flush()
        except OSError:  # its reader has gone, as in `2>&1 | head`
            self._shown = False

    def begin(self, total: int, description: str) -> None:
        """Start the display with *total* samples to ask; *description* names the run."""
        self._so_far.begin(total)
        self._begun = self._clock()
        self._description = printable(description)
        if self._bar is not None:
            self._bar.begin(total, self._description)
        if self._notebook:
            self._refresh()

    def add(self, record: Record, scored: Brief | None = None) -> None:
        """Count the finished sample of *record*; *scored* is its score, which is computed for None."""
        self._so_far.add(record, scored)
        self._unsaid = True
        if self._bar is not None:
            self._bar.one_more()
        self._refresh()

    def fault(self, fault: Fault, tries: int) -> None:  # noqa: ARG002 - the hook's signature
        """Count a failed try of a request; the line then shows why the bar may stand still."""
        self._so_far.fault(fault)
        self._unsaid = True
        self._refresh()

    def interrupted(self) -> None:
        """Report that the first Ctrl-C was received."""
        self.say("finishing the samples in flight; press Ctrl-C again to stop at once")

    @property
    def _pause(self) -> float:
        """Seconds between two updates of the line, in a notebook or without a terminal."""
        return _PAUSE if self._notebook else _MINUTE

    def _refresh(self, *, due: bool | None = None, last: bool = False) -> None:
        """Write the line if it is due or the *last* one; a bar updates itself.

        *due* is None after an event: the line is then due if it is the first one, or the pause is over.
        """
        if not (self._notebook or self._lines):
            return
        if due is None:  # something happened: the first line is written after the first sample
            finished = self._notebook or self._so_far.finished > 0
            due = finished if self._written is None else self._clock() - self._written >= self._pause
        if (due or last) and (self._notebook or self._unsaid):
            self._write_line()

    def _write_line(self) -> None:
        """Write the line now, and remember the time."""
        self._written, self._unsaid = self._clock(), False
        line = self._so_far.line(self._description)
        if self._notebook:
            self._write = self._write or _notebook_line()
            self._write(line)
        else:
            self.say(line)


def _console() -> "Console | None":
    """Return the console of the error stream; None, without importing ``rich``, where it can only be plain lines."""
    forced = "FORCE_COLOR" in os.environ or "TTY_COMPATIBLE" in os.environ
    if not (forced or "IPython" in sys.modules or _at_terminal()):
        return None
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=True)


def _at_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # no stream, or a closed one
        return False


def _bar(console: "Console", facts: Callable[[], str]) -> "Bar | None":
    """Return a bar with a line of *facts*; None if the console is not a terminal."""
    if not console.is_terminal:
        return None
    from medvision_agent.api.bar import Bar  # noqa: PLC0415

    return Bar(console, facts)


def _notebook_line() -> Callable[[str], None]:
    """Return a function that writes a line below a notebook's cell, replacing the previous line."""
    from IPython.display import display  # noqa: PLC0415 - there only in a notebook

    handle = display({"text/plain": ""}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": printable(text)}, raw=True)
