"""Draws answers for a sample until they cost as much as another arm's answer, and makes one answer of them.

Contract: the cost of an answer is its output tokens, reasoning included. Each answer drawn is stored as an attempt of
its own (``Record.part``), so that none is asked twice; once there are enough, the next attempt is made of them without
a request. A request that fails, or that the service calls invalid, ends the sample for now, as it would in any arm.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from langchain_core.messages import AIMessage

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.made import MOST_DRAWS
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import ProviderError
from medvision_agent.eval.asking.combine import combined
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["Draws", "marked", "mean_number", "tokens"]

_NO_DRAWS = frozenset({Outcome.REJECTED, Outcome.CONTEXT_OVERFLOW})
"""Outcomes that another draw would repeat: the service does not accept the question itself."""


@dataclass(eq=False)
class Draws:
    """The answers drawn so far for the samples of one run, whose combination is scored, and how many are needed."""

    tagged: bool
    """Whether answers stand between tags."""
    drawn: dict[str, list[Record]] = field(default_factory=lambda: defaultdict[str, list[Record]](list))
    """The answers by sample, in their order."""
    spent: dict[str, int] = field(default_factory=dict[str, int])
    """Tokens that the answers to a sample have to reach."""
    number: int | None = None
    """How many answers each sample gets, if that is the same for all; None if ``spent`` decides for each sample."""

    @classmethod
    def of(cls, run: Run, *, tagged: bool) -> "Draws":
        """Return the answers drawn in a stored run, with the number of answers for all samples, if it was fixed before.

        *tagged*: answers stand between tags.
        """
        draws = cls(tagged)
        for record in run.draws:
            draws.add(record)
        draws.number = next((record.draws for record in run.records if record.draws), None)
        return draws

    def add(self, record: Record) -> None:
        """Count a drawn answer that is on disk."""
        self.drawn[record.sample.id].append(record)

    def lost(self, record: Record) -> None:
        """Take back a drawn answer that turned out not to be on disk."""
        own = self.drawn[record.sample.id]
        self.drawn[record.sample.id] = [one for one in own if one.attempt != record.attempt]

    def enough(self, sample_id: str) -> bool:
        """Return whether the answers drawn for a sample suffice for its combined record."""
        drawn = self.drawn[sample_id]
        if self.number is not None or len(drawn) >= MOST_DRAWS:
            return len(drawn) >= min(MOST_DRAWS, self.number or MOST_DRAWS)
        return bool(drawn) and sum(map(tokens, drawn)) >= self.spent[sample_id]

    def made(self, sample: Sample, attempt: int) -> tuple[Record, Trace] | None:
        """Return the record that combines the answers drawn for a sample, with its trace.

        None where more answers are needed.
        """
        if not self.enough(sample.id):
            return None
        drawn = self.drawn[sample.id]
        trace = Trace()
        trace.say(*(AIMessage(one.response) for one in drawn))
        return combined(drawn, attempt, tagged=self.tagged), trace

    def settle_number(self, source: Iterable[Record], single: Iterable[Record]) -> None:
        """Set the number of answers that every sample gets, by ``mean_number``, unless an earlier session set it.

        *source* are records of the arm to match, *single* of an arm with one answer for each sample.
        """
        self.number = self.number or mean_number(source, single)


def marked(record: Record) -> Record:
    """Return *record* marked as one of several drawn answers; unchanged if it ends its sample.

    A failed request, or a question that the service does not accept, ends the sample. Raises ProviderError if the
    service reported no output tokens.
    """
    if record.outcome.infrastructure or record.outcome in _NO_DRAWS:
        return record
    tokens(record)
    return record.model_copy(update={"part": True})


def tokens(record: Record) -> int:
    """Return the cost of an answer in output tokens; raises ProviderError where the service did not report it."""
    if record.usage.unreported and not record.usage.output:
        raise ProviderError(
            f"sample {record.sample.id!r}: the service reported no output tokens for this answer, so an arm `matched` "
            "cannot be given as many; leave the arms `matched` out of the study"
        )
    return record.usage.output


def mean_number(source: Iterable[Record], single: Iterable[Record]) -> int:
    """Return how many answers of *single* cost on average, in output tokens, what one of *source* costs.

    At least 1 and at most ``MOST_DRAWS``; over the samples with a result in both arms.
    """
    ours = {record.sample.id: tokens(record) for record in source if not record.outcome.infrastructure}
    theirs = {record.sample.id: tokens(record) for record in single if not record.outcome.infrastructure}
    common = ours.keys() & theirs.keys()
    spent, each = sum(ours[one] for one in common), sum(theirs[one] for one in common)
    return min(MOST_DRAWS, max(1, -(-spent // each))) if each else 1
