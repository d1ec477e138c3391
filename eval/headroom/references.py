"""The two ends of the headroom, answer by answer: a prior that sees no image, and the ceiling of the conventions.

The prior is the best constant answer of other subjects (``eval/scorer/constants.py``), by structure, scored like any
answer. With more than ``GROUPS`` subjects, they are divided into as many groups, and the constants come from the other
groups: the work grows with the number of answers only, and no subject's ground truth enters its own constant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.headroom.steps import Answered
from medvision_agent.eval.parts.summary import structure_of
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


def priors(task: TaskName, answers: Sequence[Answered], rules: Protocol) -> Floats:
    """Return, for each answer to a task, the loss of the best constant answer of other subjects, 0 to 1.

    NaN if no other group of subjects was asked the task.
    """
    names = sorted({one.question.subject for one in answers})
    groups = {name: str(place % GROUPS) for place, name in enumerate(names)}
    asked = [
        _Asked(str(place), task, structure_of(one.question), groups[one.question.subject], one.target)
        for place, one in enumerate(answers)
    ]
    found = best_constants(asked)
    return _losses(task, [found.get(one.id) for one in asked], answers, rules)


def ceilings(task: TaskName, answers: Sequence[Answered], rules: Protocol) -> Floats:
    """Return, for each answer to a task, the loss of an exact measurement at the true places, 0 to 1.

    NaN if the true places are unknown (``Answered.ideal``).
    """
    return _losses(task, [one.ideal for one in answers], answers, rules)


def _losses(
    task: TaskName, given: Sequence[Sequence[float] | Floats | None], answers: Sequence[Answered], rules: Protocol
) -> Floats:
    """Return the loss (0 to 1) of each of the answers *given* in place of *answers*; NaN for None."""
    losses = np.full(len(answers), np.nan)
    known = [place for place, one in enumerate(given) if one is not None]
    if known:
        values = np.array([given[place] for place in known], dtype=np.float32)
        targets = np.array([answers[place].target for place in known], dtype=np.float64)
        read = np.ones(len(known), dtype=np.bool_)
        losses[known] = measure(TASKS[task].loss, values, read, targets, rules)[1]
    return losses
