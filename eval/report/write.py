"""Writing a report: as an HTML page or as Markdown, its tables as CSV and LaTeX, and its figures as SVG and PDF.

Markdown contains the words and tables; only the HTML page contains figures and images.
"""

import json
from pathlib import Path
from typing import Literal

from medvision_agent.errors import StorageError
from medvision_agent.eval.data.folders import Folders
from medvision_agent.eval.figures.files import pages, write_figure
from medvision_agent.eval.report.found import found_tables
from medvision_agent.eval.report.how import how
from medvision_agent.eval.report.latex import latex_text
from medvision_agent.eval.report.links import Viewer
from medvision_agent.eval.report.model import Chapter, Report, RunFacts
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.report.sections import once, place_of, report_figures, report_tables, sections
from medvision_agent.eval.report.table import Table, csv_text, markdown_text, md
from medvision_agent.eval.report.words import title
from medvision_agent.text import printable

__all__ = ["markdown_page", "write_figures", "write_index", "write_report", "write_table", "write_tables"]


def markdown_page(report: Report) -> str:
    """Return the report as Markdown, without figures and images; a model's text is never interpreted as markup."""
    lines = [
        "# medvision-agent report",
        "",
        f"Made by medvision-agent {md(report.version)}. Figures: see the HTML page.",
    ]
    for chapter in report.chapters:
        lines += _chapter(chapter, place_of(report, chapter))
    return "\n".join(lines).rstrip() + "\n"


def write_report(report: Report, out: Path, form: Literal["html", "md"], viewer: Viewer | None = None) -> None:
    """Write the report to the file *out* as HTML or Markdown; raises StorageError if it cannot be written.

    An HTML page links into the bundle of the *viewer*, if there is one. Paths of local folders are left out.
    """
    page = html_page(report, viewer) if form == "html" else markdown_page(report)
    runs = [run for chapter in report.chapters for run in chapter.runs]
    sources = {str(run.config["source"]["name"]) for run in runs}
    known = Folders((Path(run.folder) for run in runs), sources, md if form == "md" else str)
    _write(out, known.left_out_of(page))


def write_tables(report: Report, folder: Path) -> int:
    """Write every table of a report as CSV and LaTeX into *folder*, named by its id; return the number of tables.

    Raises StorageError if a file cannot be written.
    """
    tables = report_tables(report)
    for table in tables:
        write_table(table, folder)
    return len(tables)


def write_table(table: Table, folder: Path) -> None:
    """Write a table as CSV and LaTeX into *folder*, named by its id; raises StorageError if that fails."""
    _write(folder / f"{table.id}.csv", csv_text(table))
    _write(folder / f"{table.id}.tex", latex_text(table))


def write_figures(report: Report, folder: Path) -> int:
    """Write every figure of a report as SVG and PDF into *folder*, named by its id; return the number of figures.

    Raises StorageError if a file cannot be written.
    """
    figures = report_figures(report)
    for figure in figures:
        write_figure(figure, folder)
    return len(figures)


def write_index(report: Report, folder: Path) -> None:
    """Write ``index.md`` into *folder*: every figure and table with its files and its caption.

    They are in the order of the page. Raises StorageError if the file cannot be written.
    """
    lines = [
        "# Figures and tables",
        "",
        "Figures are `.svg` and `.pdf`, tables are `.csv` and `.tex`.",
        "",
        "## Figures",
        "",
    ]
    for figure in report_figures(report):
        names = ", ".join(f"`{part.name}`" for part in pages(figure))
        lines += [f"- {names}: **{md(figure.title)}**. {md(figure.description)}"]
    lines += ["", "## Tables", ""]
    lines += [f"- `{table.id}`: **{md(table.caption)}**" for table in report_tables(report)]
    _write(folder / "index.md", "\n".join(lines) + "\n")


def _chapter(chapter: Chapter, place: str) -> list[str]:
    found = chapter.findings
    lines = ["", f"## {md(title(chapter))}"]
    lines += ["", f"> **{md(found.banner)}**"] if found.banner else []
    lines += [text for sentence in found.headline for text in ("", md(sentence))]
    lines += ["", md(found.asked)]
    lines += [text for table in found_tables(chapter, place) for text in ("", markdown_text(table).rstrip())]
    if found.caveats:
        lines += ["", "### Caveats", ""]
    for caveat in found.caveats:
        lines += [f"- {md(caveat.text)}", *(f"  - {md(detail)}" for detail in caveat.details)]
    for section in once(chapter, sections(chapter, place, draw=False)):
        lines += ["", f"### {md(section.title)}"]
        lines += [text for note in section.notes for text in ("", md(note))]
        lines += ["", *(f"- {md(sentence)}" for sentence in section.words)] if section.words else []
        lines += [text for table in section.tables for text in ("", markdown_text(table).rstrip())]
    lines += ["", "### How it was run", "", *(f"- {md(name)}: {md(text)}" for name, text in how(chapter))]
    if chapter.plan:
        lines += _code("Plan of the study", json.dumps(chapter.plan, indent=2, sort_keys=True))
    for run in chapter.runs:
        lines += _run(run)
    return lines


def _run(run: RunFacts) -> list[str]:
    lines = ["", f"#### Run: {md(run.arm)}", "", f"- {md(run.folder)}", *(f"- {md(fact)}" for fact in run.facts)]
    lines += [f"- failed: {md(sample)}: {md(ending)} {md(detail)}" for sample, ending, detail in run.details]
    lines += [f"- and {run.more_details} more failures"] if run.more_details else []
    for asked in run.asked:
        lines += _code(f"Prompt of the first {asked.task} sample", f"{asked.system}\n\n{asked.question}")
    lines += _code("Resolved settings", json.dumps(dict(run.config), indent=2, sort_keys=True))
    return lines + _code("Identity", json.dumps(run.identity.plain(), indent=2, sort_keys=True))


def _code(title: str, text: str) -> list[str]:
    """Return the lines of a titled Markdown block that shows *text* as it is.

    The text is indented, so that nothing in it can end the block.
    """
    return ["", f"{md(title)}:", "", *(f"    {line}" for line in printable(text, lines=True).splitlines())]


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StorageError(
            f"{file} cannot be written: {error.strerror}; check the folder and its free space"
        ) from error
