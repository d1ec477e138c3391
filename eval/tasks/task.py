"""What a task is: everything about one kind of question that other rooms need, in one object.

A task holds facts and names rules. The rules themselves stand where they are applied: losses in ``eval/scorer``,
measures in ``eval/summary``, drawings in ``eval/data/truth.py``, the words in ``prompts``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from medvision_agent.quantity import BOX, Quantity

__all__ = ["RELATIVE_ERRORS", "Drawing", "Family", "Loss", "MedVisionNames", "Task", "TaskName"]

TaskName = Literal["detection", "size", "angle", "distance", "area"]
"""How a task is stored, and named on the command line."""

Family = Literal["Detection", "TL", "AD"]
"""MedVision's task types in result files: boxes, tumour/lesion sizes, angles and distances."""

Loss = Literal["overlap", "relative error", "angle"]
"""The rules of the loss (``eval/scorer/metrics.py``)."""

Drawing = Literal["box", "ellipse", "lines", "none"]
"""How the ground truth is drawn: from the target, from the points it was made from, or not at all."""

RELATIVE_ERRORS = ("MRE", "MRE<0.1", "MRE<0.2", "MRE<0.3", "MAE")
"""Measures of numbers that have a size."""


@dataclass(frozen=True, kw_only=True)
class MedVisionNames:
    """What MedVision calls a task."""

    family: Family | None
    """None where MedVision plans such samples and scores none."""
    configs: tuple[str, ...]
    """Families of the configurations that hold its samples (``eval/data/configs.py``)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """One kind of question."""

    name: TaskName
    quantity: Quantity
    """What is asked for; tools say in the same words what they measure."""
    numbers: tuple[str, ...]
    """The numbers of an answer, by name and in their order."""
    landmarks: int = 0
    """How many named landmarks a question is about; without any, it is about one labelled structure."""
    lines: tuple[str, ...] = ()
    """The lines between the ground truth's points, two points each."""
    step_points: tuple[tuple[int, ...], ...] = ()
    """The numbers that points can have in the second step of the prompt's ``cot`` form, the likelier ones first."""
    loss: Loss
    measures: tuple[str, ...]
    """By what answers are summarised and compared besides loss and success (``eval/summary/measures.py``)."""
    is_plausible: Callable[[Sequence[float]], bool]
    """Whether numbers can be a target."""
    plausible: str
    """The same in words."""
    target_size: str
    """What counts as the size of a target, with its unit."""
    drawing: Drawing = "lines"
    usual_answer: tuple[float, ...]
    """Round numbers chosen beforehand, fitted to no data: what is answered without looking."""
    decimals: int
    """How many decimals the prompt asks for."""
    medvision: MedVisionNames | None = None
    """None for a task that MedVision does not ask."""
    own_rule: str = ""
    """Name of the rule it is scored by, where that is ours and no protocol of MedVision's has one; else empty.

    Samples of MedVision's plans are asked such a question only where the task is named.
    """

    @property
    def family(self) -> Family | None:
        """MedVision's type of task in result files; None where MedVision scores no such answers."""
        return self.medvision.family if self.medvision else None

    @property
    def template(self) -> str:
        """The prompt's template in ``prompts``."""
        return self.name

    @property
    def is_box(self) -> bool:
        """Whether an answer is a place in the image, not a measure."""
        return self.quantity == BOX

    @property
    def unit_after(self) -> str:
        """The unit as it follows a number, with its space; empty for a box."""
        return "" if self.is_box else f" {self.quantity.unit}"
