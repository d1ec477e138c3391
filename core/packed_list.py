"""A list whose items are made when they are read and not kept: a long one takes almost no memory."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar, overload

from medvision_agent.blocks import Blocks

__all__ = ["PackedList", "Slotted"]

T = TypeVar("T")

_TOGETHER = 256
"""Number of items that are packed together."""
_IN_MEMORY = 1 << 18
"""Bytes of packed items that are held in memory."""


class Slotted:
    """A base of dataclasses with slots that are packed in large numbers: they are made again in a third of the time.

    Their values are stored and set again as they are, without ``__init__``.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how pickle makes an equal object."""
        names: tuple[str, ...] = type(self).__slots__
        return _made_again, (type(self), *(getattr(self, name) for name in names))


_SETTERS = dict[type[Any], tuple[Callable[[object, object], None], ...]]()
"""The functions that set the slots of an object of a class, in their order."""


def _made_again(kind: type[Any], *values: object) -> object:
    if kind not in _SETTERS:
        _SETTERS[kind] = tuple(vars(kind)[name].__set__ for name in kind.__slots__)
    one: object = object.__new__(kind)
    for put, value in zip(_SETTERS[kind], values, strict=True):
        put(one, value)
    return one


class PackedList(Sequence[T]):
    """A list to which items are added one by one, packed in blocks.

    An item that is read twice is made twice, and both are as equal as two copies of it. Reading in order is fastest.
    Items must be of classes that pickle can store. *what* names them for an error.
    """

    def __init__(self, items: Iterable[T] = (), what: str = "results") -> None:
        self._blocks = Blocks(what, _IN_MEMORY)
        self._open = list[T]()
        """The items that do not fill a block yet."""
        self._read: tuple[int, list[T]] = -1, []
        """The block that an index read last, by its number."""
        for item in items:
            self.add(item)

    def add(self, item: T) -> Self:
        """Add one item at the end and return this list; raises StorageError where the temporary folder is full."""
        self._open.append(item)
        if len(self._open) == _TOGETHER:
            self._blocks.add(pickle.dumps(self._open, protocol=5))
            self._open = []
        return self

    def __len__(self) -> int:
        return len(self._blocks) * _TOGETHER + len(self._open)

    def __iter__(self) -> Iterator[T]:
        for number in range(len(self._blocks)):
            yield from self._items(number)
        yield from self._open

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        rows = range(len(self))[index]
        return self._at(rows) if isinstance(rows, int) else list(map(self._at, rows))

    def _at(self, row: int) -> T:
        number, place = divmod(row, _TOGETHER)
        if number == len(self._blocks):
            return self._open[place]
        known, items = self._read
        if known != number:
            items = self._items(number)
            self._read = number, items
        return items[place]

    def _items(self, number: int) -> list[T]:
        found: list[T] = pickle.loads(self._blocks[number])  # noqa: S301 - from this process
        return found
