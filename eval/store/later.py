"""A sequence whose items are read when they are first needed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

from medvision_agent.errors import StorageError
from medvision_agent.packed_list import PackedList

__all__ = ["Later", "streamed"]

T = TypeVar("T")


class Later(Sequence[T]):
    """A sequence of known length: all items are read when the first is needed, and then kept, unless they are streamed.

    After ``pack`` they are kept packed: each is made anew when it is read. Raises StorageError if the stored number of
    items changed after the run was opened.
    """

    def __init__(
        self,
        length: int,
        read: Callable[[], Iterable[T]],
        what: str,
        *,
        smaller: Callable[[T], T] | None = None,
        parts: "Later[Any] | None" = None,
    ) -> None:
        """Take the number of items, the function that reads them, and *what*, their name for messages.

        *smaller* returns an equal item that takes less memory, for items that are kept. *parts* is a sequence of
        objects that the items contain: it is kept before the items are, so that both share these objects.
        """
        self._length, self._read, self._what = length, read, what
        self._smaller, self._parts = smaller, parts
        self._items: list[T] | None = None
        self._packed: PackedList[T] | None = None

    @property
    def items(self) -> list[T]:
        """All items, read now if they are not in memory yet."""
        if self._items is None:
            if self._parts is not None and self._length:
                self._parts.keep()
            self._items = list(self.stream() if self._smaller is None else map(self._smaller, self.stream()))
        return self._items

    @property
    def kept(self) -> bool:
        """Whether all items are in memory."""
        return self._items is not None

    def keep(self) -> None:
        """Read all items now and keep them."""
        self._items = self.items

    @property
    def at_hand(self) -> bool:
        """Whether ``stream`` reads nothing from the store, because all items are kept, packed or not."""
        return self._items is not None or self._packed is not None

    def pack(self, also: Callable[[T], object] | None = None) -> None:
        """Read all items now and keep them packed, so that several streams read the store once.

        *also* is called with each item while they are read. Nothing is done if all items are kept already.
        """
        if not self.at_hand:
            packed = PackedList[T](what=self._what)
            for item in self.stream():
                packed.add(item)
                if also is not None:
                    also(item)
            self._packed = packed

    def stream(self) -> Iterator[T]:
        """Yield one item after the other without keeping it."""
        if self._items is not None:
            yield from self._items
        elif self._packed is not None:
            yield from self._packed
        elif self._length:
            count = 0
            for item in self._read():
                count += 1
                yield item
            if count != self._length:
                raise StorageError(
                    f"{self._what}: there were {self._length} when the run was opened, now there are {count}, so "
                    "another process changed the run; repeat the command"
                )

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index] if self._packed is None else self._packed[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items) if self._packed is None else self.stream()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.items == list(other)

    def __hash__(self) -> int:
        raise TypeError("a sequence that may equal a list has no hash")

    def __repr__(self) -> str:
        """Return a short text without reading: ``asyncio.run`` at its end calls ``repr`` on its result, a whole run."""
        return f"<{self._what}: {self._length}>"


def streamed(items: Sequence[T]) -> Iterator[T]:
    """Yield the items one at a time without keeping them, for a caller that needs each only once."""
    return items.stream() if isinstance(items, Later) else iter(items)
