"""The two ends of the headroom, answer by answer: a prior that sees no image, and the ceiling of the conventions.

The prior is the best constant answer of other subjects (``eval/scorer/constants.py``), by structure, scored like any
answer. With more than ``GROUPS`` subjects, they are divided into as many groups, and the constants come from the other
groups: the work grows with the number of answers only, and no subject's ground truth enters its own constant.
"""

from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.headroom.columns import AnswerColumns
from medvision_agent.eval.scorer.constants import best_constants
from medvision_agent.eval.scorer.metrics import Floats, measure
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import TASKS, Task, TaskName

__all__ = ["GROUPS", "ceilings", "priors"]

GROUPS = 10
"""Most groups of subjects."""


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    task: TaskName
    label: str
    subject: str
    target: tuple[float, ...]
    landmarks: tuple[str, ...] = ()
    measurement: str = ""

    @property
    def asks(self) -> Task:
        return TASKS[self.task]


def priors(task: TaskName, answers: AnswerColumns, rules: Protocol) -> Floats:
    """Return, for each answer to a task, the loss of the best constant answer of other subjects, 0 to 1.

    NaN if no other group of subjects was asked the task.
    """
    names, targets = sorted(set(answers.subjects)), answers.targets
    groups = {name: str(place % GROUPS) for place, name in enumerate(names)}
    rows = zip(answers.structures, answers.subjects, targets.tolist(), strict=True)
    asked = [
        _Asked(str(place), task, structure, groups[subject], tuple(target))
        for place, (structure, subject, target) in enumerate(rows)
    ]
    found = best_constants(asked)
    given = np.full(targets.shape, np.nan)
    for place, one in enumerate(asked):
        if (constant := found.get(one.id)) is not None:
            given[place] = constant
    return _losses(task, given, targets, rules)


def ceilings(task: TaskName, answers: AnswerColumns, rules: Protocol) -> Floats:
    """Return, for each answer to a task, the loss of an exact measurement at the true places, 0 to 1.

    NaN if the true places are unknown (``Answered.ideal``).
    """
    return _losses(task, answers.ideals, answers.targets, rules)


def _losses(task: TaskName, given: Floats, targets: Floats, rules: Protocol) -> Floats:
    """Return the loss (0 to 1) of each of the answers *given* (answers, numbers); NaN for an answer of NaN."""
    losses = np.full(len(targets), np.nan)
    known = ~np.isnan(given).any(axis=1)
    if known.any():
        read = np.ones(int(known.sum()), dtype=np.bool_)
        losses[known] = measure(TASKS[task].loss, given[known].astype(np.float32), read, targets[known], rules)[1]
    return losses
