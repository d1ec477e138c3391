"""Stored runs, studies and MedVision's result files as tables in the layout of MedVision's published tables.

Contract: no model is asked, nothing stored is changed. Results that do not fit the tables are named, with the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from medvision_agent.api.loaded import PathText, load
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import DataError
from medvision_agent.eval.figures.figure import Figure
from medvision_agent.eval.figures.files import write_figure
from medvision_agent.eval.published.entry import Entry, answers_entries, run_entry
from medvision_agent.eval.report.published_tables import published_figure, published_tables
from medvision_agent.eval.report.table import Table
from medvision_agent.eval.report.write import write_table
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.plan import read_plan

__all__ = ["InPublishedShape", "published", "shaped"]


@dataclass(frozen=True, eq=False)
class InPublishedShape:
    """Results of models in the layout of MedVision's tables."""

    entries: Sequence[Entry]
    left_out: Sequence[str]
    """Folders that do not fit the tables, each with the reason."""

    @property
    def tables(self) -> list[Table]:
        """Every table that has at least one sample."""
        return published_tables(self.entries)

    @property
    def figure(self) -> Figure | None:
        """The figure: the loss of boxes by label and by the box's share of the image; None without enough boxes."""
        return published_figure(self.entries)

    def write(self, folder: Path) -> tuple[int, int]:
        """Write every table as CSV and LaTeX, and the figure as SVG and PDF; return how many tables and figures."""
        tables, figure = self.tables, self.figure
        for table in tables:
            write_table(table, folder)
        if figure is not None:
            write_figure(figure, folder)
        return len(tables), int(figure is not None)


def published(
    paths: PathText | Sequence[PathText],
    out: PathText | None = None,
    *,
    version: str | None = None,
    protocol: str | None = None,
    plans: PathText | None = None,
) -> InPublishedShape:
    """Return runs, studies, folders of runs and folders of MedVision's results in the layout of MedVision's tables.

    Args:
        paths: The results to show. Of a study, the first epoch and wording of each arm.
        out: A folder for the tables, as CSV and LaTeX, and for the figure, as SVG and PDF.
        version: The published results to compare with: `preprint-v1` or `leaderboard-v2`; by default those
            whose models were asked in the same way.
        protocol: Scoring rules; by default those of the published results that a model is compared with.
        plans: For result files: MedVision's data folder, or a JSON file of tasks: names of labels and modalities.

    Raises DataError if no result fits the tables.
    """
    given = [Path(one) for one in ([paths] if isinstance(paths, str | PathLike) else paths)]
    rules = protocol_named(protocol) if protocol else None
    found = shaped(given, version, rules, None if plans is None else Path(plans))
    if not found.entries:
        expected = "expected runs over samples of MedVision's data, or MedVision's result files"
        raise DataError("\n".join([f"none of the given results fits MedVision's tables; {expected}", *found.left_out]))
    if out is not None:
        found.write(Path(out))
    return found


def shaped(
    paths: Sequence[Path], version: str | None = None, rules: Protocol | None = None, plans: Path | None = None
) -> InPublishedShape:
    """Return the results in the layout of MedVision's tables, like ``published``, without writing them.

    Where no result fits the tables, no error is raised: the result has no tables. Without *rules*, a model is scored by
    those of the published results that it is compared with.
    """
    entries, left_out = list[Entry](), list[str]()
    for path in paths:
        if is_answers(path):
            entries += answers_entries(path, version, rules, plans)
            continue
        for folder in _runs(path):
            try:
                entry = run_entry(open_run(folder), version, rules)
            except DataError as error:
                left_out.append(f"{folder}: {error}")
                continue
            if entry is None:
                left_out.append(f"{folder}: this run has no result about samples of MedVision's data")
            else:
                entries.append(entry)
    return InPublishedShape(entries, left_out)


def _runs(path: Path) -> Iterator[Path]:
    """Yield the folders of runs in a run, a study or a folder; of a study only first epochs and wordings."""
    loaded = load(path)
    if loaded.kind != "study":
        yield from loaded.folders.values()
        return
    there = {folder.resolve() for folder in loaded.folders.values()}
    seen = set[tuple[str, str, str]]()
    for cell in read_plan(path).cells:
        own = cell.model, cell.arm, cell.source
        if own not in seen and (path / cell.folder).resolve() in there:
            seen.add(own)
            yield path / cell.folder
