"""Tables for a terminal, at most ``WIDTH`` columns wide, and how their cells are written.

Contract: text from runs (tool names are what a model wrote) is printed as plain characters, never as markup or terminal
control.
"""

from collections.abc import Iterable, Sequence

import click
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from medvision_agent.eval.compare.compare import TaskComparison
from medvision_agent.eval.summary.measures import Measure
from medvision_agent.eval.summary.summary import Summary, TaskSummary
from medvision_agent.finding import Finding
from medvision_agent.text import plural, printable

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
]


WIDTH = 100
_STANDARD = 80
"""Columns of a terminal that says nothing of its width."""


def show(view: RenderableType) -> None:
    """Print a view to standard output, as wide as the terminal but within ``WIDTH`` columns."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    console.print(view)


def columns() -> int:
    """Return how many columns a view may take."""
    console = Console()
    return min(console.width, WIDTH, _STANDARD) if console.is_terminal else _STANDARD


def plain(text: str) -> Text:
    """Return text with everything unprintable replaced, and no markup read."""
    return Text(printable(text))


def number(value: float | None, *, sign: bool = False) -> str:
    """Return a value for a table cell; ``-`` where there is none. What rounds to 0 is never negative."""
    if value is None:
        return "-"
    form = ".4f" if abs(value) < 1000 else ".4g"
    return format(round(value, 4) + 0.0 if abs(value) < 1 else value, f"+{form}" if sign else form)


def measured(value: float | None, measure: Measure, *, sign: bool = False) -> str:
    """Return a value of a measure for a table cell: rates and relative errors in per cent, differences in points."""
    if value is None or not measure.percent:
        return number(value, sign=sign)
    shown = round(100 * value, 1) + 0.0
    return f"{shown:+.1f} points" if sign else f"{shown:.1f}%"


def people(part: Summary | TaskSummary | TaskComparison) -> str:
    """Return how many subjects there are, and how many samples the largest of them has."""
    return f"{plural(part.subjects, 'subject')} (largest {part.largest_subject})"


def new_table(columns: Iterable[str], names: Iterable[str] = ("",)) -> Table:
    """Return an empty table: left-aligned columns of *names*, then right-aligned *columns*.

    A single column of names is never broken; of several, the longest are, so that the figures keep their room.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    heads = tuple(names)
    for name in heads:
        table.add_column(Text(name), no_wrap=len(heads) == 1, overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right")
    return table


def print_columns(rows: Sequence[Sequence[object]]) -> None:
    """Print rows as plain columns, to be copied; a column whose last cell is a number stands to the right."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, rows[-1], strict=True)
        padded = [
            str(cell).rjust(width) if isinstance(last, int) else str(cell).ljust(width) for cell, width, last in cells
        ]
        click.echo(printable("  ".join(padded).rstrip()))


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each finding."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        click.echo(printable(f"{finding.verdict:<8} {finding.what:<{width}}  {finding.words}"))
