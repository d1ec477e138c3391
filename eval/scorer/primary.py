"""The primary metric of a comparison: which loss, and what a failure costs. Declared, never chosen afterwards.

A metric is a loss within 0..1, 0 is perfect:

* ``loss``: that of the task (``metrics``); the default.
* ``relative``: mean over the numbers of ``min(|p - t| / t, 1)``.
* ``log-ratio``: mean over the numbers of ``min(|ln(p / t)|, ln 4) / ln 4``. Lengths only; a length of 0 or less
  counts as a failure.
* ``absolute``: of angles ``min(|p - t|, 90) / 90``. An error in mm or mm2 has no largest value: it counts in units
  of twice the mean error of the best constant (``constants``), up to 1.
* ``iou``: ``1 - IoU``.
* ``iou>0.5``: 0 where IoU is at least 0.5 (as MedVision counts it), else 1. ``mre<0.1``: 0 where MRE is below 0.1,
  else 1.

A failure costs 1 (``failures: worst``), or as much as *chance*: with c the mean loss of the best constant, the loss is
then ``min(loss / c, 2)``, so that 1 is the score of knowing only the question, and a failure costs 1. There is one c
for each task of a source, computed from the planned ground truths before the first call.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.scorer.constants import Asked, LossOf, mean_losses, our_loss
from medvision_agent.eval.scorer.metrics import Floats, Values, absolute_errors, mean_relative_error, relative_loss
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.tasks import TASKS, Task, TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.quantity import ANGLE_DEG, LENGTH_MM

__all__ = ["Declared", "Failures", "Metric", "Primary", "declared_by", "metric_named", "primaries_of"]

Metric = Literal["loss", "relative", "log-ratio", "absolute", "iou", "iou>0.5", "mre<0.1"]
Failures = Literal["worst", "chance"]
Declared = Metric | Mapping[TaskName, Metric]
"""One metric for all tasks, or one for each; a task that is not named uses its loss."""

_LARGEST = 2.0
"""The maximum of a loss in units of chance."""
_FACTOR = math.log(4)
_HAS: dict[Metric, Callable[[Task], bool]] = {
    "loss": lambda _: True,
    "relative": lambda task: "MRE" in task.measures,
    "log-ratio": lambda task: task.quantity == LENGTH_MM,
    "absolute": lambda task: not task.is_box,
    "iou": lambda task: task.is_box,
    "iou>0.5": lambda task: task.is_box,
    "mre<0.1": lambda task: "MRE" in task.measures,
}
"""The tasks for which each metric is defined."""


class Primary(Frozen):
    """The declared primary metric of one task of one source: the loss by which arms are compared."""

    task: TaskName
    metric: Metric = "loss"
    failures: Failures = "worst"
    chance: float | None = Field(default=None, gt=0)
    """The value c: the mean loss, by this metric and before scaling, of the best constants; None if not needed."""

    @property
    def largest(self) -> float:
        """The upper limit of the loss of one answer: 2 if failures count in units of chance, else 1."""
        return _LARGEST if self.failures == "chance" else 1.0

    def __str__(self) -> str:
        """Return the metric and the cost of a failure in a few words."""
        name = "our loss" if self.metric == "loss" else self.metric
        if self.failures == "worst":
            return f"{name}, a failure costs 1"
        return f"{name} in units of chance ({self.chance:.4g}), up to 2; a failure costs 1"

    def of(self, score: Score, target: Sequence[float]) -> tuple[float, bool]:
        """Return the loss of a score against the ground truth *target*, and whether this metric could read the answer.

        The loss is 0 to ``largest``; it is 1 for an answer that could not be read.
        """
        answered = score.success and not (self.metric == "log-ratio" and min(score.values) <= 0)
        if not answered:
            return 1.0, False
        unit = self.chance or 1.0 if self.failures == "chance" else 1.0
        if self.failures == "worst" and _in_mm(self.metric, TASKS[self.task]):
            unit = _LARGEST * (self.chance or 1.0)
        return min(self._bare(score, target) / unit, self.largest), True

    def _bare(self, score: Score, target: Sequence[float]) -> float:
        """Return an answer's loss by the metric before it is scaled, perhaps in mm or mm2; infinite if not finite."""
        if self.metric in {"loss", "iou"}:
            return score.loss
        if self.metric == "iou>0.5":
            return float(not score.iou >= 0.5)
        if self.metric == "mre<0.1":
            return float(not score.mre < 0.1)
        loss = float(_loss_of(self.metric, self.task)(np.array(score.values), np.array(target)))
        return loss if math.isfinite(loss) else math.inf


