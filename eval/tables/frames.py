"""The tables of stored runs as pandas DataFrames.

Contract: a column's dtype follows from its kind alone: ``string``, ``Int64``, ``float64`` and ``boolean``. What is
missing is NA (NaN in ``float64``). Half a character (a lone surrogate), which no file can store, is ``U+FFFD``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.reviews import read_reviews
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tables.column import Column, Kind
from medvision_agent.eval.tables.conversation import TOOL_CALLS, TURNS, tool_call_rows, turn_rows
from medvision_agent.eval.tables.reviews import REVIEWS, NoteRow
from medvision_agent.eval.tables.samples import KEYS, SCORES, declared, sample_columns, sample_rows

__all__ = ["Folders", "frame", "reviews_frame", "samples_frame", "scores_frame", "tool_calls_frame", "turns_frame"]

Folders = Mapping[str, Path]
"""Folders of runs, by the names that tables call them."""
Row = TypeVar("Row")
DTYPES: dict[Kind, str] = {"text": "string", "integer": "Int64", "number": "float64", "flag": "boolean"}


def samples_frame(folders: Folders, protocol: Protocol) -> pd.DataFrame:
    """Return a row for each sample of the runs, scored by a protocol."""
    runs = _opened(folders)
    tools = dict.fromkeys(chain.from_iterable(map(declared, runs.values())))
    rows = chain.from_iterable(sample_rows(run, name, protocol) for name, run in runs.items())
    return frame(sample_columns(tuple(tools)), rows)


def scores_frame(folders: Folders, protocol: Protocol) -> pd.DataFrame:
    """Return a row for each sample of the runs with its score by a protocol, and nothing else of it."""
    rows = (row for name, run in _opened(folders).items() for row in sample_rows(run, name, protocol))
    return frame([*KEYS, *SCORES], rows)


def turns_frame(folders: Folders) -> pd.DataFrame:
    """Return a row for each message of the conversations of the runs."""
    return frame(TURNS, (row for name, folder in folders.items() for row in turn_rows(folder, name)))


def tool_calls_frame(folders: Folders) -> pd.DataFrame:
    """Return a row for each tool call of the runs."""
    return frame(TOOL_CALLS, (row for name, folder in folders.items() for row in tool_call_rows(folder, name)))


def reviews_frame(folders: Folders) -> pd.DataFrame:
    """Return a row for each note on a sample of the runs."""
    rows = (NoteRow(name, note) for name, folder in folders.items() for note in read_reviews(folder).reviews)
    return frame(REVIEWS, rows)


def _opened(folders: Folders) -> dict[str, Run]:
    return {name: open_run(folder) for name, folder in folders.items()}


def frame(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> pd.DataFrame:
    """Return a table of rows, one value of each for each column."""
    values: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for column, own in zip(columns, values, strict=True):
            own.append(_READ[column.kind](value) if (value := column.of(row)) is not None else None)
    return pd.DataFrame(
        {column.name: pd.Series(own, dtype=DTYPES[column.kind]) for column, own in zip(columns, values, strict=True)}
    )


def _whole(text: object) -> str:
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_READ: dict[Kind, Callable[[Any], Any]] = {"text": _whole, "integer": int, "number": float, "flag": bool}
