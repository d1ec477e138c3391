"""Lines of a run as columns."""

from collections.abc import Iterable, Sequence
from typing import Any

from medvision_agent.eval.browse.forms import Rows, Words
from medvision_agent.eval.browse.line import Line

__all__ = ["rows_of"]


def rows_of(run: str, stamp: int, at: Sequence[int], lines: Sequence[Line]) -> Rows:
    """Return *lines* of the run with key *run* as columns; *at* holds their row numbers, *stamp* the run's stamp."""
    values = zip(*lines, strict=True) if lines else ((),) * len(Line._fields)
    columns: dict[str, Any] = dict(zip(Line._fields, values, strict=True))
    for name, field in Rows.model_fields.items():
        if field.annotation is Words:
            columns[name] = _words(columns[name])
    del columns["success"]
    # The values are typed where lines are made; validating millions of them again would take longer than reading them.
    return Rows.model_construct(run=run, stamp=stamp, rows=tuple(at), **columns)


def _words(texts: Iterable[str | None]) -> Words:
    """Return *texts* in a compact form that stores equal ones once; an empty text, like None, is not stored."""
    known: dict[str, int] = {}
    at = tuple(known.setdefault(text, len(known)) if text else -1 for text in texts)
    return Words.model_construct(values=tuple(known), at=at)
