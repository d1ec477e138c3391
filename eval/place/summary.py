"""The share of answers measured in the right place, and the loss in which a wrong place costs 1, task by task.

Contract: strict JSON. Samples whose ground truth has no place, and infrastructure failures, are only counted. A failed
answer measured nothing: it is in no share, and costs 1. The grounded loss is the loss, or 1 if the answer was measured
elsewhere. If under 80% of the answers can be located, only bounds are given: the lower bound assumes that every answer
that is not locatable is in the right place, the upper bound that it is elsewhere.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from medvision_agent.eval.place.chance import chances
from medvision_agent.eval.place.located import Found, Located
from medvision_agent.eval.place.rule import STRICTER, WIDER, Place
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ENOUGH", "TaskPlace", "enough", "mean_loss", "places_by_task", "task_place"]

ENOUGH = 0.8
"""The least share of locatable answers for which a grounded loss is given."""


class TaskPlace(Frozen):
    """Where the answers of one arm to one task were measured: counts, shares, and the grounded loss."""

    n: int
    """Number of scored samples whose ground truth states its location, failed answers included."""
    without_place: int
    """Number of further scored samples, whose ground truth does not state its location."""
    failed: int
    """Number of samples without a parsed answer."""
    right: int
    """Number of answers measured where the ground truth is, by the rule (``rule``)."""
    elsewhere: int
    """Number of answers measured in another place."""
    not_locatable: dict[str, int]
    """Number of answers by the reason why their place is unknown."""
    subjects: int
    """Number of subjects with located answers."""
    share: Mean
    """Share of the located answers that are in the right place."""
    chance: Mean
    """The share to be expected if each answer had been measured on another subject's image (``chance``), over answers
    to questions that another subject also has a located answer to."""
    stricter: Mean
    wider: Mean
    """The share by the stricter and by the wider rule."""
    loss: float | None
    """Mean loss over the same samples."""
    lowest_loss: float | None
    highest_loss: float | None
    """The bounds of the grounded loss: every answer whose place is unknown was in the right place, or elsewhere."""
    grounded_loss: float | None
    """Mean loss if an answer measured elsewhere costs 1; None if under 80% of the answers are located."""


def enough(located: Sequence[Located]) -> bool:
    """Return whether the places of at least 80% of the answers are known, so that a grounded loss is given.

    Failures need no place.
    """
    answers = [one for one in located if one.found is not None]
    return sum(isinstance(one.found, Found) for one in answers) >= ENOUGH * len(answers)


def mean_loss(losses: Sequence[float]) -> float | None:
    """Return the mean of losses; None if there are none."""
    return math.fsum(losses) / len(losses) if losses else None


def places_by_task(located: Iterable[Located], without: Mapping[TaskName, int]) -> dict[TaskName, TaskPlace]:
    """Return, by task, where the answers of an arm were measured; a task without such samples is left out.

    *located* are the samples whose ground truth has a place; *without* counts, by task, those whose ground truth has
    none.
    """
    by_task: dict[TaskName, list[Located]] = {task: [] for task in TASKS}
    for one in located:
        by_task[one.sample.task].append(one)
    return {task: task_place(own, without_place=without.get(task, 0)) for task, own in by_task.items() if own}


def task_place(located: Sequence[Located], *, without_place: int = 0) -> TaskPlace:
    """Return where the answers to one task were measured; *located* are its samples, whose ground truth has a place.

    *without_place* is the number of further samples, whose ground truth has none.
    """
    places = Counter(one.place for one in located)
    found = [(one.sample, one.found) for one in located if isinstance(one.found, Found)]
    by_chance = [rate for rate in chances(located).values() if rate is not None]
    lowest = mean_loss([one.lowest_loss for one in located])
    return TaskPlace(
        n=len(located),
        without_place=without_place,
        failed=places[None],
        right=places[Place.RIGHT],
        elsewhere=places[Place.ELSEWHERE],
        not_locatable=dict(Counter(one.found for one in located if isinstance(one.found, str)).most_common()),
        subjects=len({sample.subject for sample, _ in found}),
        share=Mean.of([float(one.right()) for _, one in found]),
        chance=Mean.of(by_chance),
        stricter=Mean.of([float(one.right(STRICTER)) for _, one in found]),
        wider=Mean.of([float(one.right(WIDER)) for _, one in found]),
        loss=mean_loss([one.loss for one in located]),
        lowest_loss=lowest,
        highest_loss=mean_loss([one.highest_loss for one in located]),
        grounded_loss=lowest if enough(located) else None,
    )
