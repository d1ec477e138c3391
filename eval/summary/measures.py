"""Which measures a task is summarised and compared by, and what a score contributes to each.

Contract: a measure maps a score to one number; NaN says that this sample cannot enter its mean. A failure enters
every measure for which failing has a value (loss 1, success 0, overlap 0, within no tolerance) and is left out of
MAE and MRE only, which upstream defines on parsed answers alone.

Source of the tolerances: MedVision counts ``MRE < k`` strictly and ``IoU > 0.5`` as *at least* 0.5.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medvision_agent.eval.data.sample import Task
from medvision_agent.eval.scorer.score import Score

__all__ = ["MEASURES", "Measure", "finite_mean"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a summary."""

    name: str
    of: Callable[[Score], float]
    unit: str = ""


def _mre_below(limit: float) -> Measure:
    return Measure(f"MRE<{limit}", lambda score: float(score.mre < limit))  # NaN is below nothing


_LOSS = Measure("loss", lambda score: score.loss)
_SUCCESS = Measure("success_rate", lambda score: float(score.success))
_RELATIVE = (Measure("MRE", lambda score: score.mre), *(_mre_below(limit) for limit in (0.1, 0.2, 0.3)))


def _mae(unit: str) -> Measure:
    return Measure("MAE", lambda score: score.mae, unit)


MEASURES: dict[Task, tuple[Measure, ...]] = {
    "detection": (
        _LOSS,
        _SUCCESS,
        Measure("IoU", lambda score: score.iou),
        Measure("IoU>=0.5", lambda score: float(score.iou >= 0.5)),
        Measure("Precision", lambda score: score.precision),
        Measure("Recall", lambda score: score.recall),
        Measure("F1", lambda score: score.f1),
        _mae("image sides"),
    ),
    "size": (_LOSS, _SUCCESS, *_RELATIVE, _mae("mm")),
    "angle": (_LOSS, _SUCCESS, *_RELATIVE, _mae("degrees")),
    "distance": (_LOSS, _SUCCESS, *_RELATIVE, _mae("mm")),
}
"""The measures of each task; the loss comes first."""


def finite_mean(values: Sequence[float]) -> tuple[float | None, int]:
    """Return the mean of the finite values and how many there are; None without any."""
    finite = [value for value in values if math.isfinite(value)]
    return (math.fsum(finite) / len(finite) if finite else None), len(finite)
