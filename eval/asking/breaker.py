"""The circuit breaker of a run: when a server refuses request after request, one sample is asked alone as a probe.

Contract: ``hear`` takes every record that is stored. Once refusals follow a rule (``eval/store/refusals.py``), at least
``IN_A_ROW`` of them since the last probe, the sample is asked once more with nothing else in flight. Refused again, the
run stops with the server's own sentence; otherwise the server has recovered, and the other refused samples are asked
again too. None of them is a result before it was. A first request that is refused before any sample had a reply costs
nothing and is not stored: such samples wait until one of the others is answered, or a second one refused.
"""

from collections.abc import Sequence

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import ProviderError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import IN_A_ROW, Ending, by_rule, ending_of, refused_first

__all__ = ["Breaker"]

FIRST = 2
"""The run stops after so many samples whose first request is refused, if no other sample had a reply."""


class Breaker:
    """A circuit breaker of one run: it counts refused requests and decides when the run must stop."""

    def __init__(self, model: str, samples: Sequence[Sample], records: Sequence[Record]) -> None:
        self._model = model
        self._samples, self._before = samples, records  # read when a request is refused, and not before
        self._heard: dict[str, Ending] = {}
        self._latest: dict[str, Ending | None] = {}
        """How each sample ended last, in the order of the samples; empty until the first request is refused."""
        self._refused: dict[str, Record] = {}
        """The latest refused record of each such sample in this session."""
        self._fresh = set[str]()
        """Samples whose refusal no probe has answered yet, nor an earlier session."""
        self._probe = ""
        self._tripped: set[str] = set()
        """Samples that were refused when the last probe was called for, or since."""

    @property
    def answered(self) -> bool:
        """Whether any sample of the run had a reply, in this session or an earlier one."""
        return any(one.replies for one in self._heard.values()) or any(
            record.finish_reasons for record in streamed(self._before)
        )

    def too_early(self, record: Record) -> bool:
        """Return whether a refusal cannot be judged yet, because no sample had a reply; the sample then waits."""
        return refused_first(record) and not self.answered

    def stop_at_the_start(self, record: Record) -> ProviderError:
        """Return the error to raise for a run whose first requests are refused; *record* is one of the refusals."""
        return ProviderError(
            f"{self._model}: the service calls the first requests invalid, so the run stops; check the settings of "
            f"the model. The service says: {record.detail}"
        )

    def hear(self, record: Record) -> list[Record]:
        """Count a record, and return the records whose samples must be asked again, alone.

        Raises ProviderError if a sample that was asked alone is refused again.
        """
        self._heard[record.sample.id] = ending_of(record)
        if record.sample.id in self._latest:
            self._latest[record.sample.id] = self._heard[record.sample.id]
        self._fresh.add(record.sample.id)
        probed, refused = record.sample.id == self._probe, record.outcome is Outcome.REJECTED
        if refused:
            self._refused[record.sample.id] = record
        if self._probe and refused:
            self._tripped.add(record.sample.id)
        if not probed and (self._probe or not refused):
            return []
        refused_by_rule = by_rule(self._known())
        if probed and refused:
            raise self._stop(record, len(refused_by_rule))
        if probed:
            self._probe = ""
            self._fresh.clear()
            return self._records(self._tripped - {record.sample.id})
        if record.sample.id not in refused_by_rule or len(refused_by_rule & self._fresh) < IN_A_ROW:
            return []
        self._probe, self._tripped = record.sample.id, refused_by_rule
        return [record]

    def _order(self) -> dict[str, Ending | None]:
        """Return how each sample's last attempt ended, in the order of the samples; None if it was not asked yet."""
        if not self._latest:
            known = {record.sample.id: ending_of(record) for record in streamed(self._before)} | self._heard
            self._latest = {sample.id: known.get(sample.id) for sample in streamed(self._samples)}
        return self._latest

    def _known(self) -> list[Ending]:
        """Return how the samples that were asked ended last, in the order of the samples."""
        return [ending for ending in self._order().values() if ending is not None]

    def _records(self, wanted: set[str]) -> list[Record]:
        """Return the latest records of the samples with these ids, in the order of the samples."""
        found = {one.sample.id: one for one in streamed(self._before) if one.sample.id in wanted} | self._refused
        return [found[sample_id] for sample_id in self._order() if sample_id in wanted]

    def _stop(self, record: Record, refused: int) -> ProviderError:
        return ProviderError(
            f"{self._model}: the service refuses requests of {refused} samples in the same way, also of one that was "
            "asked alone, so the run stops. These samples are no results, and are asked again when the run is "
            f"continued; check the settings of the model first. The service says: {record.detail}"
        )
