"""Values of the ``python`` tool as text, bounded while the text grows.

Runs in the child only. A list that holds itself twice over would have an endless text, so ``repr`` is not asked.
"""

from collections.abc import Iterator
from typing import Any

from medvision_agent.tools.sandbox.names import Function, Refused

__all__ = ["CHARACTERS", "clean", "show"]

CHARACTERS = 10_000
"""Longest text a value may have."""
_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", dict: "{}"}


def show(value: Any = "") -> str:
    """Return what ``print`` would write; raises Refused where it would be longer than CHARACTERS."""
    parts: list[str] = []
    length = 0
    for part in _parts(value, quoted=False):
        parts.append(part)
        length += len(part)
        if length > CHARACTERS:
            raise Refused(f"the text of a value is longer than {CHARACTERS} characters")
    return "".join(parts)


def clean(text: str) -> str:
    """Return *text* with every character that cannot be stored or shown as its escape."""
    return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)


def _parts(value: Any, *, quoted: bool = True) -> Iterator[str]:
    kind = type(value)
    if kind is Function:
        yield f"<function {value.name}>"
    elif kind in _BRACKETS:
        yield _BRACKETS[kind][0]
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _parts(item)
            if kind is dict:
                yield ": "
                yield from _parts(value[item])
        yield "," if kind is tuple and len(value) == 1 else ""
        yield _BRACKETS[kind][1]
    else:
        yield repr(value) if quoted else str(value)
