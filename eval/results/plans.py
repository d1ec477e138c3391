"""Facts missing from result files, looked up: names of labels and modalities, voxel sizes, true points, cases.

Contract: values in the record itself are kept. What cannot be found stays unknown, and the summary says so.

Two forms: MedVision's data folder (annotation plans, and the headers of the images themselves), or a JSON file

    {"KiTS23_BoxCoordinate_Task01": {"image_modality": "CT", "labels_map": {"1": "kidney"}},
     "KiTS23_TumorLesionSize_Task02": {"image_modality": "CT", "labels_map": {"2": "kidney tumor"}, "target_label": 2}}

Voxel sizes, points and cases come from the data folder alone.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medvision_agent.errors import DataError
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.tasks import Family

if TYPE_CHECKING:
    from medvision_agent.eval.data.medvision.landmarks import LandmarkFile

__all__ = ["Plans", "Tasks", "read_plans", "read_tasks"]

Tasks = dict[str, dict[str, Any]]
"""The facts of each task, by its name in result files without the plane."""
_Names = tuple[str | None, str | None]
_AXES = ("P1", "P2", "P3", "P4")
"""The ends of a lesion's axes, in every landmark file."""
_METRIC_TYPE = re.compile(r"_(Angle|Distance)_Task")
_PLANS_FORM = (
    "expected MedVision's data folder, or a JSON object that gives for each task an object with labels_map and "
    "image_modality"
)


def read_plans(path: Path) -> "Plans":
    """Return the facts in MedVision's data folder or in a JSON file (``--plans``); DataError if it cannot be read."""
    return Plans(read_tasks(path), path if path.is_dir() else None)


def read_tasks(path: Path) -> Tasks:
    """Return the facts of each task in MedVision's data folder or in a JSON file; DataError if it cannot be read."""
    if path.is_dir():
        return _from_plans(path)
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"--plans {path}: this file cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        raise DataError(f"--plans {path}: is not a JSON file in UTF-8 ({error}); {_PLANS_FORM}") from None
    if not isinstance(tasks, dict) or not all(isinstance(task, dict) for task in tasks.values()):
        raise DataError(f"--plans {path}: is not of the expected form; {_PLANS_FORM}")
    return tasks


class Plans:
    """A source of facts that result files lack: names, and if there is a data folder, voxel sizes, points and cases."""

    def __init__(self, tasks: Tasks, data: Path | None) -> None:
        self._tasks = tasks
        self._data = data

    def names(self, family: Family, task: str, label: str) -> _Names:
        """Return the name of a *task*'s label and its modality by the plans; None for each that is missing."""
        planned = self._task(task)
        if planned is None:
            return None, None
        # The label of a size task is the task's own, whatever the row states.
        number = str(planned.get("target_label")) if family == "TL" else label
        return planned.get("labels_map", {}).get(number), planned.get("image_modality")

    @property
    def has_zooms(self) -> bool:
        """Whether there are images from which voxel sizes can be read."""
        return self._data is not None

    def zooms(self, image: Any) -> tuple[float, ...] | None:
        """Return the voxel size along each axis from the header of *image*, a path in a result file; nominally in mm.

        None without a data folder, if the image is not in it, and if its header cannot be read.
        """
        if self._data is None:
            return None
        datasets = (self._data / "Datasets").resolve()
        file = (datasets / str(image).rpartition("Datasets/")[2]).resolve()
        return _zooms(file) if file.is_relative_to(datasets) else None  # paths in a result file are untrusted

    def points(self, answer: Answer) -> tuple[tuple[float, float], ...] | None:
        """Return the true points of a size, angle or distance, x and y in pixels of the slice.

        None without a data folder, and where the landmark file is not named or lacks a point of the answer.
        """
        names = self._point_names(answer)
        if self._data is None or not names or not isinstance(answer.doc.landmark_file, str):
            return None
        file = _landmarks(self._data, answer.doc.landmark_file.rpartition("Datasets/")[2])
        if file is None:
            return None
        try:
            return tuple(file.point(name, answer.doc.slice_dim, answer.doc.slice_idx) for name in names)
        except (DataError, TypeError, IndexError):
            return None

    def case(self, answer: Answer) -> str | None:
        """Return ``dataset/case`` of an answer's image, as a run names its subject.

        None where the plans have no such task, or the image's name does not have the form that they state.
        """
        dataset, _, file = str(answer.doc.image or "").rpartition("Datasets/")[2].partition("/")
        folder, prefix, suffix = (self._task(answer.task) or {}).get("image", ("", "", ""))
        start = f"{folder}/{prefix}"
        fits = folder and file.startswith(start) and file.endswith(suffix) and len(file) > len(start) + len(suffix)
        return f"{dataset}/{file[len(start) : len(file) - len(suffix)]}" if fits else None

    def _point_names(self, answer: Answer) -> list[str]:
        if answer.family == "TL":
            return list(_AXES)
        task, key = self._task(answer.task) or {}, str(answer.doc.metric_key)
        lines, angles = task.get("lines_map", {}), task.get("angles_map", {})
        keys = angles.get(key, ()) if answer.doc.metric_type == "angle" else [key]
        return [end for line in keys for end in lines.get(line, ())]

    def _task(self, name: str) -> dict[str, Any] | None:
        match = re.match(r".+_Task\d+", name)
        return self._tasks.get(_METRIC_TYPE.sub("_Task", match.group())) if match else None


@cache
def _landmarks(data: Path, file: str) -> "LandmarkFile | None":
    from medvision_agent.eval.data.medvision.folder import DataFolder  # noqa: PLC0415 - only where points are wanted
    from medvision_agent.eval.data.medvision.landmarks import read_landmarks  # noqa: PLC0415

    try:
        return read_landmarks(DataFolder(data).file(file, "landmark_file", below="Datasets"))
    except (DataError, UnicodeError):
        return None


@cache
def _zooms(image: Path) -> tuple[float, ...] | None:
    import nibabel  # noqa: PLC0415 - only where a header is needed

    try:
        header: Any = nibabel.load(image).header
        return tuple(map(float, header.get_zooms()))
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError):
        return None


def _from_plans(folder: Path) -> Tasks:
    from medvision_agent.eval.data.medvision.folder import DataFolder  # noqa: PLC0415 - only where plans are given
    from medvision_agent.eval.data.medvision.plan import read_plan  # noqa: PLC0415

    tasks: Tasks = {}
    for plan in DataFolder(folder).plans():
        for task, _, _ in read_plan(plan) if plan.kind != "segmentation" else ():
            other = "BiometricsFromLandmarks" if task.target_label is None else "TumorLesionSize"
            family = "BoxCoordinate" if plan.kind == "detection" else other
            tasks[f"{plan.dataset}_{family}_Task{task.task_ID}"] = {
                "image_modality": task.image_modality,
                "labels_map": task.labels_map,
                "target_label": task.target_label,
                "image": (task.image_folder, task.image_prefix, task.image_suffix),
                "lines_map": {key: line.element_keys for key, line in task.lines_map.items()},
                "angles_map": {key: angle.element_keys for key, angle in task.angles_map.items()},
            }
    return tasks
