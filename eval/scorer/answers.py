"""Many answers of one family as columns: what they are scored from.

Contract: a column is a list with one entry per answer, and all columns have the same order. A column is made when it is
first asked for, so that nobody pays for what nobody reads; an answer is put together when it is asked for.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from medvision_agent.eval.scorer.answer import FAMILIES, Answer
from medvision_agent.eval.tasks import Family

__all__ = ["Answers", "Column"]

Column = list[Any]


class Answers(ABC):
    """As many answers as *count* says. Columns are the fields of ``Answer``, and what a ``Doc`` has after ``doc.``."""

    def __init__(self, family: Family, count: int) -> None:
        self.family = family
        self._count = count
        self._columns: dict[str, Column] = {}

    @abstractmethod
    def _make(self, name: str) -> Column:
        """Return a column that was not asked for before."""

    @staticmethod
    def of(answers: Sequence[Answer]) -> "Answers":
        """Return *answers*, all of one family, as columns."""
        return _Made(answers[0].family, len(answers), lambda name: list(map(attrgetter(name), answers)))

    @staticmethod
    def joined(parts: Sequence["Answers"]) -> "Answers":
        """Return the answers of all *parts*, one after the other; they are of one family."""

        def make(name: str) -> Column:
            return list(chain.from_iterable(part.column(name) for part in parts))

        return parts[0] if len(parts) == 1 else _Made(parts[0].family, sum(map(len, parts)), make)

    @staticmethod
    def by_family(parts: Iterable["Answers"]) -> list["Answers"]:
        """Return the answers of all *parts*, those of each family together."""
        found: dict[Family, list[Answers]] = {family: [] for family in FAMILIES}
        for part in parts:
            found[part.family].append(part)
        return [Answers.joined(own) for own in found.values() if own]

    def column(self, name: str) -> Column:
        """Return a column; not to be changed."""
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def only(self, names: Iterable[str]) -> "Answers":
        """Return these answers with the named columns alone; another one would be a KeyError."""
        return _Made(self.family, len(self), {name: self.column(name) for name in names}.__getitem__)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> Answer:
        return Answer(*(self.column(name)[row] for name in Answer._fields))

    def __iter__(self) -> Iterator[Answer]:
        return map(Answer, *map(self.column, Answer._fields))


class _Made(Answers):
    """Answers whose columns *made* gives by their names."""

    def __init__(self, family: Family, count: int, made: Callable[[str], Column]) -> None:
        super().__init__(family, count)
        self._made = made

    def _make(self, name: str) -> Column:
        return self._made(name)
