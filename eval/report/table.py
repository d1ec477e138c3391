"""A table as data, and its output formats: HTML (by the template), CSV and Markdown; LaTeX is in latex.py.

Contract: cells keep full precision in CSV and are rounded elsewhere. Texts may come from a model: characters with a
meaning in a spreadsheet or Markdown are escaped, and control characters are replaced everywhere.
"""

import csv
import io
import re
from dataclasses import dataclass
from typing import Literal

from medvision_agent.text import fixed, printable

__all__ = ["NONE", "Column", "Table", "Value", "csv_text", "fixed", "markdown_text", "md"]

Value = str | int | float | None
NONE = "\N{EN DASH}"
"""What a cell without a value shows."""
_MINUS = "\N{MINUS SIGN}"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#!|~&$@]|^[-+=]|(?<=:)/|(?<=www)\.)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, and how its cells are rounded and written."""

    name: str
    digits: int = 3
    sign: bool = False
    """Whether numbers are shown with their sign, for differences."""
    text: bool = False
    """Whether it contains text, which is left-aligned."""
    percent: bool = False
    """Whether numbers are fractions that are shown in per cent, and differences of them in percentage points."""
    unit: Literal["", "%"] = ""
    """The unit of numbers that are already in per cent: shown after each, in CSV files in the heading."""
    group: str = ""
    """The heading above it and its neighbours of the same group."""
    short: str = ""
    """The label beside each cell on narrow screens; default: its name."""
    detail: bool = False
    """Whether LaTeX leaves it to the CSV file, because a paper hardly needs it."""

    @property
    def full(self) -> str:
        """The name of the column after that of its group, if it has one."""
        return f"{self.group} {self.name}" if self.group else self.name


@dataclass(frozen=True)
class Table:
    """A table of a report as data; the first cell of each row is the row's header."""

    id: str
    """Unique in a report; also the name of its files."""
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    """Notes that apply to all rows."""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.id}: every row must have {len(self.columns)} cells, one for each column")

    @property
    def shown(self) -> list[list[str]]:
        """The cells of the table as rounded texts, row by row."""
        return [[_shown(cell, column) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows]


def csv_text(table: Table) -> str:
    """Return the table as CSV with unrounded numbers; no cell is a formula for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{column.full} ({column.unit})" if column.unit else column.full for column in table.columns])
    writer.writerows([[_exact(cell) for cell in row] for row in table.rows])
    return out.getvalue()


def markdown_text(table: Table) -> str:
    """Return the table as Markdown: its caption, the notes for all rows, the rows, and the other notes."""
    head = [md(column.full) or " " for column in table.columns]
    rule = [":--" if column.text or number == 0 else "--:" for number, column in enumerate(table.columns)]
    rows = [head, rule, *([md(cell) for cell in row] for row in table.shown)]
    above = [line for note in table.above for line in (md(note), "")]
    lines = [f"**{md(table.caption)}**", "", *above, *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, *(line for note in table.notes for line in ("", md(note)))]) + "\n"


def md(text: str) -> str:
    """Return *text* on one line, escaped so that Markdown shows it unchanged."""
    escaped = _MARKDOWN.sub(r"\\\1", " ".join(printable(text, lines=True).split()))
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped)


def _shown(cell: Value, column: Column) -> str:
    if cell is None:
        return NONE
    if isinstance(cell, str):
        return f"{printable(cell)}{column.unit}"
    if isinstance(cell, int) and not column.percent:
        return f"{cell:,}{column.unit}"
    if column.percent:
        return f"{fixed(100 * cell, column.digits, sign=column.sign)}{' points' if column.sign else '%'}"
    if abs(cell) < 10 ** (7 - column.digits):
        return f"{fixed(cell, column.digits, sign=column.sign)}{column.unit}"
    return f"{format(cell, '+.4g' if column.sign else '.4g').replace('-', _MINUS)}{column.unit}"


def _exact(cell: Value) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        clean = printable(cell)
        return f"'{clean}" if clean[:1] in {"=", "+", "-", "@", "\t"} else clean
    return repr(cell)
