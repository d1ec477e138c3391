"""A column of a table: its name, the type of its values, a description, and how to read a value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

__all__ = ["Column", "Kind", "Value"]

Kind = Literal["text", "integer", "number", "flag"]
Value = str | int | float | bool | None

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column of a table: its name, its type, and how a value is read; *Row* is what a row is read from."""

    name: str
    """Includes the unit of the values."""
    kind: Kind
    """The type of the values; any value may be missing (None)."""
    about: str
    """Its description in one sentence."""
    of: Callable[[Row], Any]
    """Reads the value from a row object; None if there is none."""
