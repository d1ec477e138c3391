"""Export of a run as MedVision's result files, which MedVision's own parser and summaries can read.

    OUT/<Detection|TL|AD>/<model>/<stamp>_samples_<task>.jsonl
    OUT/<Detection|TL|AD>/<model>/<stamp>_results.json

Contract: every sample that ended in a result is written; a result without an answer has an empty response.
Infrastructure failures, and samples of a task that MedVision does not score, are left out and counted. Samples that are
not MedVision's are a DataError, and so is a run with both splits of a task, which MedVision's names do not distinguish.
A model's folder appears whole or not at all, and an existing folder is never changed.

Families have folders of their own because MedVision's parser takes all files of a folder for one. A stamp belongs to
one file, because files that share a stamp share, and overwrite, one results file. ``image_file`` is relative to the
data folder: MedVision's parser finds the images from there. The keys ``label_name``, ``image_modality`` and
``image_header_zooms`` are ours: with them ``score`` works without the data, and MedVision ignores them. So are
``subject`` and, for lengths and angles, ``truth_points`` (the ground truth's points, x and y in pixels of the slice, y
down): with them ``why`` has the same facts as for a run. So is ``response_as_given``: it holds the model's own text if
a box in another convention than MedVision's, or given by names of marks, is written converted.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.configs import SPLITS
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import Family

__all__ = ["Exported", "Row", "export_run", "is_theirs", "rows_by_task", "task_rows"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """Summary of what was written."""

    folders: Sequence[Path]
    """One folder for each family, in the form that ``score`` and MedVision's ``--model_dir`` accept."""
    samples: int
    empty: int
    """Number of results without an answer among them."""
    left_out: int
    """Number of infrastructure failures."""
    not_theirs: int = 0
    """Number of samples of tasks that MedVision does not score (``area``); they are in no file."""


def export_run(records: Sequence[Record], model: str, out: Path, start: datetime) -> Exported:
    """Write *records* of *model* below *out*; the first file is stamped *start*, each further one a second later.

    Raises DataError where there is nothing to export, or a record has no place in MedVision's files, and StorageError
    where *out* cannot be written or already has a folder of the model.
    """
    ended = [record for record in records if not record.outcome.infrastructure]
    kept = [record for record in ended if is_theirs(record.sample)]
    if ended and not kept:
        raise DataError(
            "there is nothing to export: all results of the run are areas, which MedVision's result files cannot hold; "
            "for tables of any run, add --format csv or parquet"
        )
    tasks = rows_by_task(kept)
    if not tasks:
        raise DataError("there is nothing to export: no sample of the run ended in a result; resume the run first")
    families = {_task(_facts(record.sample))[0]: _family(record.sample) for record in kept}
    try:
        folders = _write(tasks, families, _folder_name(model), out, start)
    except OSError as error:
        raise StorageError(f"{out}: this folder cannot be written ({error.strerror})") from None
    empty = sum(record.outcome is not Outcome.ANSWERED for record in kept)
    return Exported(folders, len(kept), empty, len(records) - len(ended), len(ended) - len(kept))


def rows_by_task(records: Iterable[Record]) -> dict[str, list[Row]]:
    """Return the lines of the result file of each task, in MedVision's order, for records that ended in a result."""
    tasks: dict[str, list[Row]] = {}
    for name, row in task_rows(records):
        tasks.setdefault(name, []).append(row)
    return {name: sorted(rows, key=lambda row: int(row["doc_id"])) for name, rows in tasks.items()}


def task_rows(records: Iterable[Record]) -> Iterator[tuple[str, Row]]:
    """Yield the task and the line of each record that ended in a result, in the order of the records."""
    splits: dict[str, str] = {}
    for record in records:
        name, split = _task(_facts(record.sample))
        if splits.setdefault(name, split) != split:
            raise DataError(
                f"{name}: the run holds samples of both splits of this task, which MedVision's result files cannot "
                "tell apart; make a run for each split (--split train, --split test)"
            )
        yield name, _row(record)


def is_theirs(sample: Sample) -> bool:
    """Return whether MedVision scores answers to such a question; true for all but areas."""
    return sample.asks.family is not None


def _family(sample: Sample) -> Family:
    if sample.asks.family is None:
        raise DataError(f"{sample.id}: MedVision's result files cannot store answers to the task {sample.task!r}")
    return sample.asks.family


def _facts(sample: Sample) -> MedVisionFacts:
    if sample.medvision is None:
        raise DataError(
            f"{sample.id}: this sample is not of MedVision's data, so MedVision's result files cannot hold it; for "
            "tables of any run, add --format csv or parquet"
        )
    return sample.medvision


def _task(facts: MedVisionFacts) -> tuple[str, str]:
    """Return the name of a configuration in result files, and its split."""
    name, _, split = facts.config.rpartition("_")
    if split not in SPLITS:
        raise DataError(
            f"{facts.config}: is not a configuration of MedVision (medvision.config); expected a name that ends in "
            "_Train or _Test"
        )
    return name.replace("_BoxSize_", "_BoxCoordinate_"), split


def _folder_name(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip(".") or "model"


def _write(
    tasks: dict[str, list[Row]], families: dict[str, Family], model: str, out: Path, start: datetime
) -> list[Path]:
    folders = [out / family / model for family in dict.fromkeys(families.values())]
    for folder in folders:
        if folder.exists():
            raise StorageError(f"{folder}: exists already; export to another folder, or remove it first")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as work:
        for number, (task, rows) in enumerate(tasks.items()):
            folder = Path(work) / families[task]
            folder.mkdir(exist_ok=True)
            stamp = (start + timedelta(seconds=number)).strftime("%Y%m%d_%H%M%S")
            with (folder / f"{stamp}_samples_{task}.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in rows)
            (folder / f"{stamp}_results.json").write_text(json.dumps({"results": {task: {}}}), encoding="utf-8")
        for folder in folders:
            folder.parent.mkdir(exist_ok=True)
            (Path(work) / folder.parent.name).replace(folder)
    return folders


def _row(record: Record) -> Row:
    sample, facts = record.sample, _facts(record.sample)
    scored, given = scored_text(record), record.as_written or record.response
    text = scored or ""
    target = sample.target[0] if len(sample.target) == 1 else list(sample.target)
    row: Row = {
        "doc_id": facts.doc_id,
        "doc": facts.record(),
        "target": str(target),
        "resps": [[text]],
        "filtered_resps": [text],
        "label_name": sample.label,
        "image_modality": sample.modality,
        "image_header_zooms": facts.header_zooms and list(facts.header_zooms),
        "subject": sample.subject,
        "truth_points": None if sample.asks.is_box else [[point.x, point.y] for point in sample.truth_points] or None,
        "response_as_given": given if scored not in {None, given} else None,
    }
    return {key: value for key, value in row.items() if value is not None}
