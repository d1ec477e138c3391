"""Writing a report: the page, and its tables as CSV and LaTeX."""

from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.report.markdown import markdown_page
from medvision_agent.eval.report.model import Report
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.sections import report_tables
from medvision_agent.eval.report.table import csv_text, latex_text

__all__ = ["FORMATS", "write_report", "write_tables"]

FORMATS = {"html": html_page, "md": markdown_page}


def write_report(report: Report, out: Path, form: str) -> None:
    """Write the report; raises StorageError where the file cannot be written."""
    _write(out, FORMATS[form](report))


def write_tables(report: Report, folder: Path) -> int:
    """Write every table as CSV and LaTeX, named by its id; returns how many there are."""
    tables = report_tables(report)
    for table in tables:
        _write(folder / f"{table.id}.csv", csv_text(table))
        _write(folder / f"{table.id}.tex", latex_text(table))
    return len(tables)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}") from error
