"""What result files do not carry: names of labels and modalities, and voxel sizes, looked up where they are known.

Contract: what a record says itself stays. What cannot be found stays unknown, and the summary says so.

Two forms: MedVision's data folder (annotation plans, and the headers of the images themselves), or a JSON file

    {"KiTS23_BoxCoordinate_Task01": {"image_modality": "CT", "labels_map": {"1": "kidney"}},
     "KiTS23_TumorLesionSize_Task02": {"image_modality": "CT", "labels_map": {"2": "kidney tumor"}, "target_label": 2}}
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.tasks import Family

__all__ = ["Plans", "Tasks", "read_plans", "read_tasks"]

Tasks = dict[str, dict[str, Any]]
"""The facts of each task by the name it has in result files, without its plane."""
_Names = tuple[str | None, str | None]


def read_plans(path: Path) -> "Plans":
    """Return what is known by a data folder or a JSON file."""
    return Plans(read_tasks(path), path if path.is_dir() else None)


def read_tasks(path: Path) -> Tasks:
    """Return the tasks in a data folder or a JSON file."""
    if path.is_dir():
        return _from_plans(path)
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"--plans {path}: cannot read it ({error})") from None
    if not isinstance(tasks, dict) or not all(isinstance(task, dict) for task in tasks.values()):
        raise DataError(f"--plans {path}: expected an object of tasks, each an object with labels_map, image_modality")
    return tasks


class Plans:
    """Names and voxel sizes for records that lack them."""

    def __init__(self, tasks: Tasks, data: Path | None) -> None:
        self._tasks = tasks
        self._data = data

    def names(self, task: str, family: Family, label: Any, name: str | None, modality: str | None) -> _Names:
        """Return the name of a label of *task* and its modality, as a record says them itself or else as planned."""
        if family == "AD" or (name and modality):
            return name, modality
        planned = self._planned(task, str(label), family)
        return name or planned[0], modality or planned[1]

    @property
    def has_zooms(self) -> bool:
        """Whether there are images to take voxel sizes from."""
        return self._data is not None

    def zooms(self, image: Any) -> tuple[float, ...] | None:
        """Return the voxel size by the header of an image, where there are images."""
        if self._data is None:
            return None
        return _zooms(self._data / "Datasets" / str(image).rpartition("Datasets/")[2])

    def _planned(self, name: str, label: str, family: Family) -> tuple[Any, Any]:
        match = re.match(r".+_Task\d+", name)
        task = self._tasks.get(match.group()) if match else None
        if task is None:
            return None, None
        # A size's label is the task's own, whatever its row says.
        number = str(task.get("target_label")) if family == "TL" else label
        return task.get("labels_map", {}).get(number), task.get("image_modality")


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
            family = "BoxCoordinate" if plan.kind == "detection" else "TumorLesionSize"
            tasks[f"{plan.dataset}_{family}_Task{task.task_ID}"] = {
                "image_modality": task.image_modality,
                "labels_map": task.labels_map,
                "target_label": task.target_label,
            }
    return tasks
