"""Two runs of the same samples by place: shares in the right place, the grounded loss, and where gains were measured.

Contract: pairs are samples scored in both runs whose ground truth has a place. Every difference of losses that is not 0
is a gain of the better arm, and belongs to the place where that arm measured: an arm that is better has answered. The
parts, divided by the number of pairs, add up to the difference of the mean losses, B minus A. The grounded losses are
compared only if 80% of the answers are located in both arms; otherwise bounds are given.
"""

import math
from collections.abc import Iterable, Sequence

from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.rule import Place
from medvision_agent.eval.place.summary import TaskPlace, enough, mean_loss, task_place
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

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
    pairs = paired_places(a, b)
    by_task = {task: [pair for pair in pairs if pair[0].sample.task == task] for task in TASKS}
    return {task: _compared(own) for task, own in by_task.items() if own}


def paired_places(a: Iterable[Located], b: Iterable[Located]) -> list[Pair]:
    """Return the samples that both arms have as pairs (A, B), in the order of A."""
    others = {one.sample.id: one for one in b}
    return [(one, others[one.sample.id]) for one in a if one.sample.id in others]


def _compared(pairs: Sequence[Pair]) -> PlaceComparison:
    of_a, of_b = [a for a, _ in pairs], [b for _, b in pairs]
    located = enough(of_a) and enough(of_b)
    return PlaceComparison(
        pairs=len(pairs),
        subjects=len({a.sample.subject for a, _ in pairs}),
        a=task_place(of_a),
        b=task_place(of_b),
        difference=mean_loss([b.loss - a.loss for a, b in pairs]),
        grounded_difference=mean_loss([b.lowest_loss - a.lowest_loss for a, b in pairs]) if located else None,
        lowest=mean_loss([b.lowest_loss - a.highest_loss for a, b in pairs]),
        highest=mean_loss([b.highest_loss - a.lowest_loss for a, b in pairs]),
        gains_b=_gains([(b, b.loss - a.loss) for a, b in pairs if b.loss < a.loss], len(pairs)),
        gains_a=_gains([(a, b.loss - a.loss) for a, b in pairs if a.loss < b.loss], len(pairs)),
    )


def _gains(better: Sequence[tuple[Located, float]], pairs: int) -> Gains:
    """Return the pairs in which one arm is better, grouped by the place where it measured.

    *better* holds that arm's sample with the difference in loss, B minus A; *pairs* is the number of all pairs.
    """

    def part(place: Place) -> Part:
        own = [(one, difference) for one, difference in better if one.place is place]
        apart = [one.apart_mm for one, _ in own if one.apart_mm is not None]
        return Part(
            pairs=len(own),
            difference=math.fsum(difference for _, difference in own) / pairs,
            apart_mm=(min(apart), max(apart)) if apart else None,
        )

    return Gains(right=part(Place.RIGHT), elsewhere=part(Place.ELSEWHERE), not_locatable=part(Place.UNKNOWN))
