"""How each sample of a run ended last, without its record: what a session needs to know of what is finished."""

from collections.abc import Iterable
from typing import NamedTuple

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.seal import StoredRecord

__all__ = ["Ends"]

_PART = '"part":true'
"""Marks a record that was only drawn to make another one of; inside a text, JSON writes the quotes otherwise."""


class _End(NamedTuple):
    attempt: int
    outcome: Outcome
    sealed: bool


class Ends:
    """What the records of a run say of its samples, in whatever order they are read."""

    def __init__(self) -> None:
        self.latest: dict[str, _End] = {}
        """By the ids of the finished samples."""
        self.superseded = self.draws = 0
        """Earlier attempts, and answers that were drawn to make a later one of."""
        self._drawn: dict[str, int] = {}
        self._alike: dict[_End, _End] = {}

    def hear(self, stored: StoredRecord) -> None:
        """Take in a record."""
        sample_id, attempt = stored.sample_id, stored.attempt
        if _PART in stored.json:
            self.draws += 1
            self._drawn[sample_id] = max(attempt, self._drawn.get(sample_id, 0))
            return
        before = self.latest.get(sample_id)
        self.superseded += before is not None
        if before is None or before.attempt < attempt:
            end = _End(attempt, Outcome(stored.outcome), stored.sha256 is not None)
            self.latest[sample_id] = self._alike.setdefault(end, end)  # nearly all samples end alike

    @property
    def refused(self) -> bool:
        """Whether the latest request of any sample was refused."""
        return any(end.outcome is Outcome.REJECTED for end in self._alike)

    @property
    def unsealed(self) -> frozenset[str]:
        """The samples whose latest records have no hash."""
        return frozenset(sample_id for sample_id, end in self.latest.items() if not end.sealed)

    def todo(self, ids: Iterable[str]) -> list[tuple[int, int]]:
        """Return the place of each sample still to be asked, among all *ids* of a run, and its next attempt."""
        found = []
        for place, sample_id in enumerate(ids):
            end, drawn = self.latest.get(sample_id), self._drawn.get(sample_id, 0)
            if end is None:
                found.append((place, drawn + 1))
            elif end.outcome.infrastructure and end.outcome is not Outcome.CRASHED:
                found.append((place, max(drawn, end.attempt) + 1))
        return found
