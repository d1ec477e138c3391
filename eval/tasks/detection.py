"""Detection: the box around a labelled structure."""

from collections.abc import Sequence

from medvision_agent.eval.tasks.task import MedVisionNames, Task
from medvision_agent.quantity import BOX

__all__ = ["DETECTION"]


def _is_box(numbers: Sequence[float]) -> bool:
    x1, y1, x2, y2 = numbers
    return 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1


DETECTION = Task(
    name="detection",
    quantity=BOX,
    numbers=("x1", "y1", "x2", "y2"),
    loss="overlap",
    measures=("IoU", "IoU>=0.5", "Precision", "Recall", "F1", "MAE"),
    is_plausible=_is_box,
    plausible="x1 < x2 and y1 < y2, all from 0 to 1, origin at the lower left",
    target_size="box, % of the image's area",
    drawing="box",
    usual_answer=(0.35, 0.35, 0.65, 0.65),
    decimals=4,
    medvision=MedVisionNames(family="Detection", configs=("BoxSize",)),
)
"""``(x1, y1, x2, y2)`` relative to the image, origin lower left, y up, lower-left corner first."""
