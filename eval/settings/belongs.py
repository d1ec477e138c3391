"""What a setting belongs to: the identity of a run, its tool condition, or neither.

Each field of ``Settings`` carries one of these. Resume, rerun, parity, the arms of a study and the options of ``run``
go by them, so that a setting is declared once.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

__all__ = ["NEITHER", "Belongs", "belongs", "condition", "identity"]


@dataclass(frozen=True, slots=True)
class Belongs:
    """Where one setting counts."""

    to: Literal["identity", "condition", "neither"]
    changes: frozenset[str] = frozenset()
    """The fields of a stored identity, and the hashes of its records, that may change with the setting."""
    varies: str = ""
    """What a study calls it in `varies`; empty: the name of the field."""


NEITHER = Belongs("neither")
"""May change between two sessions of one run."""


def identity(*changes: str, varies: str = "") -> Belongs:
    """Return the mark of a setting in which two runs that are resumed or compared must agree."""
    return Belongs("identity", frozenset(changes), varies)


def condition(*changes: str) -> Belongs:
    """Return the mark of a setting in which the two arms of a comparison of tools may differ."""
    return Belongs("condition", frozenset(changes))


def belongs(model: type[BaseModel]) -> dict[str, Belongs]:
    """Return the mark of every field of *model*; raises ValueError where a field has none."""
    marks = {}
    for name, field in model.model_fields.items():
        found = [mark for mark in field.metadata if isinstance(mark, Belongs)]
        if len(found) != 1:
            raise ValueError(f"{model.__name__}.{name} does not say what it belongs to")
        marks[name] = found[0]
    return marks
