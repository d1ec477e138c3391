"""Many answers of one family as columns, the input of scoring.

Contract: a column is a list with one entry per answer, and all columns have the same order. A column is built when it
is first requested, so that unused columns cost nothing; single answers are also built on request.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from medvision_agent.eval.scorer.answer import FAMILIES, Answer
from medvision_agent.eval.tasks import Family

__all__ = ["Answers", "Column"]

Column = list[Any]
_SHARED = (str, tuple)
"""Types of values that ``shared`` makes one object of: equal ones are of equal types, because tuples hold integers."""


class Answers(ABC):
    """A table of *count* answers, all of one family (MedVision's task type).

    Its columns are the fields of ``Answer``, and those of ``Doc`` with ``doc.`` before the name.
    """

    def __init__(self, family: Family, count: int) -> None:
        self.family = family
        self._count = count
        self._columns: dict[str, Column] = {}

    @abstractmethod
    def _make(self, name: str) -> Column:
        """Build and return the column *name*, which was not requested before."""

    @staticmethod
    def of(answers: Sequence[Answer]) -> "Answers":
        """Return *answers*, at least one and all of one family, as a table of columns."""
        return _Made(answers[0].family, len(answers), lambda name: list(map(attrgetter(name), answers)))

    @staticmethod
    def joined(parts: Sequence["Answers"]) -> "Answers":
        """Return the answers of all *parts* in order as one table; at least one part is needed, all of one family."""

        def make(name: str) -> Column:
            return list(chain.from_iterable(part.column(name) for part in parts))

        return parts[0] if len(parts) == 1 else _Made(parts[0].family, sum(map(len, parts)), make)

    @staticmethod
    def by_family(parts: Iterable["Answers"]) -> list["Answers"]:
        """Return one table for each family that occurs in *parts*, with all its answers in order."""
        found: dict[Family, list[Answers]] = {family: [] for family in FAMILIES}
        for part in parts:
            found[part.family].append(part)
        return [Answers.joined(own) for own in found.values() if own]

    def column(self, name: str) -> Column:
        """Return the column *name*, with one entry for each answer; the caller must not change it."""
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def only(self, names: Iterable[str]) -> "Answers":
        """Return these answers with the named columns only; any other column is a KeyError."""
        return _Made(self.family, len(self), {name: self.column(name) for name in names}.__getitem__)

    def shared(self, names: Collection[str], known: dict[Any, Any]) -> "Answers":
        """Return these answers with one object for equal texts and pairs of integers in the named columns.

        *known* holds these objects; several tables that share them are given the same one.
        """

        def make(name: str) -> Column:
            own = self.column(name)
            return (
                [known.setdefault(one, one) if type(one) in _SHARED else one for one in own] if name in names else own
            )

        return _Made(self.family, len(self), make)

    def taken(self, rows: Sequence[int]) -> "Answers":
        """Return a table of the answers in these rows (from 0), in this order."""
        return _Made(self.family, len(rows), lambda name: list(map(self.column(name).__getitem__, rows)))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Answer:
        return Answer(*(self.column(name)[row] for name in Answer._fields))

    def __iter__(self) -> Iterator[Answer]:
        return map(Answer, *map(self.column, Answer._fields))


class _Made(Answers):
    """Answers whose columns the function *made* returns by name."""

    def __init__(self, family: Family, count: int, made: Callable[[str], Column]) -> None:
        super().__init__(family, count)
        self._made = made

    def _make(self, name: str) -> Column:
        return self._made(name)
