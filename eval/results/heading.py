"""The question type of a record, from the record itself and from the name of its file."""

import re
from typing import Any, NamedTuple

from medvision_agent.eval.scorer.answer import FAMILIES
from medvision_agent.eval.tasks import Family

__all__ = ["Heading", "form_of", "read_heading", "task_of"]

_FORM = re.compile(r"^.*?_Task\d+(_(Sagittal|Coronal|Axial))?-?|^.*")
_FAMILY_WORDS: dict[str, Family] = {
    "_BoxCoordinate_": "Detection",
    "_TumorLesionSize_": "TL",
    "_BiometricsFromLandmarks_": "AD",
}


class Heading(NamedTuple):
    """What was asked in a record: task, family (MedVision's task type), and the name of the result file."""

    task: str
    family: Family
    file: str


def task_of(file: str) -> str:
    """Return the task in a result file's name, ``<stamp>_samples_<task>.jsonl``; empty for a name of another form."""
    _, found, task = file.rpartition("_samples_")
    return task.removesuffix(".gz").removesuffix(".jsonl") if found else ""


def form_of(task: str) -> str:
    """Return the form in which a task was asked, such as ``CoT`` or ``336x336``: what its name has after the plane.

    It is ``direct`` if nothing follows.
    """
    return _FORM.sub("", task) or "direct"


def read_heading(task: Any, own_file: Any, said: Any, file: str) -> Heading:
    """Return what was asked in a record.

    *task*, *own_file* and *said* are what the record states under ``task``, ``file`` and ``task_type``; the name *file*
    of the file that contains it is used for what it does not state. Raises ValueError if none of them says what was
    asked, and for mask sizes, which are not scored.
    """
    task = task if isinstance(task, str) and task else task_of(file)
    if not isinstance(own_file, str) or not own_file:
        own_file = file if "samples_" in file else f"samples_{task}.jsonl"
    return Heading(task, _family(said, task), own_file)


def _family(said: Any, task: str) -> Family:
    """Return the family that the stated task type *said* names, or else the task's name; ValueError if neither does."""
    for family in FAMILIES:
        if said == family:
            return family
    for word, family in _FAMILY_WORDS.items():
        if said is None and word in task:
            return family
    if "_MaskSize_" in task:
        raise ValueError("tasks about mask sizes (_MaskSize_) are not scored, as in MedVision")
    raise ValueError(
        f"task_type is {said!r} and task is {task!r}, so it is not known what was asked; expected the task_type "
        f"{' or '.join(FAMILIES)}, or a task whose name has {' or '.join(_FAMILY_WORDS)}"
    )
