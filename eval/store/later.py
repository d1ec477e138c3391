"""A sequence whose items are read when they are asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

__all__ = ["Later", "streamed"]

T = TypeVar("T")


class Later(Sequence[T]):
    """A sequence of known length whose items are read when one is first asked for, and kept from then on."""

    def __init__(self, length: int, read: Callable[[], Iterable[T]]) -> None:
        self._length, self._read = length, read
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
            return iter(self._items)
        return iter(self._read()) if self._length else iter(())

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
        return repr(self.items)


def streamed(items: Sequence[T]) -> Iterator[T]:
    """Yield items one after the other, for a caller who needs each only once."""
    return items.stream() if isinstance(items, Later) else iter(items)
