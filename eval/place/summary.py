"""The share of answers measured in the right place, and the loss in which a wrong place costs 1, task by task.

Contract: strict JSON. Samples whose ground truth has no place, and infrastructure failures, are only counted. A failed
answer measured nothing: it is in no share, and costs 1. The grounded loss is the loss, or 1 if the answer was measured
elsewhere. If under 80% of the answers can be located, only bounds are given: the lower bound assumes that every answer
that is not locatable is in the right place, the upper bound that it is elsewhere.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from medvision_agent.eval.place.chance import Chances
from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.rule import STRICTER, WIDER, Place
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ENOUGH", "Places", "TaskPlace", "mean_loss", "places_by_task"]

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


def mean_loss(losses: Sequence[float]) -> float | None:
    """Return the mean of losses; None if there are none."""
    return math.fsum(losses) / len(losses) if losses else None


def places_by_task(located: Iterable[Located], without: Mapping[TaskName, int]) -> dict[TaskName, TaskPlace]:
    """Return, by task, where the answers of an arm were measured; a task without such samples is left out.

    *located* are the samples whose ground truth has a place; *without* counts, by task, those whose ground truth has
    none.
    """
    by_task = {task: Places() for task in TASKS}
    for one in located:
        by_task[one.sample.task].add(one)
    return {task: own.summary(without_place=without.get(task, 0)) for task, own in by_task.items() if own.losses}


class Places:
    """The located samples of one arm on one task, added one by one.

    Numbers of them are kept, and the measured points, which the chance rate of other samples needs.
    """

    def __init__(self) -> None:
        self.losses, self._lowest, self._highest = array("d"), array("d"), array("d")
        self._places, self._reasons = Counter[Place | None](), Counter[str]()
        self.subjects = set[str]()
        """The subjects of all samples."""
        self._located = set[str]()
        """The subjects with located answers."""
        self._right, self._stricter, self._wider = array("b"), array("b"), array("b")
        self._chances = Chances()

    def add(self, one: Located) -> None:
        """Add one sample."""
        self.losses.append(one.loss)
        self._lowest.append(one.lowest_loss)
        self._highest.append(one.highest_loss)
        self._places[one.place] += 1
        self.subjects.add(one.sample.subject)
        if isinstance(one.found, str):
            self._reasons[one.found] += 1
        elif one.found is not None:
            self._located.add(one.sample.subject)
            self._right.append(one.place is Place.RIGHT)
            self._stricter.append(one.found.right(STRICTER))
            self._wider.append(one.found.right(WIDER))
            self._chances.add(one.sample, one.found)

    @property
    def enough(self) -> bool:
        """Whether the places of at least 80% of the answers are known, so that a grounded loss is given.

        Failures need no place.
        """
        return len(self._right) >= ENOUGH * (len(self.losses) - self._places[None])

    def summary(self, *, without_place: int = 0) -> TaskPlace:
        """Return where the answers were measured.

        *without_place* is the number of further samples, whose ground truth has no place.
        """
        lowest = mean_loss(self._lowest)
        return TaskPlace(
            n=len(self.losses),
            without_place=without_place,
            failed=self._places[None],
            right=self._places[Place.RIGHT],
            elsewhere=self._places[Place.ELSEWHERE],
            not_locatable=dict(self._reasons.most_common()),
            subjects=len(self._located),
            share=Mean.of(map(float, self._right)),
            chance=Mean.of(rate for _, rate in self._chances.rates() if rate is not None),
            stricter=Mean.of(map(float, self._stricter)),
            wider=Mean.of(map(float, self._wider)),
            loss=mean_loss(self.losses),
            lowest_loss=lowest,
            highest_loss=mean_loss(self._highest),
            grounded_loss=lowest if self.enough else None,
        )