def metric_named(name: str) -> Metric:
    """Return *name* if it names a metric; raises ConfigError, which lists the known ones, if it does not."""
    for metric in _HAS:
        if metric == name:
            return metric
    raise ConfigError(f"metric: expected one of {', '.join(_HAS)}, found {name!r}.{nearest(name, _HAS)}")


def declared_by(words: Sequence[str]) -> Declared:
    """Return the metrics that *words* of a command line declare: one METRIC, or ``TASK=METRIC`` for each task.

    Without words, the result is empty, which means our loss for every task.
    Raises ConfigError for an unknown task or metric, and for words of any other form.
    """
    if len(words) == 1 and "=" not in words[0]:
        return metric_named(words[0])
    found: dict[TaskName, Metric] = {}
    for word in words:
        task, separator, metric = word.partition("=")
        known = next((name for name in TASKS if name == task), None)
        if known is None or not separator:
            raise ConfigError(
                f"metric: {word!r} is not of the expected form; give one METRIC for all tasks, or TASK=METRIC for each "
                f"task, with a TASK among {', '.join(TASKS)}"
            )
        found[known] = metric_named(metric)
    return found


def primaries_of(samples: Sequence[Asked], declared: Declared, failures: Failures) -> dict[TaskName, Primary]:
    """Return the primary metric of each task of the planned samples; empty if only the default is declared.

    Raises ConfigError that names the task if the metric, or chance, is not defined for it.
    """
    asked = {one.task for one in samples}
    tasks = [task for task in TASKS if task in asked]
    metrics = {task: _metric(declared, task) for task in tasks}
    if failures == "worst" and set(metrics.values()) <= {"loss"}:
        return {}
    needed = [one for one in samples if failures == "chance" or _in_mm(metrics[one.task], TASKS[one.task])]
    chance = mean_losses(needed, lambda task: _loss_of(metrics[task], task))
    found: dict[TaskName, Primary] = {}
    for task, metric in metrics.items():
        wanted = any(one.task == task for one in needed)
        if wanted and not chance.get(task):
            raise ConfigError(
                f"metric: for the task {task!r} the loss of a constant answer (chance) is needed and cannot be "
                "computed: expected samples of at least two subjects, with ground truths that differ; select more "
                "samples"
            )
        # Rounded, so that another processor computes the same plan.
        known = float(f"{chance[task]:.6g}") if wanted else None
        found[task] = Primary(task=task, metric=metric, failures=failures, chance=known)
    return found


def _metric(declared: Declared, task: TaskName) -> Metric:
    metric: Metric = declared.get(task, "loss") if isinstance(declared, Mapping) else declared
    if not _HAS[metric](TASKS[task]):
        have = [name for name, one in TASKS.items() if _HAS[metric](one)]
        raise ConfigError(
            f"metric: {metric} is not defined for {task} samples, only for {' and '.join(have)}; ask only these "
            f"(tasks: [{', '.join(have)}]), or name the metric of each task: {{{have[0]}: {metric}}} "
            f"(compare: --metric '{have[0]}={metric}')"
        )
    return metric


def _in_mm(metric: Metric, task: Task) -> bool:
    """Return whether a metric is an error in mm or mm2, which has no largest value."""
    return metric == "absolute" and task.quantity != ANGLE_DEG


def _loss_of(metric: Metric, task: TaskName) -> LossOf:
    """Return a task's metric, before scaling, as a function of answers and ground truths."""
    asked = TASKS[task]
    if metric == "iou>0.5":
        return lambda answers, targets: (our_loss(task)(answers, targets) > 0.5).astype(np.float64)
    if metric == "mre<0.1":
        return lambda answers, targets: (~(mean_relative_error(_single(answers), targets) < 0.1)).astype(np.float64)
    if metric == "relative":
        return lambda answers, targets: relative_loss(_single(answers), targets)
    if metric == "log-ratio":
        return _log_ratio
    if metric == "absolute" and _in_mm(metric, asked):
        return lambda answers, targets: absolute_errors(_single(answers), targets).mean(axis=-1)
    return our_loss(task)


def _log_ratio(answers: Floats, targets: Floats) -> Floats:
    with np.errstate(all="ignore"):
        ratio = np.abs(np.log(answers / targets)) / _FACTOR
    return np.asarray(np.where(np.isfinite(ratio), np.minimum(ratio, 1.0), 1.0).mean(axis=-1))


def _single(answers: Floats) -> Values:
    """Return answers as float32, the data type used for scoring."""
    return answers.astype(np.float32)
