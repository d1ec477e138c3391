"""A task: everything about one type of question that other packages need, in one object.

A task holds facts and names of rules. The rules themselves are defined where they are applied: losses in
``eval/scorer``, measures in ``eval/summary``, drawings in ``eval/data/truth.py``, the words in ``prompts``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from medvision_agent.quantity import BOX, Quantity

__all__ = ["RELATIVE_ERRORS", "Drawing", "Family", "Loss", "MedVisionNames", "Task", "TaskName"]

TaskName = Literal["detection", "size", "angle", "distance", "area"]
"""The name of a task in stored files and on the command line."""

Family = Literal["Detection", "TL", "AD"]
"""MedVision's task types in result files: boxes, tumour/lesion sizes, angles and distances."""

Loss = Literal["overlap", "relative error", "angle"]
"""Names of the rules by which a loss is computed (``eval/scorer/metrics.py``)."""

Drawing = Literal["box", "ellipse", "lines", "none"]
"""How the ground truth is drawn: from the target, from the points behind it, or not at all."""

RELATIVE_ERRORS = ("MRE", "MRE<0.1", "MRE<0.2", "MRE<0.3", "MAE")
"""The measures of tasks that ask for a length, an angle or an area."""


@dataclass(frozen=True, kw_only=True)
class MedVisionNames:
    """MedVision's names for a task: its type in result files, and the configurations with its samples."""

    family: Family | None
    """None if MedVision plans such samples but does not score them."""
    configs: tuple[str, ...]
    """The families of MedVision's configurations that contain samples of the task (``eval/data/configs.py``)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """One type of question: what is asked, and which rules apply to its answers."""

    name: TaskName
    quantity: Quantity
    """What is asked for; tools declare what they measure in the same terms."""
    numbers: tuple[str, ...]
    """The names of an answer's numbers, in order."""
    landmarks: int = 0
    """Number of named landmarks in a question; if 0, the question is about one labelled structure."""
    lines: tuple[str, ...] = ()
    """The lines between the ground truth's points, two points per line."""
    step_points: tuple[tuple[int, ...], ...] = ()
    """The numbers that points may have in the second step of the prompt's ``cot`` form, the most likely first."""
    loss: Loss
    measures: tuple[str, ...]
    """The measures for summaries and comparisons, besides loss and success (``eval/summary/measures.py``)."""
    is_plausible: Callable[[Sequence[float]], bool]
    """A function that returns whether numbers are possible as a target."""
    plausible: str
    """The same condition in words."""
    target_size: str
    """In words: what is used as the size of a target, with its unit."""
    drawing: Drawing = "lines"
    usual_answer: tuple[float, ...]
    """Round numbers chosen in advance, not fitted to data: the answer without looking."""
    decimals: int
    """Number of decimals that the prompt asks for."""
    medvision: MedVisionNames | None = None
    """None for a task that MedVision does not ask."""
    own_rule: str = ""
    """Name of our own rule that scores it, if no protocol of MedVision's has one; otherwise empty.

    Samples of MedVision's plans are asked such a question only where the task is named.
    """

    @property
    def family(self) -> Family | None:
        """MedVision's task type in result files; None if MedVision does not score such answers."""
        return self.medvision.family if self.medvision else None

    @property
    def template(self) -> str:
        """The name, without ending, of the prompt's template in ``prompts``."""
        return self.name

    @property
    def is_box(self) -> bool:
        """Whether an answer is a location in the image instead of a measurement."""
        return self.quantity == BOX

    @property
    def unit_after(self) -> str:
        """The unit as written after a number, with a space; empty for a box."""
        return "" if self.is_box else f" {self.quantity.unit}"
