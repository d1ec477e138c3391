"""Numbers by keys in eight bytes each, where very many mappings have the same few sets of keys."""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from medvision_agent.packed_list import Slotted

__all__ = ["Packed"]

Key = TypeVar("Key")


class Packed(Slotted, Mapping[Key, float]):
    """A mapping from keys to numbers that cannot be changed; equal tuples of keys are stored once."""

    __slots__ = ("_keys", "_numbers")

    def __init__(self, numbers: Mapping[Key, float]) -> None:
        """Take the keys and numbers of *numbers*, in their order."""
        self._keys: tuple[Key, ...] = _shared(tuple(numbers))
        self._numbers = array("d", numbers.values()).tobytes()

    def __getitem__(self, key: Key) -> float:
        try:
            place = self._keys.index(key)
        except ValueError:
            raise KeyError(key) from None
        return float(memoryview(self._numbers).cast("d")[place])

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        """Return the text that a dictionary with the same content has."""
        return repr(dict(self))


@lru_cache(maxsize=1 << 10)
def _shared(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Return one and the same tuple for all tuples equal to *keys*."""
    return keys
