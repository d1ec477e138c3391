"""Upstream's names: ``<dataset>_<family>_Task<NN>_<Plane>_<Split>`` for a configuration, and its task lists.

A task is a configuration without its split; upstream's task lists call detection ``BoxCoordinate`` where configurations
say ``BoxSize``, and end in variants of the prompt (``-CoT``, ``-336x336``) that select no other samples.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from medvision_agent.errors import ConfigError, DataError

__all__ = ["FAMILIES", "PLANES", "SPLITS", "Config", "ConfigFamily", "Kind", "read_task_list", "task_name"]

Kind = Literal["detection", "biometry", "segmentation"]
ConfigFamily = Literal[
    "BoxSize",
    "TumorLesionSize",
    "BiometricsFromLandmarks",
    "BiometricsFromLandmarks_Distance",
    "BiometricsFromLandmarks_Angle",
    "MaskSize",
]
FAMILIES: dict[ConfigFamily, str] = {
    "BoxSize": "Box-Size",
    "TumorLesionSize": "Tumor-Lesion-Size",
    "BiometricsFromLandmarks": "Biometrics-From-Landmarks",
    "BiometricsFromLandmarks_Distance": "Biometrics-From-Landmarks-Distance",
    "BiometricsFromLandmarks_Angle": "Biometrics-From-Landmarks-Angle",
    "MaskSize": "Mask-Size",
}
"""Family in a name to ``taskType`` in a record."""
PLANES = ("Sagittal", "Coronal", "Axial")
"""The plane for each ``slice_dim``, the axis of the volume that a slice leaves out."""
SPLITS = ("Train", "Test")
# The dataset never holds an underscore; the longer family names come first.
_TASK = re.compile(
    rf"(?P<dataset>[^_/]+)_(?P<family>BoxCoordinate|{'|'.join(sorted(FAMILIES, reverse=True))})"
    rf"_Task(?P<task>\d\d+)_(?P<plane>{'|'.join(PLANES)})"
)


@dataclass(frozen=True)
class Config:
    """One configuration of MedVision's dataset: the annotations of one dataset, family, task, plane and split."""

    dataset: str
    family: ConfigFamily
    task_id: str
    slice_dim: int
    """The axis of the volume that a slice leaves out: 0 sagittal, 1 coronal, 2 axial."""
    split: str

    @cached_property
    def name(self) -> str:
        """The configuration's name in MedVision's dataset: ``<dataset>_<family>_Task<NN>_<Plane>_<Split>``."""
        return f"{self.dataset}_{self.family}_Task{self.task_id}_{self.plane}_{self.split}"

    @property
    def plane(self) -> str:
        """The plane of its slices: Sagittal, Coronal or Axial."""
        return PLANES[self.slice_dim]

    @property
    def whole(self) -> "Config":
        """The configuration with distances and angles together, if this one has only one of the two.

        For all others, the configuration itself.
        """
        if not self.family.startswith("BiometricsFromLandmarks_"):
            return self
        return Config(self.dataset, "BiometricsFromLandmarks", self.task_id, self.slice_dim, self.split)


def task_name(name: str) -> str | None:
    """Return the task that *name* names, in the form used by configurations: ``<dataset>_<family>_Task<NN>_<Plane>``.

    *name* may end in a split or in a variant of the prompt. None if *name* does not have MedVision's form.
    """
    match = _TASK.match(name)
    if match is None or name[match.end() :][:1] not in {"", "-", "_"}:
        return None
    return match[0].replace("_BoxCoordinate_", "_BoxSize_")


def read_task_list(path: Path) -> Sequence[str]:
    """Return the tasks of one of MedVision's task lists, each once, in the form used by configurations.

    The file is a JSON object whose keys are the names of tasks, or a list of names. Raises ConfigError if it cannot be
    read, DataError for another content, for a name that does not have MedVision's form, and for an empty list.
    """
    try:
        names = list(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path}: this task list cannot be read ({error.strerror}); check the path") from None
    except (ValueError, TypeError, RecursionError):
        expected = "a JSON object whose keys are the names of MedVision's tasks, or a JSON list of these names"
        raise DataError(f"{path}: is not a task list; expected {expected}") from None
    tasks = []
    for name in names:
        task = task_name(name) if isinstance(name, str) else None
        if task is None:
            expected = "<dataset>_<family>_Task<NN>_<Sagittal|Coronal|Axial>"
            example = "KiPA22_TumorLesionSize_Task01_Axial"
            raise DataError(
                f"{path}: {name!r} is not the name of a MedVision task; expected {expected}, such as {example}"
            )
        tasks.append(task)
    if not tasks:
        raise DataError(f"{path}: the task list is empty; name at least one of MedVision's tasks in it")
    return list(dict.fromkeys(tasks))
