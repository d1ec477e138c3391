"""Write stored runs and studies as files: the report, neutral tables, MedVision's result files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from os.path import relpath
from pathlib import Path
from shutil import copyfile
from typing import Literal
from urllib.parse import quote

from medvision_agent.api.loaded import PathText, load, rules_of
from medvision_agent.api.publishing import shaped
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import ConfigError
from medvision_agent.eval.browse.bundle import Bundled, write_bundle
from medvision_agent.eval.browse.library import Library
from medvision_agent.eval.browse.linked import is_bundle_of, places
from medvision_agent.eval.browse.page import page_files
from medvision_agent.eval.decisions.rules import read_rules
from medvision_agent.eval.findings.studies import is_study, study_protocol
from medvision_agent.eval.report.collect import PICTURES, collect
from medvision_agent.eval.report.links import Viewer
from medvision_agent.eval.report.write import write_figures, write_index, write_report, write_tables
from medvision_agent.eval.results.export import Exported, export_run
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.database import has_run
from medvision_agent.eval.store.later import streamed
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.reviews import REVIEWS, has_reviews, read_reviews
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.eval.tables.frames import (
    readings_table,
    reviews_table,
    samples_table,
    tool_calls_table,
    turns_table,
)
from medvision_agent.eval.tables.readings import has_readings
from medvision_agent.eval.tables.write import Format, export_tables

__all__ = ["ExportedRun", "Written", "export", "export_medvision", "report"]

_MARKDOWN = {".md", ".markdown"}


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a written report."""

    page: Path
    """The report itself."""
    tables: int
    """Number of tables written beside the page, each as CSV and LaTeX."""
    figures: int = 0
    """Number of figures written beside the page, each as SVG and PDF."""
    bundle: Bundled | None = None
    """The viewer's folder that the page links to, if this call wrote it; None if there is none or it was up to date."""


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """The result of writing a run as MedVision's result files."""

    files: Exported
    unfinished: int
    """Number of unfinished samples, which are not in the files."""


def report(
    folders: PathText | Sequence[PathText],
    out: PathText | None = None,
    *,
    format: Literal["html", "md"] | None = None,  # noqa: A002 - the option's name
    tables: PathText | None = None,
    pictures: int = PICTURES,
    protocol: str | None = None,
    viewer: PathText | None = None,
    decision_rules: PathText | None = None,
    reader: str | None = None,
    models_file: PathText | None = None,
    reader_max_cost: float | None = None,
) -> Written:
    """Write stored runs and studies as one page that needs no network, and return which files were written.

    Args:
        folders: Runs and studies; with *tables* also folders of MedVision's results, which appear only in tables in the
            layout of MedVision's.
        out: The file, overwritten if it exists; by default ``report.html`` (or ``report.md``) in the folder of a single
            run or study, or in the current folder for several.
        format: By default from the name of the file, else HTML.
        tables: A folder for all tables, as CSV and LaTeX, and all figures, as SVG and PDF.
        pictures: Maximum number of samples shown for each contrast.
        protocol: Scoring rules; by default those that a study declared, else the default protocol.
        viewer: The folder of a bundle of the viewer (``bundle``) to which rows and figures of an HTML page link.
            The bundle is written if it is missing, of other runs, or outdated.
        decision_rules: A YAML file of decision rules that replaces the shipped rules (docs/decisions.md).
        reader: A language model that first reads the responses (docs/reading.md); earlier readings are not asked
            again. Without it no model is asked, and stored readings are shown.
        models_file: A YAML file of own models for *reader*.
        reader_max_cost: Stop asking the reader once it has cost this many US dollars.

    Raises ConfigError if *viewer* has no relative address from the page, or the page is Markdown.
    """
    every = [Path(one) for one in ([folders] if isinstance(folders, str | PathLike) else folders)]
    given = [one for one in every if not is_answers(one)]
    if len(given) < len(every) and (tables is None or not given):
        raise ConfigError(
            "a report shows MedVision's result files only in the tables of --tables, and only beside a run: give both, "
            "or give the result files to `medvision-agent published`"
        )
    rules = protocol_named(protocol) if protocol else None
    page = _page(given, format) if out is None else Path(out)
    form = format or ("md" if page.suffix.lower() in _MARKDOWN else "html")
    if viewer is not None and form == "md":
        raise ConfigError("viewer: only an HTML page can link to a bundle; write the report as HTML, or leave it out")
    decisions = None if decision_rules is None else read_rules(Path(decision_rules))
    if reader is not None:
        _read(given, rules, reader, models_file, reader_max_cost)
    found = collect(given, rules, most_pictures=pictures, decisions=decisions)
    linked, bundled = (None, None) if viewer is None else _linked(given, Path(viewer), page, rules)
    write_report(found, page, form, linked)
    if tables is None:
        return Written(page, 0, bundle=bundled)
    beside = shaped(every, rules=rules).write(Path(tables))
    counts = write_tables(found, Path(tables)), write_figures(found, Path(tables))
    write_index(found, Path(tables))
    return Written(page, counts[0] + beside[0], counts[1] + beside[1], bundled)


