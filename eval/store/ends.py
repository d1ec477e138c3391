"""How the last attempt of each sample ended, without its record: what a session must know about finished samples.

Contract: a record takes 21 bytes, however many there are. Ids are told apart by 128 bits of their hashes.
"""

from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.seal import StoredRecord

__all__ = ["Ends", "Todo"]

_PART = '"part":true'
"""Text of a record that is one of several drawn answers; inside a JSON string its quotes would be escaped."""
_OUTCOMES = {outcome.value: number for number, outcome in enumerate(Outcome)}
_DRAWN = len(_OUTCOMES)
"""Replaces the outcome of records that are drawn answers only."""
_AGAIN = [_OUTCOMES[one.value] for one in Outcome if one.infrastructure and one is not Outcome.CRASHED]
_BYTES = 1 << 10
"""How many bytes of ``Todo`` are read together."""


class Todo:
    """The samples still to be asked: pairs of a sample's position in the run, ascending, and its next attempt's number.

    It takes a bit for each sample of the run, and more only for those that were asked before.
    """

    def __init__(self, left: NDArray[np.bool_], attempts: NDArray[np.int64]) -> None:
        """Take, for each sample of the run, whether it is still to be asked, and the number of its next attempt."""
        self._count, self._bits = int(np.count_nonzero(left)), np.packbits(left)
        again = np.flatnonzero(left & (attempts > 1))
        self._attempts = dict(zip(again.tolist(), attempts[again].tolist(), strict=True))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for first in range(0, len(self._bits), _BYTES):
            for place in np.flatnonzero(np.unpackbits(self._bits[first : first + _BYTES])).tolist():
                yield 8 * first + place, self._attempts.get(8 * first + place, 1)


class _Latest(NamedTuple):
    """The last attempts of all samples with a record: columns sorted by key, a hash of the sample's id."""

    keys: NDArray[np.bytes_]
    attempts: NDArray[np.int64]
    """0 where a sample has drawn answers only."""
    outcomes: NDArray[np.uint8]
    drawn: NDArray[np.int64]
    """The highest attempt of a drawn answer; 0 where there is none."""


class Ends:
    """A collector of how the samples of a run ended. Add all its records, in any order, then read the results."""

    def __init__(self) -> None:
        self._keys, self._attempts, self._ends = array("q"), array("I"), array("B")
        self._unsealed: dict[str, int] = {}

    def hear(self, stored: StoredRecord) -> None:
        """Add one record."""
        sample_id, drawn = stored.sample_id, _PART in stored.json
        self._keys.append(hash(sample_id))
        self._keys.append(hash(f"{sample_id}\0"))
        self._attempts.append(stored.attempt)
        self._ends.append(_DRAWN if drawn else _OUTCOMES[Outcome(stored.outcome).value])
        if stored.sha256 is None and not drawn:
            self._unsealed[sample_id] = max(stored.attempt, self._unsealed.get(sample_id, 0))

    @property
    def finished(self) -> int:
        """How many samples have a record that is not a drawn answer."""
        return int(np.count_nonzero(self._latest.attempts))

    @property
    def draws(self) -> int:
        """How many records are drawn answers, from which a later record is made."""
        return self._ends.count(_DRAWN)

    @property
    def superseded(self) -> int:
        """How many records are earlier attempts, replaced by a later one."""
        return len(self._ends) - self.draws - self.finished

    @property
    def refused(self) -> bool:
        """Whether the latest request of any sample was refused."""
        return bool((self._latest.outcomes == _OUTCOMES[Outcome.REJECTED.value]).any())

    @property
    def unsealed(self) -> frozenset[str]:
        """The ids of the samples whose latest records have no hash, because an older version stored them."""
        ids = list(self._unsealed)
        at = np.searchsorted(self._latest.keys, _keys_of(ids)) if ids else ()
        return frozenset(
            sample_id
            for sample_id, row in zip(ids, at, strict=True)
            if self._latest.attempts[row] == self._unsealed[sample_id]
        )

    def todo(self, ids: Iterable[str]) -> Todo:
        """Return the samples still to be asked; *ids* are those of all samples of the run, in its order."""
        keys, latest = _keys_of(ids), self._latest
        attempts = np.ones(len(keys), np.int64)
        left = np.ones(len(keys), bool)
        if len(latest.keys):
            rows = np.minimum(np.searchsorted(latest.keys, keys), len(latest.keys) - 1)
            known = latest.keys[rows] == keys
            attempts += np.where(known, np.maximum(latest.attempts, latest.drawn)[rows], 0)
            left = ~known | (latest.attempts[rows] == 0) | np.isin(latest.outcomes[rows], _AGAIN)
        return Todo(left, attempts)

    @cached_property
    def _latest(self) -> _Latest:
        keys, which = np.unique(_as_keys(self._keys), return_inverse=True)
        attempts, ends = np.asarray(self._attempts, np.int64), np.asarray(self._ends)
        last, drawn = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        own = ends != _DRAWN
        np.maximum.at(last, which[own], attempts[own])
        np.maximum.at(drawn, which[~own], attempts[~own])
        outcomes = np.full(len(keys), _DRAWN, np.uint8)
        latest = own & (attempts == last[which])
        outcomes[which[latest]] = ends[latest]
        return _Latest(keys, last, outcomes, drawn)


def _keys_of(ids: Iterable[str]) -> NDArray[np.bytes_]:
    found = array("q")
    for one in ids:
        found.append(hash(one))
        found.append(hash(f"{one}\0"))
    return _as_keys(found)


def _as_keys(halves: "array[int]") -> NDArray[Any]:
    """Return pairs of 64-bit hashes as 16-byte keys that sort and compare as a whole."""
    return np.frombuffer(halves, "S16") if halves else np.empty(0, "S16")
