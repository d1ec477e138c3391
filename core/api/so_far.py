"""The state of a session of a run or study in words: progress, loss, failures, tokens and cost.

Contract: the loss is the mean over all samples finished in this session, over tasks and, in a study, over arms: it
shows whether the session goes well, and nothing about differences between arms. It is printed with n and success rate.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.eval.asking.watch import Brief
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.text import percent, plural

__all__ = ["SoFar"]

_LONG = 30.0
"""Seconds after which a sample in flight is reported."""


class SoFar:
    """A counter of finished samples and failed tries; *clock* returns seconds and never goes back.

    *protocol* scores the loss of samples that come without a score.
    """

    def __init__(self, protocol: Protocol, clock: Callable[[], float]) -> None:
        self._protocol, self._clock = protocol, clock
        self._begun = clock()
        self.finished = 0
        self.total: int | None = None
        self._scored = self._parsed = 0
        self._losses = 0.0
        self._failed = {"answer": 0, "connection": 0}
        self._retried = 0
        self._last_fault = ""
        self._usage = Usage()
        self._cost: float | None = None
        self._flying: dict[object, tuple[str, float]] = {}
        """Id and start time of each sample in flight; the oldest comes first."""

    @contextmanager
    def asking(self, sample_id: str) -> Iterator[None]:
        """Count a sample as in flight while the context lasts."""
        key = object()
        self._flying[key] = sample_id, self._clock()
        try:
            yield
        finally:
            del self._flying[key]

    def begin(self, total: int) -> None:
        """Start counting; *total* samples are to be asked."""
        self.total, self._begun = total, self._clock()

    def add(self, record: Record, scored: Brief | None = None) -> None:
        """Count a finished sample; *scored* is its score, if known."""
        self.finished += 1
        if record.outcome.infrastructure:
            self._failed["connection"] += 1
        elif record.outcome != "answered":
            self._failed["answer"] += 1
        self._usage += record.usage
        if record.cost_usd is not None:
            self._cost = (self._cost or 0.0) + record.cost_usd
        score = score_record(record, self._protocol) if scored is None else scored
        if score is not None:
            self._scored += 1
            self._parsed += score.success
            self._losses += score.loss

    def fault(self, fault: Fault) -> None:
        """Count a failed try of a request, which may be tried again; the sample itself has not failed yet."""
        self._retried += 1
        wait = f", asked to wait {fault.wait_seconds:.0f} s" if fault.wait_seconds else ""
        self._last_fault = f" (last: {fault.outcome.value}{wait})"

    def facts(self) -> str:
        """Return loss, rate, failures, tokens and cost in one line, without progress and times."""
        seconds = self._clock() - self._begun
        rate = f"{self.finished / seconds:.1f}/s" if self.finished and seconds > 0 else "-/s"
        cost = "" if self._cost is None else f", ${self._cost:.2f}"
        tokens = (self._usage.input + self._usage.output) / 1000
        tries = f"failed tries {self._retried}{self._last_fault}, " if self._retried else ""
        failed = f"no answer {self._failed['answer']}, not reached {self._failed['connection']}"
        return f"{self._loss()}{rate}, {tries}{failed}, {tokens:.0f}k tokens{cost}{self._waiting()}"

    def line(self, description: str) -> str:
        """Return progress, facts and times in one line; *description* begins it."""
        seconds = self._clock() - self._begun
        left = ""
        if self.finished and self.total is not None and self.finished < self.total:
            left = f", about {_duration(seconds * (self.total - self.finished) / self.finished)} left"
        of = "" if self.total is None else f" of {self.total}"
        return f"{description}: {self.finished}{of}, {self.facts()}, {_duration(seconds)} elapsed{left}"

    def _waiting(self) -> str:
        """Return how many samples are in flight and the oldest of them; empty unless it has taken over 30 seconds."""
        flying = tuple(self._flying.values())  # copied at once: the bar is drawn by another thread
        if not flying:
            return ""
        sample_id, begun = flying[0]
        if (seconds := self._clock() - begun) < _LONG:
            return ""
        longest = "" if len(flying) == 1 else ", the longest"
        return f", {plural(len(flying), 'sample')} in flight{longest} for {_duration(seconds)} ({sample_id[:80]})"

    def _loss(self) -> str:
        """Return mean loss, success rate and n of the scored samples; empty without any."""
        if not self._scored:
            return ""
        rate = percent(self._parsed / self._scored)
        return f"loss {self._losses / self._scored:.3f}, success rate {rate} (n {self._scored}), "


def _duration(seconds: float) -> str:
    """Return seconds as H:MM:SS."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
