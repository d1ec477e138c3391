"""Scores of one family by type of sample: held-out lists, planes, target sizes, small angles; and its boxes.

Contract: every sample with a result counts, including failures and samples that MedVision's group means leave out. The
statistics of a stratum are computed as MedVision does.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from medvision_agent.eval.data.configs import PLANES
from medvision_agent.eval.published.held_out import held_out
from medvision_agent.eval.results.summary import Section
from medvision_agent.eval.scorer.batch import Batch, Columns
from medvision_agent.eval.scorer.medvision.boxsize import box_ratios
from medvision_agent.eval.scorer.medvision.statistics import Index, Keys, box_statistics, error_statistics, rows_by
from medvision_agent.eval.tasks import TASKS

__all__ = ["ALL", "ANGLES", "HELD", "PLANE", "READ", "SIZE", "Box", "Stratum", "boxes_of", "strata_of"]

ALL, HELD, PLANE, SIZE, ANGLES = "all", "held out", "plane", "size", "small angles"
"""The types of strata."""
READ: Columns = {
    "Detection": ("task", "doc.slice_dim", "label_name", "doc.size", "doc.box", "subject"),
    "TL": ("task", "doc.slice_dim"),
    "AD": ("task", "doc.slice_dim", "doc.metric_type"),
}
"""The columns that this module reads of answers with a subject."""
_MEASURES = {
    "SR": "SuccessRate",
    "MAE": "avgMAE",
    "MRE": "avgMRE",
    "MRE<0.1": "MRE<0.1",
    "IoU": "IoU",
    "F1": "F1",
    "IoU>0.5": "IoU>0.5",
}
_LENGTHS, _DEGREES, _PERCENT = (10, 20, 30, 50, 100), (0.1, 5, 10, 20, 45), (5, 10, 15, 20, 25, 30, 35)


class Stratum(NamedTuple):
    """The scores of the samples of one task in one group, such as those of the axial plane."""

    kind: str
    task: str
    value: str
    n: int
    measures: Mapping[str, float | None]
    """MAE in millimetres or degrees (None for boxes), all others in %; None if a task has no such measure."""


class Box(NamedTuple):
    """The loss of one box, with its label and the relative size of the true box."""

    label: str
    subject: str
    """The image, if the file does not name the person."""
    ratio: float
    """Area of the true box as a share of the image area, 0 to 1."""
    loss: float


def strata_of(section: Section) -> list[Stratum]:
    """Return the scores of a family's samples by type of stratum, then by task, then by value.

    *section* is MedVision's summary of the family. Bins of sizes and angles are in order, other values as text.
    """
    tasks = _tasks(section.batch)
    found = []
    for kind, values in _kinds(section.batch, tasks).items():
        keys = [(task, *value) for task, value in zip(tasks, values, strict=True)]
        rows: dict[Any, Index] = dict(rows_by(Keys.of(keys), np.ones(len(keys), dtype=np.bool_)))
        for task, place, value in sorted(rows):
            if value:
                found.append(Stratum(kind, task, value, *_measured(section, rows[task, place, value])))
    return found


def boxes_of(section: Section) -> list[Box]:
    """Return the loss of each box of a section, with its label; empty for a family without boxes."""
    batch = section.batch
    if batch.family != "Detection":
        return []
    column = batch.answers.column
    subjects = column("subject")
    if not all(subjects):
        rows = zip(subjects, column("doc.image"), column("id"), strict=True)
        subjects = [subject or image or own for subject, image, own in rows]
    named = zip(column("label_name"), subjects, box_ratios(batch), batch.loss.tolist(), strict=True)
    return [Box(label or "unknown label", str(subject), ratio, loss) for label, subject, ratio, loss in named]


def _tasks(batch: Batch) -> list[str]:
    """Return the task of each row of a batch, by this program's name of the task."""
    if batch.family == "AD":
        return [str(kind) for kind in batch.answers.column("doc.metric_type")]
    own = next(name for name, task in TASKS.items() if task.family == batch.family)
    return [own] * len(batch)


def _kinds(batch: Batch, tasks: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """Return, for each type of stratum, the sort position and the value of each row; an empty value means none."""
    column = batch.answers.column
    if batch.family == "Detection":
        sizes = [_step(100 * ratio, _PERCENT, "% of the image") for ratio in box_ratios(batch)]
    else:
        largest = np.abs(batch.target).max(axis=1).tolist()
        sizes = [
            (0, "") if task == "angle" else _step(one, _LENGTHS, " mm")
            for task, one in zip(tasks, largest, strict=True)
        ]
    kinds = {
        ALL: [(0, "all")] * len(batch),
        HELD: [(0, held_out(batch.family, task)) for task in column("task")],
        PLANE: [_plane(one) for one in column("doc.slice_dim")],
        SIZE: sizes,
    }
    if "angle" in tasks:
        kinds[ANGLES] = [
            _step(one, _DEGREES, " degrees") if task == "angle" else (0, "")
            for task, one in zip(tasks, batch.target[:, 0].tolist(), strict=True)
        ]
    return kinds


def _plane(slice_dim: Any) -> tuple[int, str]:
    known = isinstance(slice_dim, int) and 0 <= slice_dim < len(PLANES)
    return (slice_dim, PLANES[slice_dim].lower()) if known else (len(PLANES), "unknown")


def _step(value: float, edges: Sequence[float], unit: str) -> tuple[int, str]:
    """Return the position and the name of the bin of a value; a value equal to an edge is in the bin above."""
    step = bisect_right(edges, value)
    if step == 0:
        return 0, f"below {edges[0]:g}{unit}"
    if step == len(edges):
        return step, f"{edges[-1]:g}{unit} and more"
    return step, f"{edges[step - 1]:g} to {edges[step]:g}{unit}"


def _measured(section: Section, rows: Index) -> tuple[int, dict[str, float | None]]:
    """Return the number of *rows* and their mean figures by name: MAE in mm or degrees, all others in per cent.

    A figure that the task does not have is None.
    """
    batch, protocol = section.batch, section.protocol
    is_box = batch.family == "Detection"
    found = (box_statistics if is_box else error_statistics)(batch, rows, protocol)
    values = {name: found.get(key) for name, key in _MEASURES.items()}
    if is_box:
        values["MAE"] = None  # for relative coordinates, which have no unit
    return len(rows), {name: _cell(name, value) for name, value in values.items()}


def _cell(name: str, value: float | None) -> float | None:
    """Return a fraction in per cent, but MAE in its own unit; None if it is missing, NaN or infinite."""
    if value is None or not np.isfinite(value):
        return None
    return float(value) * (1 if name == "MAE" else 100)
