"""What result files do not carry: names of labels and modalities, and voxel sizes, looked up where they are known.

Contract: what a record says itself stays. What cannot be found stays unknown, and the summary says so.

Two forms: MedVision's data folder (annotation plans, and the headers of the images themselves), or a JSON file

    {"KiTS23_BoxCoordinate_Task01": {"image_modality": "CT", "labels_map": {"1": "kidney"}},
     "KiTS23_TumorLesionSize_Task02": {"image_modality": "CT", "labels_map": {"2": "kidney tumor"}, "target_label": 2}}
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.scorer.answer import Answer

__all__ = ["Tasks", "complete", "read_tasks"]

Tasks = dict[str, dict[str, Any]]
"""The facts of each task by the name it has in result files, without its plane."""


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


def complete(answers: Sequence[Answer], tasks: Tasks, data: Path | None) -> list[Answer]:
    """Return the answers with names from *tasks*, and voxel sizes from the images below the folder *data*."""
    return [_complete(answer, tasks, data) for answer in answers]


def _complete(answer: Answer, tasks: Tasks, data: Path | None) -> Answer:
    match = re.match(r".+_Task\d+", answer.task)
    task = tasks.get(match.group()) if match else None
    if task is not None and answer.family != "AD":
        # A size's label is the task's own, whatever its row says.
        number = task.get("target_label") if answer.family == "TL" else answer.doc.get("label")
        answer = answer._replace(
            label_name=answer.label_name or task.get("labels_map", {}).get(str(number)),
            modality=answer.modality or task.get("image_modality"),
        )
    if data is not None and answer.zooms is None and answer.nmae is None and answer.family != "Detection":
        image = str(answer.doc.get("image_file", ""))
        answer = answer._replace(zooms=_zooms(data / "Datasets" / image.rpartition("Datasets/")[2]))
    return answer


@cache
def _zooms(image: Path) -> tuple[float, ...] | None:
    import nibabel  # noqa: PLC0415 - only where a header is needed

    try:
        header: Any = nibabel.load(image).header
        return tuple(map(float, header.get_zooms()))
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError):
        return None


def _from_plans(folder: Path) -> Tasks:
    from medvision_agent.eval.medvision.folder import DataFolder  # noqa: PLC0415 - only where plans are given
    from medvision_agent.eval.medvision.plan import read_plan  # noqa: PLC0415

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
