"""The measures by which a task is summarised and compared, and each score's value for them.

Contract: a measure maps a sample and its score to one number; NaN says that this sample cannot enter its mean. A
failure enters every measure that defines a value for it (loss 1, success 0, overlap 0, within no tolerance). It is left
out only of MAE and MRE, which upstream defines only for parsed answers.

Source of the tolerances: MedVision counts ``MRE < k`` strictly and ``IoU > 0.5`` as *at least* 0.5.
"""

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.tasks import TASKS, Task, TaskName

__all__ = ["MEASURES", "Measure", "finite_mean"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a task, such as MAE: its name, its unit, and how its value follows from a score."""

    name: str
    of: Callable[[Question, Score], float]
    """Returns the value of a scored answer to a sample; NaN if the answer cannot enter the mean."""
    unit: str = ""
    """Empty for a measure without a unit."""
    is_share: bool = False
    """Whether it is a share of samples, which tables show in per cent."""

    @property
    def percent(self) -> bool:
        """Whether tables show the measure in per cent, as MedVision's do: all but our loss and MAE."""
        return self.name not in {"loss", "MAE"}


def _mre_below(limit: float) -> Measure:
    return Measure(f"MRE<{limit}", lambda _, score: float(score.mre < limit), is_share=True)  # NaN is below nothing


_LOSS = Measure("loss", lambda _, score: score.loss)
_SUCCESS = Measure("success_rate", lambda _, score: float(score.success), is_share=True)
_NAMED = {
    measure.name: measure
    for measure in (
        Measure("IoU", lambda _, score: score.iou),
        Measure("IoU>=0.5", lambda _, score: float(score.iou >= 0.5), is_share=True),
        Measure("Precision", lambda _, score: score.precision),
        Measure("Recall", lambda _, score: score.recall),
        Measure("F1", lambda _, score: score.f1),
        Measure("MRE", lambda _, score: score.mre),
        *map(_mre_below, (0.1, 0.2, 0.3)),
    )
}


def _measure(name: str, task: Task) -> Measure:
    return Measure("MAE", lambda _, score: score.mae, task.quantity.unit) if name == "MAE" else _NAMED[name]


MEASURES: dict[TaskName, tuple[Measure, ...]] = {
    name: (_LOSS, _SUCCESS, *(_measure(one, task) for one in task.measures)) for name, task in TASKS.items()
}
"""The measures of each task; the loss comes first."""


def finite_mean(values: Iterable[float]) -> tuple[float | None, int]:
    """Return the mean of the finite values, and their number; the mean is None if there is no finite value."""
    finite = array("d", filter(math.isfinite, values))
    return (math.fsum(finite) / len(finite) if finite else None), len(finite)
