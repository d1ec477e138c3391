"""A run's figures for the parts of the published tables.

Contract: they are computed as in MedVision's summaries, with their number of samples; a figure missing there is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.results.build import build_answers
from medvision_agent.eval.results.export import is_theirs, rows_by_task
from medvision_agent.eval.results.summary import Section, sections
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record

__all__ = ["PILOT", "Figures", "run_figures", "run_sections", "section_figures", "unit_of"]

PILOT = "Tumor/Lesion, pilot"
"""A part whose samples are a subset of the part Tumor/Lesion; a run does not record which."""
_BOXES = {"R": "Recall", "P": "Precision", "F1": "F1", "IoU": "IoU", "SR": "SuccessRate", "IoU>0.5": "IoU>0.5"}
_SIDES = {"Anatomy": "anatomy", "Tumor/Lesion": "T/L"}
_GROUPS = {
    "Ceph-Bio-400 distance": "Ceph-Distance",
    "Ceph-Bio-400 angle": "Ceph-Angle",
    "FeTA24 distance": "FeTA-Distance",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """A run's figures for one part of a published table."""

    values: Mapping[str, float | None]
    """By column, in the column's unit."""
    n: int
    """Number of samples, failures included."""


def unit_of(column: str, part: str) -> str:
    """Return the unit of a column of a published table: "%" for all but MAE and cost."""
    if column == "MAE":
        return "degrees" if part.endswith("angle") else "mm"
    return "US dollars" if column == "cost" else "%"


def run_sections(records: Sequence[Record], protocol: Protocol) -> list[Section]:
    """Return MedVision's group summaries of *records*, a section for each family, as for an exported run.

    Empty for a run over other data. Infrastructure failures are left out, as everywhere, and so are areas, which
    MedVision does not score; a result without an answer has an empty response. A run with both splits of a task is a
    DataError, because MedVision's names do not distinguish them.
    """
    kept = _kept(records)
    if not kept or any(record.sample.medvision is None for record in kept):
        return []
    return _sections(kept, protocol)


def _kept(records: Sequence[Record]) -> list[Record]:
    return [one for one in records if not one.outcome.infrastructure and is_theirs(one.sample)]


def _sections(kept: Sequence[Record], protocol: Protocol) -> list[Section]:
    tasks = rows_by_task(kept).items()
    return sections([build_answers(rows, f"run_samples_{task}.jsonl") for task, rows in tasks], protocol)


def run_figures(records: Sequence[Record], protocol: Protocol) -> dict[str, dict[str, Figures]]:
    """Return the figures by family and part of its table, for the families the run has samples of."""
    kept = _kept(records)
    if not kept:
        raise DataError(
            "nothing to compare with the published results: no sample of the run has a result that MedVision scores"
        )
    return {section.batch.family: section_figures(section.summary) for section in _sections(kept, protocol)}


def section_figures(summary: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the figures of a family's summary, by part."""
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
    """Return figures in the table's units: per cent for all but MAE. Infinite ones, stored as texts, become None."""
    found = {name: figures.get(source) for name, source in names.items()}
    values = {
        name: float(value) * (1 if name == "MAE" else 100) if isinstance(value, int | float) else None
        for name, value in found.items()
    }
    return Figures(values, n)
