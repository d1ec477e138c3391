"""The progress bar of a run, on the error stream: done, rate, failures, tokens and cost so far."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["RunProgress"]


class RunProgress:
    """Shows a run as it goes; silent where the error stream is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, facts="")
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
        self._bar.stop()

    def start(self, run: Run) -> None:
        """Begin with what is pending of *run*."""
        self.begin(len(run.pending()), run.identity.model_name)

    def begin(self, total: int, description: str) -> None:
        """Begin with a number of samples."""
        self._bar.update(self._task, total=total, description=description)

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

    def fault(self, fault: Fault, tries: int) -> None:  # noqa: ARG002 - the hook's signature
        """Count a try of a request that failed, and say why the bar may stand still."""
        self._retried += 1
        wait = f", asked to wait {fault.wait_seconds:.0f} s" if fault.wait_seconds else ""
        self._last_fault = f" (last: {fault.outcome.value}{wait})"
        self._bar.update(self._task, facts=self._facts())

    def _facts(self) -> str:
        speed = self._bar.tasks[0].speed
        rate = f"{speed:.1f}/s" if speed else "-/s"
        cost = "" if self._cost is None else f", ${self._cost:.2f}"
        tokens = (self._usage.input + self._usage.output) / 1000
        tries = f"failed tries {self._retried}{self._last_fault}, " if self._retried else ""
        failed = f"no answer {self._failed['answer']}, not reached {self._failed['connection']}"
        return f"{rate}, {tries}{failed}, {tokens:.0f}k tokens{cost}"
