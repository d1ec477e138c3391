"""Keeps a budget: decides when no further sample of a run may be started.

Contract: what is in flight when the budget is used up is finished and stored, so a run ends over its budget by no
more than that. Before a sample is started, those in flight count as much as the mean of all so far. A budget of money
or tokens cannot be kept where a service reports no usage: the first reply without stops the run, and so does a probe
without, before any sample.

An unreadable call that a service answers by an error is no such reply: errors hold no token counts, on no service, and
whether it bills for them is not known. Each is estimated, as much as the dearest sample so far: no single call takes
more than a whole conversation. As long as no sample had any count, nothing can be estimated, and ``UNESTIMATED`` such
samples stop the run.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from medvision_agent.agent.endings.finish import CALL_REFUSED
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.store.record import Record
from medvision_agent.text import plural

__all__ = ["UNESTIMATED", "Meter"]

UNESTIMATED = 5
"""Samples without any token count, all of whose calls were answered by errors, after which a budget stops the run."""


class Meter:
    """A count of what a run has spent so far, held against its budget; used from one event loop."""

    def __init__(
        self,
        budget: Budget,
        paid: Iterable[Record] = (),
        probe: ToolProbe | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._started = clock()
        self._usage = Usage()
        self._usd = 0.0
        self._beside, self._beside_usd = Usage(), 0.0
        self._samples = 0
        self._refused = 0
        """Calls that were answered by an error."""
        self._dearest, self._dearest_usd = 0, 0.0
        self.flying = 0
        """Samples that are being asked, or are promised to a worker."""
        self.reason = ""
        """Why no further sample may be started; empty as long as one may."""
        for record in paid:
            self.add(record)
        if probe is not None:
            self.probed(probe)

    @property
    def of_usage(self) -> bool:
        """Whether the budget bounds money or tokens, so that the usage of earlier sessions must be added."""
        return self._budget.of_usage

    def start(self) -> None:
        """Measure the allowed time from now on."""
        self._started = self._clock()

    def probed(self, probe: ToolProbe) -> None:
        """Count the tokens and the cost of a probe of tools, which is not a sample."""
        self._beside = self._beside + probe.usage
        self._beside_usd += probe.cost_usd or 0.0
        if probe.found != "not reported":  # what came without a count then is a call answered by an error
            self._refused += probe.usage.unreported

    def add(self, record: Record) -> None:
        """Count the tokens and the cost of a finished sample."""
        self._usage = self._usage + record.usage
        self._usd += record.cost_usd or 0.0
        self._samples += bool(record.usage.model_calls)
        self._refused += min(record.usage.unreported, record.finish_reasons.count(CALL_REFUSED))
        self._dearest = max(self._dearest, _tokens(record.usage))
        self._dearest_usd = max(self._dearest_usd, record.cost_usd or 0.0)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count one sample as in flight during a ``with`` block."""
        self.flying += 1
        try:
            yield
        finally:
            self.flying -= 1

    def allows_one_more(self) -> bool:
        """Return whether a further sample may be started; if not, ``reason`` says why."""
        self.reason = self.reason or next(self._reasons(), "")
        return not self.reason

    def would_allow_one_more(self) -> bool:
        """Return whether a further sample may be started at this moment, without setting ``reason``.

        Samples in flight may yet be taken back, and then the answer can change.
        """
        return not (self.reason or next(self._reasons(), ""))

    @property
    def room(self) -> float:
        """How many further samples, at the mean so far, fit into the budget beside those in flight.

        0 while no mean is known, infinite without a budget of money or tokens; negative where it will be exceeded.
        """
        budget = self._budget
        if budget.usd is None and budget.tokens is None:
            return math.inf
        if not self._samples:
            return 0.0
        spent = (
            (budget.tokens, self._tokens_used, _tokens(self._beside)),
            (budget.usd, self._usd_used, self._beside_usd),
        )
        fits = ((most - beside) * self._samples / used for most, used, beside in spent if most is not None and used)
        return min(fits, default=math.inf) - self._samples - self.flying

    def _reasons(self) -> Iterator[str]:
        budget = self._budget
        if budget.seconds is not None and (seconds := self._clock() - self._started) >= budget.seconds:
            yield f"the time allowed, {budget.seconds:g} s, is used up ({seconds:.0f} s)"
        if (budget.usd is not None or budget.tokens is not None) and (without := self._without_usage()):
            yield f"the service reports no token counts ({without}), so a limit of money or tokens cannot be kept"
        tokens = self._projected(self._tokens_used) + _tokens(self._beside)
        if budget.tokens is not None and tokens >= budget.tokens:
            yield f"{budget.tokens:,} tokens are used up, or will be by the samples in flight ({self._spent()})"
        if budget.usd is not None and self._projected(self._usd_used) + self._beside_usd >= budget.usd:
            yield f"{budget.usd:g} US dollars are used up, or will be by the samples in flight ({self._spent()})"

    def _without_usage(self) -> str:
        """Return a text on how many replies had no token counts; empty where all had them or can be estimated."""
        heard = self._usage + self._beside
        of_all = f"{heard.unreported} of {plural(heard.model_calls, 'reply', 'replies')} came without"
        known = self._dearest > 0 or self._samples < UNESTIMATED
        return of_all if heard.unreported > (self._refused if known else 0) else ""

    @property
    def _tokens_used(self) -> int:
        return _tokens(self._usage) + self._refused * self._dearest

    @property
    def _usd_used(self) -> float:
        return self._usd + self._refused * self._dearest_usd

    def _projected(self, reported: float) -> float:
        """Return an amount (tokens or US dollars) plus that of the samples in flight, each at the mean so far."""
        return reported * (1 + self.flying / self._samples) if self._samples else reported

    def _spent(self) -> str:
        """Return a text with the tokens and the US dollars so far, reported or estimated."""
        tokens, usd = self._tokens_used + _tokens(self._beside), self._usd_used + self._beside_usd
        refused = plural(self._refused, "unreadable call")
        estimated = f"; {refused} without a count estimated at the dearest sample" if self._refused else ""
        return f"so far {tokens:,} tokens, {usd:.4f} US dollars{estimated}"


def _tokens(usage: Usage) -> int:
    return usage.input + usage.output
