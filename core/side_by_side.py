"""Two streams joined by a key, read side by side."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

__all__ = ["joined", "paired"]

T = TypeVar("T")


def paired(a: Iterable[T], b: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T, T]]:
    """Yield each item of *a* with the item of *b* that has the same *key*; items without a partner are left out.

    The order and the use of memory are those of ``joined``.
    """
    return ((one, two) for one, two in joined(a, b, key) if one is not None and two is not None)


def joined(a: Iterable[T], b: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T | None, T | None]]:
    """Yield the items of *a* and *b* that have the same *key* as pairs; an item without a partner is paired with None.

    Both inputs are read once, side by side, to their ends. No key occurs twice in one of them, and no item is None.
    Pairs come in the order of the inputs if both have one order, and so do the items of each input without a partner.
    An item is held in memory only until its partner comes: few are held if both inputs have one order.
    """
    left, alone = (iter(a), iter(b)), (dict[Hashable, T](), dict[Hashable, T]())
    ended = [False, False]
    while not all(ended):
        for side in (0, 1):
            mine, theirs = alone[side], alone[1 - side]
            if ended[side]:
                continue
            if (item := next(left[side], None)) is None:
                ended[side] = True
                yield from (_placed(one, None, 1 - side) for one in theirs.values())  # no partner comes any more
                theirs.clear()
            elif (partner := theirs.pop(key(item), None)) is not None or ended[1 - side]:
                yield _placed(item, partner, side)
            else:
                mine[key(item)] = item


def _placed(item: T, partner: T | None, side: int) -> tuple[T | None, T | None]:
    """Return an item of the input number *side* (0: a, 1: b) and its partner in the order of the inputs."""
    return (partner, item) if side else (item, partner)
