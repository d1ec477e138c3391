"""Many answers as columns: what they are scored from.

Contract: a column is a list with one entry per answer, and all columns have the same order. A column is made when it is
first asked for, so that nobody pays for what nobody reads. As a sequence this is one of answers: each is put together
when it is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, overload

from medvision_agent.eval.scorer.answer import FAMILIES, Answer, Doc
from medvision_agent.eval.tasks import Family

__all__ = ["Answers"]

Column = list[Any]
_OWN = tuple(name for name in Answer._fields if name != "doc")
_DOC = tuple(f"doc.{name}" for name in Doc._fields)


class Answers(Sequence[Answer]):
    """As many answers as *count* says. Columns are the fields of ``Answer``, and those of its ``Doc`` after ``doc.``.

    ``stored`` is the stored nMAE as it stands there, in which None is no number.

    *make* makes a column by its name; without it, columns are made of *parts*, one after the other, or of those of
    their *rows* that are given.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[str], Column] | None = None,
        parts: Sequence["Answers"] = (),
        rows: Sequence[int] | None = None,
    ) -> None:
        self._count = count
        self._columns: dict[str, Column] = {}
        self._make = make
        self._parts = parts
        self._rows = rows

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> "Answers":
        """Return *answers* as columns."""
        if isinstance(answers, Answers):
            return answers
        own = list(answers)
        columns = {name: [getattr(one, name) for one in own] for name in _OWN}
        columns |= {f"doc.{name}": [getattr(one.doc, name) for one in own] for name in Doc._fields}
        columns["stored"] = columns["nmae"]
        return cls(len(own), columns.__getitem__)

    @classmethod
    def joined(cls, parts: Iterable["Answers"]) -> "Answers":
        """Return the answers of all *parts*, one after the other."""
        there = [inner for part in parts for inner in part._whole_parts() if inner]
        return there[0] if len(there) == 1 else cls(sum(map(len, there)), None, there)

    def column(self, name: str) -> Column:
        """Return a column; not to be changed."""
        if name not in self._columns:
            self._columns[name] = self._make(name) if self._make else self._of_parts(name)
        return self._columns[name]

    def only(self, names: Iterable[str]) -> "Answers":
        """Return these answers with the named columns alone; another one would be a KeyError."""
        return Answers(self._count, {name: self.column(name) for name in names}.__getitem__)

    def take(self, rows: Sequence[int]) -> "Answers":
        """Return the answers in *rows*, in their order."""
        return Answers(len(rows), None, (self,), rows)

    def by_family(self) -> dict[Family, "Answers"]:
        """Return the answers of each family there is."""
        own = self.column("family")
        there = set(own)
        if len(there) == 1:
            return {own[0]: self}
        rows = {family: [row for row, one in enumerate(own) if one == family] for family in FAMILIES if family in there}
        return {family: self.take(mine) for family, mine in rows.items()}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> Answer: ...
    @overload
    def __getitem__(self, row: slice) -> "Answers": ...
    def __getitem__(self, row: int | slice) -> "Answer | Answers":
        if isinstance(row, slice):
            return self.take(range(self._count)[row])
        doc = Doc(*(self.column(name)[row] for name in _DOC))
        return Answer(doc=doc, **{name: self.column(name)[row] for name in _OWN})

    def __iter__(self) -> Iterator[Answer]:
        return map(self.__getitem__, range(self._count))

    def _whole_parts(self) -> Sequence["Answers"]:
        return self._parts if self._parts and self._rows is None else (self,)

    def _of_parts(self, name: str) -> Column:
        found = list(chain.from_iterable(part.column(name) for part in self._parts))
        return found if self._rows is None else [found[row] for row in self._rows]
