"""The effort and the cost of records, added up record by record: calls, turns, images, tokens, seconds, US dollars.

Contract: no record is kept, only eight bytes for each value of a mean, because sums are rounded once.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Self

from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.measures import finite_mean
from medvision_agent.frozen import Frozen

__all__ = ["Cost", "CostSum", "Effort", "EffortSum", "Mean", "ToolCount"]


class Mean(Frozen):
    """A mean over the samples that have a finite value, with their number."""

    mean: float | None
    """None if no sample has a finite value."""
    n: int
    """Number of these samples."""

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the mean of the finite values among *values*, with their number."""
        mean, n = finite_mean(values)
        return cls(mean=mean, n=n)


class ToolCount(Frozen):
    """How often the model called one tool over all scored samples, and how often the call failed."""

    calls: int
    failed: int
    """Number of these calls that were answered with an error."""
    per_sample: float
    """Calls per scored sample."""


class Cost(Frozen):
    """The cost of all records in US dollars, infrastructure failures included.

    Attempts that a later one replaced are not in it (``Run.spent_usd`` has them).
    """

    usd: float | None
    """The total in US dollars; None if no record has a cost."""
    n: int
    """Number of records with a cost."""
    incomplete: int
    """Number of records whose cost lacks some model calls, because their usage was not reported."""


class Effort(Frozen):
    """The effort of the scored samples: tool calls, turns, images, tokens, seconds and cost, as means per sample."""

    tools: dict[str, ToolCount]
    """By the name of the tool."""
    tool_calls: Mean
    """Calls of any tool per sample."""
    turns: Mean
    """Replies of the model per sample."""
    pictures: Mean
    """Images shown to the model per sample: the image in every conversation, and those of tools, if recorded."""
    forced_endings: Mean
    """Share of samples in which a limit was reached and one last turn was granted."""
    cost_usd: Mean
    """US dollars per sample, over samples with a known cost."""
    input_tokens: Mean
    """Tokens per sample, as ``output_tokens``."""
    output_tokens: Mean
    """Tokens per sample, over samples with reported usage for all model calls."""
    unreported: int
    """Number of scored samples left out of the token means, because a model call did not report its usage."""
    seconds: Mean
    """Seconds per sample spent in the model and the tools, without failed tries and waits (``Record.seconds``)."""


class EffortSum:
    """A running sum of the effort of scored records; ``add`` takes the records one by one."""

    def __init__(self) -> None:
        self._calls, self._failed = Counter[str](), Counter[str]()
        self._scored = self._reported = 0
        self._values = {name: array("d") for name, field in Effort.model_fields.items() if field.annotation is Mean}

    def add(self, record: Record) -> None:
        """Add the effort of a scored record."""
        self._scored += 1
        for use in record.tool_uses:
            self._calls[use.tool] += 1
            if not use.ok:
                self._failed[use.tool] += 1
        values, usage = self._values, record.usage
        values["tool_calls"].append(len(record.tool_uses))
        values["turns"].append(usage.model_calls)
        values["pictures"].append(record.pictures)
        values["forced_endings"].append(record.forced)
        values["seconds"].append(record.seconds)
        if record.cost_usd is not None:
            values["cost_usd"].append(record.cost_usd)
        if not usage.unreported:
            self._reported += 1
            values["input_tokens"].append(usage.input)
            values["output_tokens"].append(usage.output)

    def take(self, other: Self) -> None:
        """Add the effort of all records that *other* holds."""
        self._calls.update(other._calls)
        self._failed.update(other._failed)
        self._scored += other._scored
        self._reported += other._reported
        for name, values in self._values.items():
            values.extend(other._values[name])

    def effort(self) -> Effort:
        """Return the means per sample, and the counts of tool calls, of the records added so far."""
        return Effort(
            tools={
                tool: ToolCount(calls=count, failed=self._failed[tool], per_sample=count / self._scored)
                for tool, count in self._calls.most_common()
            },
            unreported=self._scored - self._reported,
            **{name: Mean.of(values) for name, values in self._values.items()},
        )


class CostSum:
    """A running sum of the cost of records; ``add`` takes the records one by one."""

    def __init__(self) -> None:
        self._priced, self._incomplete = array("d"), 0

    def add(self, record: Record) -> None:
        """Add the cost of a record, scored or not."""
        if record.cost_usd is not None:
            self._priced.append(record.cost_usd)
            self._incomplete += record.usage.unreported > 0

    def cost(self) -> Cost:
        """Return the total cost of the records added so far."""
        priced = self._priced
        return Cost(usd=sum(priced) if priced else None, n=len(priced), incomplete=self._incomplete)
