"""What the latest records of a run say together, gathered in one pass that keeps no record.

Contract: it takes eight bytes for each record with a cost, and otherwise as much as there are different values.
"""

from array import array
from collections import Counter

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.record import Enlarged, Record
from medvision_agent.eval.store.tool_path import ToolCounts
from medvision_agent.eval.tasks import TaskName

__all__ = ["MOST_FAILURES", "EnlargedSum", "Overview"]

MOST_FAILURES = 20
"""Number of samples without an answer whose details are kept."""


class EnlargedSum:
    """Sums over the samples whose own image was shown enlarged.

    ``samples`` and ``kept`` count samples; the others are pixels, as the model sees them.
    """

    def __init__(self) -> None:
        self.samples = self.own = self.given = self.allowed = 0
        self.kept = 0
        """Number of samples whose image the model would not have seen larger."""

    def add(self, one: Enlarged) -> None:
        """Add the facts of one sample's enlarged image."""
        self.samples += 1
        self.own += one.own
        self.given += one.given
        self.allowed += one.allowed
        self.kept += one.given <= one.own


class Overview:
    """Counts, sums and distinct values over the latest records of a run."""

    def __init__(self) -> None:
        self.records = 0
        self.scored = 0
        """Number of records that are no infrastructure failure."""
        self.with_tools = 0
        """Number of these in which a tool was called."""
        self.unread_calls = 0
        self.outcomes = Counter[Outcome]()
        self.failures = list[tuple[str, Outcome, str]]()
        """The first samples that ended without an answer: id, outcome, detail; at most ``MOST_FAILURES``."""
        self.failed_tries = 0
        self.first = dict[TaskName, str]()
        """By task: the id of the first sample with a record."""
        self.versions = set[str]()
        """The model versions that the server reported."""
        self.fingerprints = set[str]()
        self.days = set[str]()
        """The days of first and last requests: UTC, ISO 8601."""
        self.draws = Counter[int]()
        """Number of samples by the number of answers drawn for them, where any were."""
        self.enlarged = EnlargedSum()
        self.crashed = list[str]()
        """Ids of the samples that ended the program."""
        self.tools = ToolCounts()
        self.costs = array("d")
        """In US dollars, in the order of the records, without those made of drawn answers."""

    def add(self, record: Record) -> None:
        """Add one record, the latest of its sample."""
        self.records += 1
        self.outcomes[record.outcome] += 1
        self.failed_tries += record.failed_tries
        self.first.setdefault(record.sample.task, record.sample.id)
        if record.outcome is not Outcome.ANSWERED and len(self.failures) < MOST_FAILURES:
            self.failures.append((record.sample.id, record.outcome, record.detail))
        self.unread_calls += record.unread_calls
        self.versions.update(record.model_versions)
        self.fingerprints.update(record.fingerprints)
        self.days.update(day for at in (record.asked_at, record.last_asked_at) if (day := at[:10]))
        if not record.outcome.infrastructure:
            self.scored += 1
            self.with_tools += bool(record.tool_uses)
            self.tools.add(record)
        if record.draws:
            self.draws[record.draws] += 1
        elif record.cost_usd is not None:
            self.costs.append(record.cost_usd)
        if record.enlarged:
            self.enlarged.add(record.enlarged)
        if record.outcome is Outcome.CRASHED:
            self.crashed.append(record.sample.id)
