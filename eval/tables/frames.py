"""The tables of stored runs as pandas DataFrames, whole or part by part.

Contract: a column's dtype follows from its kind alone: ``string``, ``Int64``, ``float64`` and ``boolean``. A missing
value is NA (NaN in ``float64``). Half a character (a lone surrogate), which no file can store, becomes ``U+FFFD``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd

from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.reviews import read_reviews
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tables.column import Column, Kind
from medvision_agent.eval.tables.conversation import TOOL_CALLS, TURNS, TraceRow, tool_call_rows, turn_rows
from medvision_agent.eval.tables.readings import READINGS, ReadingRow, reading_rows
from medvision_agent.eval.tables.reviews import REVIEWS, NoteRow
from medvision_agent.eval.tables.samples import KEYS, SCORES, SampleRow, declared, sample_columns, sample_rows

__all__ = [
    "Folders",
    "Table",
    "frame",
    "readings_table",
    "reviews_table",
    "samples_table",
    "scores_table",
    "tool_calls_table",
    "turns_table",
]

Folders = Mapping[str, Path]
"""Folders of runs, by their names in tables."""
Row = TypeVar("Row")
DTYPES: dict[Kind, str] = {"text": "string", "integer": "Int64", "number": "float64", "flag": "boolean"}


_MOST = 20_000
"""Number of rows in a part of a table."""


@dataclass(frozen=True, eq=False)
class Table(Generic[Row]):
    """A table of stored runs that is built as a DataFrame on request; its rows can be read once."""

    columns: Sequence[Column[Row]]
    rows: Iterable[Row]

    def frame(self) -> pd.DataFrame:
        """Return the table as one DataFrame; reads the rows, which can be read only once."""
        return frame(self.columns, self.rows)

    def parts(self) -> Iterator[pd.DataFrame]:
        """Yield the table as DataFrames of at most 20,000 rows; an empty table gives one part without rows."""
        rows = iter(self.rows)
        yield frame(self.columns, islice(rows, _MOST))
        while len(part := frame(self.columns, islice(rows, _MOST))):
            yield part


def samples_table(folders: Folders, protocol: Protocol) -> Table[SampleRow]:
    """Return the table with a row for each sample of the runs, scored by a protocol."""
    runs = _opened(folders)
    tools = dict.fromkeys(chain.from_iterable(map(declared, runs.values())))
    return Table(sample_columns(tuple(tools)), _sample_rows(runs, protocol))


def scores_table(folders: Folders, protocol: Protocol) -> Table[SampleRow]:
    """Return the table with a row for each sample of the runs: what identifies it, and its score by a protocol."""
    return Table([*KEYS, *SCORES], _sample_rows(_opened(folders), protocol))


def turns_table(folders: Folders) -> Table[TraceRow]:
    """Return the table with a row for each message of the conversations of the runs."""
    return Table(TURNS, (row for name, folder in folders.items() for row in turn_rows(folder, name)))


def tool_calls_table(folders: Folders) -> Table[TraceRow]:
    """Return the table with a row for each tool call of the runs."""
    return Table(TOOL_CALLS, (row for name, folder in folders.items() for row in tool_call_rows(folder, name)))


def readings_table(folders: Folders, protocol: Protocol) -> Table[ReadingRow]:
    """Return the table with a row for each scored sample of the runs and each second reader asked about it."""
    runs = _opened(folders)
    return Table(READINGS, (row for name, run in runs.items() for row in reading_rows(run, name, protocol)))


def reviews_table(folders: Folders) -> Table[NoteRow]:
    """Return the table with a row for each person's note on a sample of the runs."""
    rows = (NoteRow(name, note) for name, folder in folders.items() for note in read_reviews(folder).reviews)
    return Table(REVIEWS, rows)


def _opened(folders: Folders) -> dict[str, Run]:
    return {name: open_run(folder) for name, folder in folders.items()}


def _sample_rows(runs: dict[str, Run], protocol: Protocol) -> Iterator[SampleRow]:
    """Yield the rows of all runs; a run is dropped from memory after its rows."""
    for name in list(runs):
        yield from sample_rows(runs.pop(name), name, protocol)


def frame(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> pd.DataFrame:
    """Return a DataFrame with one row for each of *rows*, and one value of it in each column."""
    values: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for column, own in zip(columns, values, strict=True):
            own.append(_READ[column.kind](value) if (value := column.of(row)) is not None else None)
    return pd.DataFrame(
        {column.name: pd.Series(own, dtype=DTYPES[column.kind]) for column, own in zip(columns, values, strict=True)}
    )


def _whole(text: object) -> str:
    found = str(text)
    try:
        found.encode()
    except UnicodeEncodeError:
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found


_READ: dict[Kind, Callable[[Any], Any]] = {"text": _whole, "integer": int, "number": float, "flag": bool}
