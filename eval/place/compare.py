"""Two runs of the same samples by place: shares in the right place, the grounded loss, and where gains were measured.

Contract: pairs are samples scored in both runs whose ground truth has a place. Every difference of losses that is not 0
is a gain of the better arm, and belongs to the place where that arm measured: an arm that is better has answered. The
parts, divided by the number of pairs, add up to the difference of the mean losses, B minus A. The grounded losses are
compared only if 80% of the answers are located in both arms; otherwise bounds are given.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping

from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.rule import Place
from medvision_agent.eval.place.summary import Places, TaskPlace, mean_loss
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.side_by_side import paired

__all__ = ["Gains", "Part", "PlaceComparison", "compare_places", "paired_places"]

Pair = tuple[Located, Located]


class Part(Frozen):
    """Pairs in which one arm has the lower loss and measured in one kind of place: right, elsewhere, or unknown."""

    pairs: int
    difference: float
    """Their contribution to the difference of the mean losses, B minus A."""
    apart_mm: tuple[float, float] | None
    """Smallest and largest distance in mm between the centre of what was measured and the true centre.

    None for boxes, without pairs, and if no place is known.
    """


class Gains(Frozen):
    """The pairs in which one arm has the lower loss, grouped by the place where that arm measured."""

    right: Part
    elsewhere: Part
    not_locatable: Part


class PlaceComparison(Frozen):
    """Two arms on one task, compared by where their answers were measured."""

    pairs: int
    subjects: int
    a: TaskPlace
    b: TaskPlace
    """Like ``a``: the summary of an arm, computed over the pairs only."""
    difference: float | None
    """Difference of the mean losses, B minus A."""
    grounded_difference: float | None
    """Difference of the grounded losses; None if under 80% of the answers of an arm are located."""
    lowest: float | None
    highest: float | None
    """The bounds of the difference of the grounded losses."""
    gains_b: Gains
    """Pairs in which B is better."""
    gains_a: Gains
    """Pairs in which A is better."""


def compare_places(a: Iterable[Located], b: Iterable[Located]) -> dict[TaskName, PlaceComparison]:
    """Return, by task, arm B compared with arm A by where answers were measured.

    *a* and *b* are the scored samples whose ground truth has a place (``Looked.located``). A task without a common
    sample is left out.
    """
    by_task = {task: _Paired() for task in TASKS}
    for one, other in paired_places(a, b):
        by_task[one.sample.task].add(one, other)
    return {task: own.compared() for task, own in by_task.items() if own.differences}


def paired_places(a: Iterable[Located], b: Iterable[Located]) -> Iterator[Pair]:
    """Yield the samples that both arms have as pairs (A, B), in the arms' order if it is the same in both.

    Both inputs are read side by side; few samples are then held at a time.
    """
    return paired(a, b, lambda one: one.sample.id)


class _Paired:
    """The pairs of one task, added one by one; numbers of them are kept."""

    def __init__(self) -> None:
        self._a, self._b = Places(), Places()
        self.differences = array("d")
        """The difference of the losses of each pair, B minus A."""
        self._lowest, self._highest, self._grounded = array("d"), array("d"), array("d")
        self._gains_a, self._gains_b = ({place: _Gained() for place in Place} for _ in "ab")

    def add(self, a: Located, b: Located) -> None:
        self._a.add(a)
        self._b.add(b)
        difference = b.loss - a.loss
        self.differences.append(difference)
        self._grounded.append(b.lowest_loss - a.lowest_loss)
        self._lowest.append(b.lowest_loss - a.highest_loss)
        self._highest.append(b.highest_loss - a.lowest_loss)
        if b.loss < a.loss and b.place is not None:
            self._gains_b[b.place].add(b, difference)
        if a.loss < b.loss and a.place is not None:
            self._gains_a[a.place].add(a, difference)

    def compared(self) -> PlaceComparison:
        pairs = len(self.differences)
        return PlaceComparison(
            pairs=pairs,
            subjects=len(self._a.subjects),
            a=self._a.summary(),
            b=self._b.summary(),
            difference=mean_loss(self.differences),
            grounded_difference=mean_loss(self._grounded) if self._a.enough and self._b.enough else None,
            lowest=mean_loss(self._lowest),
            highest=mean_loss(self._highest),
            gains_b=_gains(self._gains_b, pairs),
            gains_a=_gains(self._gains_a, pairs),
        )


class _Gained:
    """The pairs in which one arm is better and measured in one kind of place."""

    def __init__(self) -> None:
        self.differences, self.apart = array("d"), array("d")

    def add(self, better: Located, difference: float) -> None:
        self.differences.append(difference)
        if (apart := better.apart_mm) is not None:
            self.apart.append(apart)

    def part(self, pairs: int) -> Part:
        return Part(
            pairs=len(self.differences),
            difference=math.fsum(self.differences) / pairs,
            apart_mm=(min(self.apart), max(self.apart)) if self.apart else None,
        )


def _gains(found: Mapping[Place, _Gained], pairs: int) -> Gains:
    """Return the pairs in which one arm is better, by the place where it measured; *pairs* counts all pairs."""
    right, elsewhere, unknown = (found[place].part(pairs) for place in (Place.RIGHT, Place.ELSEWHERE, Place.UNKNOWN))
    return Gains(right=right, elsewhere=elsewhere, not_locatable=unknown)
