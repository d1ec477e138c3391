"""Stored runs and studies as files for others: the report, neutral tables, MedVision's result files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from shutil import copyfile
from typing import Literal

from medvision_agent.api.loaded import PathText, load
from medvision_agent.eval.report.collect import PICTURES, collect
from medvision_agent.eval.report.write import write_report, write_tables
from medvision_agent.eval.results.export import Exported, export_run
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.reviews import REVIEWS, has_reviews, read_reviews
from medvision_agent.eval.tables.write import Format, export_tables

__all__ = ["ExportedRun", "Written", "export", "export_medvision", "report"]

_MARKDOWN = {".md", ".markdown"}


@dataclass(frozen=True, slots=True)
class Written:
    """What a report was written to."""

    page: Path
    tables: int
    """How many tables were written beside it, each as CSV and LaTeX."""


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A run in MedVision's result files."""

    files: Exported
    unfinished: int
    """Samples that were not finished, and are not in them."""


def report(
    folders: PathText | Sequence[PathText],
    out: PathText,
    *,
    format: Literal["html", "md"] | None = None,  # noqa: A002 - the option's name
    tables: PathText | None = None,
    pictures: int = PICTURES,
    protocol: str | None = None,
) -> Written:
    """Write stored runs and studies as one page that needs no network; an existing file is overwritten.

    Args:
        folders: Runs and studies.
        out: The file.
        format: By the name of the file where not given, else HTML.
        tables: A folder that every table is written into, as CSV and as LaTeX.
        pictures: Samples shown for each contrast, at most.
        protocol: Scoring rules; where not given those a study declared, else the default ones.
    """
    given = [folders] if isinstance(folders, str | PathLike) else folders
    rules, page = protocol_named(protocol) if protocol else None, Path(out)
    found = collect([Path(folder) for folder in given], rules, most_pictures=pictures)
    write_report(found, page, format or ("md" if page.suffix.lower() in _MARKDOWN else "html"))
    return Written(page, write_tables(found, Path(tables)) if tables is not None else 0)


def export(
    path: PathText,
    out: PathText,
    format: Format = "parquet",  # noqa: A002 - the option's name
    *,
    protocol: str | None = None,
) -> dict[Path, int]:
    """Write the tables of a run, a study or a folder of runs (see ``load``) into a new folder.

    Returns the files, ``samples``, ``turns`` and ``tool_calls``, with their numbers of rows, and ``reviews`` where
    somebody put notes on samples. Raises StorageError where *out* is there already or cannot be written.
    """
    loaded = load(path)
    tables = {"samples": loaded.samples(protocol), "turns": loaded.turns(), "tool_calls": loaded.tool_calls()}
    if any(map(has_reviews, loaded.folders.values())):
        tables["reviews"] = loaded.reviews()
    return export_tables(tables, Path(out), format)


def export_medvision(run: PathText, out: PathText) -> ExportedRun:
    """Write a run over MedVision's samples as MedVision's own result files, a folder for each kind of task.

    Notes on its samples are copied beside them, to ``MODEL.review.jsonl``.
    """
    stored = open_run(Path(run))
    name, now = stored.identity.model_name, datetime.now().astimezone()
    done = export_run(stored.records, name, Path(out), now)
    if has_reviews(stored.folder):
        read_reviews(stored.folder)  # refuses what is no plain file
        copyfile(stored.folder / REVIEWS, Path(out) / f"{done.folders[0].name}.{REVIEWS}")
    return ExportedRun(done, len(stored.samples) - len(stored.records))
