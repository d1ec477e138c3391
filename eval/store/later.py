"""A sequence whose items are read when they are asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

from medvision_agent.errors import StorageError

__all__ = ["Later", "streamed"]

T = TypeVar("T")


class Later(Sequence[T]):
    """A sequence of known length whose items are read when one is first asked for, and kept from then on.

    Raises StorageError where there are no longer as many.
    """

    def __init__(self, length: int, read: Callable[[], Iterable[T]], what: str) -> None:
        """Take the number of items, how they are read, and what they are in words."""
        self._length, self._read, self._what = length, read, what
        self._items: list[T] | None = None

    @property
    def items(self) -> list[T]:
        """All items."""
        if self._items is None:
            self._items = list(self.stream())
        return self._items

    def stream(self) -> Iterator[T]:
        """Yield one item after the other, and keep none that is not kept already."""
        if self._items is not None:
            yield from self._items
        elif self._length:
            count = 0
            for item in self._read():
                count += 1
                yield item
            if count != self._length:
                raise StorageError(f"{self._what}: there were {self._length} when it was opened, and there are {count}")

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.items == list(other)

    def __hash__(self) -> int:
        raise TypeError("a sequence that may equal a list has no hash")

    def __repr__(self) -> str:
        """Name them, and read nothing: at its end, ``asyncio.run`` makes a text of what it returns, a whole run."""
        return f"<{self._what}: {self._length}>"


def streamed(items: Sequence[T]) -> Iterator[T]:
    """Yield items one after the other, for a caller who needs each only once."""
    return items.stream() if isinstance(items, Later) else iter(items)
