"""What a column of a table is: its name, the kind of its values, what it holds, and how a value is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

__all__ = ["Column", "Kind", "Value"]

Kind = Literal["text", "integer", "number", "flag"]
Value = str | int | float | bool | None

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of a table; *Row* is what a row is made of."""

    name: str
    """Carries the unit of the values."""
    kind: Kind
    """What the values are; any of them may be missing (None)."""
    about: str
    """What it holds, in one sentence."""
    of: Callable[[Row], Any]
    """Reads the value from what a row is made of; None where there is none."""
