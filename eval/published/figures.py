"""A run's figures for the parts of the published tables.

Contract: they are computed as in MedVision's summaries, with their number of samples; a figure missing there is None.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.results.build import build_answers
from medvision_agent.eval.results.export import Row, is_theirs, task_rows
from medvision_agent.eval.results.summary import Section, section
from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.batch import NO_MORE, Columns, score_blocks
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import Family

__all__ = ["PILOT", "Figures", "run_figures", "run_sections", "section_figures", "unit_of"]

PILOT = "Tumor/Lesion, pilot"
"""A part whose samples are a subset of the part Tumor/Lesion; a run does not record which."""
_TOGETHER = 1000
"""Number of records of a task that are scored together."""
_REPEATED = {"task", "file", "label_name", "modality", "subject", "doc.size", "doc.metric_type", "doc.metric_key"}
"""Columns whose values many answers share."""
_BOXES = {"R": "Recall", "P": "Precision", "F1": "F1", "IoU": "IoU", "SR": "SuccessRate", "IoU>0.5": "IoU>0.5"}
_SIDES = {"Anatomy": "anatomy", "Tumor/Lesion": "T/L"}
_GROUPS = {
    "Ceph-Bio-400 distance": "Ceph-Distance",
    "Ceph-Bio-400 angle": "Ceph-Angle",
    "FeTA24 distance": "FeTA-Distance",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """A run's figures for one part of a published table, such as Anatomy, and their number of samples."""

    values: Mapping[str, float | None]
    """By column, in the column's unit."""
    n: int
    """Number of samples, failures included."""


def unit_of(column: str, part: str) -> str:
    """Return the unit of a *column* of a published table: "%" for all but MAE and cost.

    MAE is in degrees if the *part* of the table is one of angles, otherwise in mm; cost is in US dollars.
    """
    if column == "MAE":
        return "degrees" if part.endswith("angle") else "mm"
    return "US dollars" if column == "cost" else "%"


def run_sections(records: Iterable[Record], protocol: Protocol, more: Columns = NO_MORE) -> list[Section]:
    """Return MedVision's group summaries of *records*, one section for each family of tasks, as for an exported run.

    Empty for a run over other data. Infrastructure failures are left out, as everywhere, and so are areas, which
    MedVision does not score; a result without an answer has an empty response. Records are taken in blocks, and none is
    kept: the sections hold the columns of answers that the summary reads, and those named in *more*. Raises DataError
    for a run with both splits of a task, because MedVision's names do not distinguish them.
    """
    try:
        return _sections(_only_theirs(_kept(records)), protocol, more)
    except _OtherDataError:
        return []


class _OtherDataError(Exception):
    """Raised inside this module for a sample that is not MedVision's."""


def _only_theirs(records: Iterable[Record]) -> Iterator[Record]:
    for record in records:
        if record.sample.medvision is None:
            raise _OtherDataError
        yield record


def _kept(records: Iterable[Record]) -> Iterator[Record]:
    return (one for one in records if not one.outcome.infrastructure and is_theirs(one.sample))


def _sections(kept: Iterable[Record], protocol: Protocol, more: Columns = NO_MORE) -> list[Section]:
    blocks = _Blocks(kept)
    return [section(batch, protocol) for batch in score_blocks(blocks, protocol, blocks.order, more)]


class _Blocks:
    """An iterable of blocks of answers to one task, made of records; ``order`` then gives the order of their rows."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self._ids: dict[Family, list[NDArray[np.int64]]] = {}
        self._tasks: dict[Family, list[NDArray[np.int64]]] = {}
        self._known: dict[Any, Any] = {}

    def __iter__(self) -> Iterator[Answers]:
        waiting: dict[str, list[Row]] = {}
        for task, _, row in task_rows(self._records):
            own = waiting.setdefault(task, [])
            own.append(row)
            if len(own) == _TOGETHER:
                yield self._block(list(waiting).index(task), task, own)
                own.clear()
        for number, (task, own) in enumerate(waiting.items()):
            if own:
                yield self._block(number, task, own)
                own.clear()

    def _block(self, number: int, task: str, rows: list[Row]) -> Answers:
        answers = build_answers(rows, f"run_samples_{task}.jsonl")
        ids = np.array([int(row["doc_id"]) for row in rows], dtype=np.int64)
        self._ids.setdefault(answers.family, []).append(ids)
        self._tasks.setdefault(answers.family, []).append(np.full_like(ids, number))
        return answers.shared(_REPEATED, self._known)

    def order(self, family: Family) -> list[int]:
        """Return the indexes of a family's rows in the order of an exported run.

        Tasks are ordered by their first record, and the rows of a task by MedVision's ids.
        """
        rows: list[int] = np.lexsort((np.concatenate(self._ids[family]), np.concatenate(self._tasks[family]))).tolist()
        return rows


def run_figures(records: Iterable[Record], protocol: Protocol) -> dict[str, dict[str, Figures]]:
    """Return a run's figures by family of tasks and by part of the family's published table.

    Families without a sample in the run are left out. Raises DataError if no record is a result that MedVision scores,
    or if both splits of a task are among them.
    """
    found = _sections(_kept(records), protocol)
    if not found:
        raise DataError(
            "there is nothing to compare with the published results: expected a run over MedVision's data, with "
            "results of tasks that MedVision scores (not area)"
        )
    return {one.batch.family: section_figures(one.summary) for one in found}


def section_figures(summary: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the figures of one family, by part of its published table; *summary* is MedVision's group summary."""
    match summary["task_type"]:
        case "Detection":
            sides = summary["printed_table"]
            return {part: _cells(sides[side], _BOXES, sides[side]["total_samples"]) for part, side in _SIDES.items()}
        case "TL":
            line = summary["aggregate"]
            names = {name: f"weighted_avg_{name.lower()}" for name in ("MAE", "MRE", "SR")}
            names |= {name: f"weighted_{name.lower()}" for name in ("MRE<0.1", "MRE<0.2", "MRE<0.3")}
            return dict.fromkeys(("Tumor/Lesion", PILOT), _cells(line, names, line["total_samples"]))
        case _:
            averages = summary["group_averages"]
            names = {name: name for name in ("MAE", "MRE", "SR", "MRE<0.1")}
            return {part: _cells(averages[group], names, averages[group]["samples"]) for part, group in _GROUPS.items()}


def _cells(figures: Mapping[str, Any], names: Mapping[str, str], n: int) -> Figures:
    """Return figures in the table's units: per cent for all but MAE; None for infinite ones, which are stored as text.

    *names* gives the name in *figures* for each column, and *n* is the number of samples.
    """
    found = {name: figures.get(source) for name, source in names.items()}
    values = {
        name: float(value) * (1 if name == "MAE" else 100) if isinstance(value, int | float) else None
        for name, value in found.items()
    }
    return Figures(values, n)
