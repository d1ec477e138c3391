"""Tables for a terminal, at most ``WIDTH`` columns wide, and the format of their cells.

Contract: text from runs (tool names are what a model wrote) is printed as plain characters, never as markup or terminal
control.
"""

import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from textwrap import TextWrapper

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from medvision_agent.eval.compare.compare import TaskComparison
from medvision_agent.eval.summary.measures import Measure
from medvision_agent.eval.summary.summary import Summary, TaskSummary
from medvision_agent.finding import Finding
from medvision_agent.text import percent, plural, points, printable

__all__ = [
    "WIDTH",
    "columns",
    "measured",
    "new_table",
    "number",
    "people",
    "plain",
    "print_columns",
    "print_findings",
    "show",
    "show_lines",
]


WIDTH = 100
_NAME = 12
"""Fewest characters of a name in one line."""
_GAP = 3
"""Characters between two columns."""
_STANDARD = 80
"""Columns of a terminal whose width is unknown."""


def show(view: RenderableType) -> None:
    """Print a view to standard output, as wide as the terminal but within ``WIDTH`` columns."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(view, crop=False)  # only a path is ever longer, which is no use where it is cut


def show_lines(lines: Iterable[str]) -> None:
    """Print lines of text to standard output, wrapped to the terminal, without control characters."""
    for line in lines:
        show(plain(line))


def columns() -> int:
    """Return how many columns a table may take: those of the terminal, at most 80."""
    console = Console()
    return min(console.width, WIDTH, _STANDARD) if console.is_terminal else _STANDARD


def plain(text: str) -> Text:
    """Return text with unprintable characters replaced and without interpreting markup."""
    return Text(printable(text))


def number(value: float | None, *, sign: bool = False) -> str:
    """Return a value for a table cell, with four decimals (or significant digits from 1000 on); ``-`` for None.

    A value that rounds to 0 has no minus. With *sign*, a plus stands before positive values.
    """
    if value is None:
        return "-"
    form = ".4f" if abs(value) < 1000 else ".4g"
    return format(round(value, 4) + 0.0 if abs(value) < 1 else value, f"+{form}" if sign else form)


def measured(value: float | None, measure: Measure, *, sign: bool = False) -> str:
    """Return a value of *measure* for a table cell, rates and relative errors in per cent; ``-`` for None.

    With *sign* it is a difference: of rates, it is in percentage points.
    """
    if value is None or not measure.percent:
        return number(value, sign=sign)
    return points(value) if sign else percent(value)


def people(part: Summary | TaskSummary | TaskComparison) -> str:
    """Return in words the number of subjects, and of samples of the subject with most."""
    return f"{plural(part.subjects, 'subject')} (largest {part.largest_subject})"


class _Fitting(Table):
    """A table of names and figures; where the figures do not fit into the width, each row is written in words."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, or its rows as lines that wrap."""
        cells = [[str(cell) for cell in (column.header, *column.cells)] for column in self.columns]
        named = [column.justify != "right" for column in self.columns]
        widths = _widths(cells, named, options.max_width - _GAP * (len(cells) - 1))
        if widths is None:
            yield from self._in_words(cells, named)
            return
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _in_words(self, cells: Sequence[Sequence[str]], named: Sequence[bool]) -> Iterable[Text]:
        """Yield each row as a line; *cells* holds the cells of each column, its head first."""
        heads, *rows = zip(*cells, strict=True)
        for row in rows:
            each = list(zip(row, named, heads, strict=True))
            name = ", ".join(cell for cell, is_name, _ in each if is_name and cell)
            yield Text(f"{name}: " + ", ".join(f"{head} {cell}" for cell, is_name, head in each if not is_name))


def _widths(cells: Sequence[Sequence[str]], named: Sequence[bool], room: int) -> list[int] | None:
    """Return the widths of columns that fit into *room*; None if even broken heads and names do not fit.

    *cells* has the cells of each column, its head first; *named* says which columns are names. Heads are broken first,
    then names; figures are never broken.
    """
    whole = [max(map(cell_len, column)) for column in cells]
    least = [
        width if is_name else max(map(cell_len, [*own, *head.split()]))
        for width, is_name, (head, *own) in zip(whole, named, cells, strict=True)
    ]
    for widths in (whole, least):
        if sum(widths) <= room:
            return widths
    broken = [min(width, _NAME) if is_name else width for width, is_name in zip(least, named, strict=True)]
    spare = room - sum(broken)
    if spare < 0:
        return None
    for place, width in enumerate(least):  # remaining room goes to the names, from the first on
        more = min(spare, width - broken[place])
        broken[place] += more
        spare -= more
    return broken


def new_table(columns: Iterable[str], names: Iterable[str] = ("",)) -> Table:
    """Return an empty table: left-aligned columns of *names*, then right-aligned *columns*.

    Names are broken so that the figures keep their room, and no figure is ever cut.
    """
    table = _Fitting(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right")
    return table


def print_columns(rows: Sequence[Sequence[object]], heads: Sequence[str] = ()) -> None:
    """Print rows as plain columns for copying; a column whose last cell is a number is right-aligned.

    In a terminal that is too narrow, each row is its first cell with the other cells below it, wrapped. With *heads*,
    the names of the columns, each of these cells then has its name.
    """
    texts = [[printable(str(cell)) for cell in row] for row in ([heads, *rows] if heads else rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    limit = get_terminal_size().columns if sys.stdout.isatty() else None
    if limit is not None and sum(widths) + 2 * (len(widths) - 1) > limit:
        for row in texts[bool(heads) :]:
            _print_stacked(row, heads, limit)
        return
    right = [isinstance(cell, int) for cell in rows[-1]]
    for row in texts:
        cells = zip(row, widths, right, strict=True)
        padded = [cell.rjust(width) if is_number else cell.ljust(width) for cell, width, is_number in cells]
        click.echo("  ".join(padded).rstrip())


def _print_stacked(row: Sequence[str], heads: Sequence[str], limit: int) -> None:
    """Print the first cell of a row, and below it the others with their *heads*, at most *limit* columns wide."""
    names = [f"{head} " for head in heads[1:]] or [""] * (len(row) - 1)
    others = (", " if heads else "  ").join(f"{name}{cell}" for name, cell in zip(names, row[1:], strict=True) if cell)
    print_wrapped(row[0], limit=limit)
    if others:
        print_wrapped(others, indent=4, limit=limit)


def print_wrapped(text: str, *, indent: int = 0, hanging: int | None = None, limit: int | None = None) -> None:
    """Print a text in lines that fit the terminal; into a file or another program it stays one line.

    *indent* blanks stand before the first line, *hanging* blanks (None: *indent*) before the others. *limit* is the
    number of columns (None: those of the terminal).
    """
    if limit is None:
        limit = get_terminal_size().columns if sys.stdout.isatty() else None
    shown = " " * indent + printable(text)
    hang = " " * (indent if hanging is None else hanging)
    fold = TextWrapper(limit or len(shown) + 1, subsequent_indent=hang, break_on_hyphens=False)
    fold.break_long_words = False  # paths and ids must stay copyable
    for line in fold.wrap(shown) or [""]:
        click.echo(line)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each finding, wrapped to the terminal."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        line = f"{finding.verdict:<8} {finding.what:<{width}}  {finding.words}"
        print_wrapped(line, hanging=9)
