"""A table as data, and its four output formats: HTML (by the template), CSV, LaTeX and Markdown.

Contract: cells keep full precision in CSV and are rounded elsewhere. Texts may come from a model: characters with a
meaning in a spreadsheet, LaTeX or Markdown are escaped, and control characters are replaced everywhere.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from medvision_agent.text import fixed, printable

__all__ = ["Column", "Table", "Value", "csv_text", "fixed", "latex_text", "markdown_text", "md"]

Value = str | int | float | None
NONE = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "*": "{*}",
    NONE: "--",
    "≥": r"$\geq$",
    _MINUS: "$-$",
}
_TEXT_WIDTH = 75
"""Characters of a table that fit a page of A4 or letter paper at the usual size of 10 points."""
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


def latex_text(table: Table) -> str:
    """Return the table as a LaTeX ``table`` environment, which needs the package booktabs."""
    align = "".join("l" if column.text or number == 0 else "r" for number, column in enumerate(table.columns))
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_latex(table.caption)}}}"]
    lines += [rf"\label{{tab:{re.sub(r'[^A-Za-z0-9]+', '-', table.id)}}}"]
    widths = [max((len(row[number]) for row in table.shown), default=0) for number in range(len(table.columns))]
    names = [_stacked(column.name, width) for column, width in zip(table.columns, widths, strict=True)]
    across = sum(max(width, *map(len, name)) + 2 for width, name in zip(widths, names, strict=True))
    lines += [r"\footnotesize", r"\setlength{\tabcolsep}{3pt}"] if across > _TEXT_WIDTH else []
    lines += [rf"\begin{{tabular}}{{{align}}}"]
    lines += [
        r"\toprule",
        *_latex_groups(table.columns),
        " & ".join(_latex_stack(name, side) for name, side in zip(names, align, strict=True)) + r" \\",
        r"\midrule",
    ]
    lines += [_latex_row(row) for row in table.shown]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\smallskip\footnotesize {_latex(note)}" for note in (*table.above, *table.notes)]
    return "\n".join(["% Needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}.", *lines, r"\end{table}", ""])


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


def _stacked(name: str, width: int) -> list[str]:
    """Return a column's name in lines of at most *width* characters (or 10, if that is more); no word is broken."""
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= max(width, 10):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def _latex_stack(lines: Sequence[str], side: str) -> str:
    text = r" \\ ".join(map(_latex, lines))
    return rf"\shortstack[{side}]{{{text}}}" if len(lines) > 1 else text


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(_latex, cells)) + r" \\"


def _latex_groups(columns: Sequence[Column]) -> list[str]:
    """Return the LaTeX lines above the column names: names of groups with rules under them; empty without groups."""
    cells, rules, first = list[str](), list[str](), 1
    for group, own in groupby(columns, key=lambda column: column.group):
        width = len(list(own))
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{_latex(group)}}}")
        rules += [rf"\cmidrule(lr){{{first}-{first + width - 1}}}"] if group else []
        first += width
    return [" & ".join(cells) + r" \\", " ".join(rules)] if rules else []


def _latex(text: str) -> str:
    parts = printable(text).split("->")
    return r"$\rightarrow$".join("".join(_LATEX.get(character, character) for character in part) for part in parts)