def _read(
    folders: Sequence[Path], rules: Protocol | None, reader: str, models: PathText | None, most_usd: float | None
) -> None:
    """Have a reader read the responses of runs and studies; it stops once it has cost *most_usd* in total."""
    own_rules = "" if rules is None else rules.name
    from medvision_agent.api.reading import read_runs  # noqa: PLC0415 - imports what asks a model

    for folder in folders:
        study = is_study(folder)
        cells = [folder / cell.folder for cell in read_plan(folder).cells] if study else [folder]
        name = own_rules or (study_protocol(folder) if study else DEFAULT_PROTOCOL)
        runs = [each for each in cells if not study or has_run(each)]
        read = read_runs(runs, reader, protocol=name, models_file=models, most_usd=most_usd, progress=True)
        most_usd = None if most_usd is None else most_usd - sum(one.asked.cost_usd or 0.0 for one in read)


def _linked(folders: Sequence[Path], out: Path, page: Path, rules: Protocol | None) -> tuple[Viewer, Bundled | None]:
    """Return the links from *page* into a bundle in *out*, and the bundle, or None if it was there and up to date.

    Raises ConfigError if *out* has no address relative to *page*.
    """
    try:
        way = Path(relpath(out, page.parent)).as_posix()
    except ValueError:  # another drive
        raise ConfigError(f"viewer: {out} has no address relative to {page}; put both on one drive") from None
    library = Library(folders, rules)
    bundled = None if is_bundle_of(library, out) else write_bundle(library, page_files(), out)
    return Viewer(f"{quote(way)}/index.html", places(library, out)), bundled


def _page(folders: Sequence[Path], form: Literal["html", "md"] | None) -> Path:
    """Return the default file of a report."""
    name = f"report.{form or 'html'}"
    return folders[0] / name if len(folders) == 1 else Path(name)


def export(
    path: PathText,
    out: PathText,
    format: Format = "parquet",  # noqa: A002 - the option's name
    *,
    protocol: str | None = None,
) -> dict[Path, int]:
    """Write the tables of a run, a study or a folder of runs (see ``load``) into the new folder *out*, as *format*.

    Returns the number of rows of each file by its path. The files are ``samples``, ``turns`` and ``tool_calls``, also
    ``readings`` if a second reader read responses, and ``reviews`` if samples have reviewers' notes. *protocol* scores
    the samples; by default it is the one that a study declared, else the default one. Raises StorageError if *out*
    exists or cannot be written.
    """
    loaded = load(path)
    runs = loaded.folders
    tables = {
        "samples": samples_table(runs, rules_of(loaded, protocol)).parts(),
        "turns": turns_table(runs).parts(),
        "tool_calls": tool_calls_table(runs).parts(),
    }
    if any(map(has_readings, runs.values())):
        tables["readings"] = readings_table(runs, rules_of(loaded, protocol)).parts()
    if any(map(has_reviews, runs.values())):
        tables["reviews"] = reviews_table(runs).parts()
    return export_tables(tables, Path(out), format)


def export_medvision(run: PathText, out: PathText) -> ExportedRun:
    """Write a run over MedVision's samples as MedVision's own result files, a folder in *out* for each kind of task.

    Reviewers' notes on its samples are copied to ``MODEL.review.jsonl`` in *out*. Unfinished samples are left out and
    counted in the result. Raises DataError if the run has no result, or samples that are not MedVision's, and
    StorageError if a model's folder in *out* exists already or cannot be written.
    """
    stored = open_run(Path(run))
    name, now = stored.identity.model_name, datetime.now().astimezone()
    done = export_run(streamed(stored.records), name, Path(out), now)
    if has_reviews(stored.folder):
        read_reviews(stored.folder)  # refuses anything but a plain file
        copyfile(stored.folder / REVIEWS, Path(out) / f"{done.folders[0].name}.{REVIEWS}")
    return ExportedRun(done, len(stored.samples) - len(stored.records))
