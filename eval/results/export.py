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
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.configs import SPLITS
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import Family

__all__ = ["Exported", "Row", "export_run", "is_theirs", "task_rows"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """A summary of an export: the folders that were written, and how many samples are in them or left out."""

    folders: Sequence[Path]
    """One folder for each family, in the form that ``score`` and MedVision's ``--model_dir`` accept."""
    samples: int
    empty: int
    """Number of results without an answer among them."""
    left_out: int
    """Number of infrastructure failures."""
    not_theirs: int = 0
    """Number of samples of tasks that MedVision does not score (``area``); they are in no file."""


def export_run(records: Iterable[Record], model: str, out: Path, start: datetime) -> Exported:
    """Write *records* as MedVision's result files into folders for *model* below *out*; return a summary.

    The first file is stamped *start*, each further one a second later. Records are taken one at a time, and none is
    kept in memory.
    Raises DataError where there is nothing to export, or a record has no place in MedVision's files, and StorageError
    where *out* cannot be written or already has a folder of the model.
    """
    counts, name = Counter[str](), _folder_name(model)
    home = next(one for one in (out, *out.absolute().parents) if one.exists())  # the disk that *out* is on
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=home) as work:
            with (Path(work) / "lines").open("w+b") as file:
                lines = _Lines(file, out, name)
                for task, family, row in task_rows(_counted(records, counts)):
                    lines.add(task, family, row)
                if not lines.families:
                    raise _nothing(counts)
                lines.write(Path(work), start)
            folders = _move(Path(work), dict.fromkeys(lines.families.values()), name, out)
    except OSError as error:
        raise StorageError(f"{out}: this folder cannot be written ({error.strerror})") from None
    return Exported(folders, counts["kept"], counts["empty"], counts["left out"], counts["not theirs"])


def _counted(records: Iterable[Record], counts: "Counter[str]") -> Iterator[Record]:
    """Yield the records that result files can contain, and count all records in *counts* by what becomes of them."""
    for record in records:
        if record.outcome.infrastructure:
            counts["left out"] += 1
        elif not is_theirs(record.sample):
            counts["not theirs"] += 1
        else:
            counts["kept"] += 1
            counts["empty"] += record.outcome is not Outcome.ANSWERED
            yield record


def _nothing(counts: Mapping[str, int]) -> DataError:
    if counts["not theirs"]:
        return DataError(
            "there is nothing to export: all results of the run are areas, which MedVision's result files cannot hold; "
            "for tables of any run, add --format csv or parquet"
        )
    return DataError("there is nothing to export: no sample of the run ended in a result; resume the run first")


def task_rows(records: Iterable[Record]) -> Iterator[tuple[str, Family, Row]]:
    """Yield MedVision's task, its family and the JSON object for each record, in the order of the records.

    Raises DataError if a sample is not MedVision's, or if samples are of both splits of a task.
    """
    splits: dict[str, str] = {}
    for record in records:
        name, split = _task(_facts(record.sample))
        if splits.setdefault(name, split) != split:
            raise DataError(
                f"{name}: the run holds samples of both splits of this task, which MedVision's result files cannot "
                "tell apart; make a run for each split (--split train, --split test)"
            )
        yield name, _family(record.sample), _row(record)


def is_theirs(sample: Sample) -> bool:
    """Return whether MedVision scores answers to questions like that of *sample*: true for all tasks but areas."""
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
    """Return the task's name in result files, and the split; DataError if the configuration is not MedVision's."""
    name, _, split = facts.config.rpartition("_")
    if split not in SPLITS:
        raise DataError(
            f"{facts.config}: is not a configuration of MedVision (medvision.config); expected a name that ends in "
            "_Train or _Test"
        )
    return name.replace("_BoxSize_", "_BoxCoordinate_"), split


def _folder_name(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip(".") or "model"


class _Lines:
    """The lines of all result files, collected in one temporary file; memory holds only their positions."""

    def __init__(self, file: BinaryIO, out: Path, model: str) -> None:
        self._file, self._out, self._model = file, out, model
        self.families: dict[str, Family] = {}
        """The family of each task, in the order in which the tasks came."""
        self._ids, self._starts = defaultdict[str, "array[int]"](_integers), defaultdict[str, "array[int]"](_integers)

    def add(self, task: str, family: Family, row: Row) -> None:
        """Add *row* as a line of *task*; StorageError if *out* already has the folder of its family and model."""
        if task not in self.families:
            if (folder := self._out / family / self._model).exists():
                raise StorageError(f"{folder}: exists already; export to another folder, or remove it first")
            self.families[task] = family
        self._ids[task].append(int(row["doc_id"]))
        self._starts[task].append(self._file.tell())
        self._file.write(f"{json.dumps(row)}\n".encode())

    def write(self, work: Path, start: datetime) -> None:
        """Write the files of each task into a folder of its family in *work*."""
        for number, (task, family) in enumerate(self.families.items()):
            folder = work / family
            folder.mkdir(exist_ok=True)
            stamp = (start + timedelta(seconds=number)).strftime("%Y%m%d_%H%M%S")
            with (folder / f"{stamp}_samples_{task}.jsonl").open("wb") as file:
                file.writelines(self._ordered(task))
            (folder / f"{stamp}_results.json").write_text(json.dumps({"results": {task: {}}}), encoding="utf-8")

    def _ordered(self, task: str) -> Iterator[bytes]:
        """Yield the lines of a task by rising ``doc_id``, as MedVision orders them; equal ids keep their order."""
        ids, starts = self._ids[task], self._starts[task]
        for place in sorted(range(len(ids)), key=ids.__getitem__):
            self._file.seek(starts[place])
            yield self._file.readline()


def _integers() -> "array[int]":
    return array("q")


def _move(work: Path, families: Iterable[Family], model: str, out: Path) -> list[Path]:
    """Move the folder of each family from *work* to its place below *out*, and return the new folders."""
    folders = [out / family / model for family in families]
    for folder in folders:
        folder.parent.mkdir(parents=True, exist_ok=True)
        (work / folder.parent.name).replace(folder)
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
