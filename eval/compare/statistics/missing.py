"""What is missing from a comparison: failed answers, lost pairs, and how much they could change the result.

Two things can be missing. A *failure* (no answer) has a declared loss and is in the primary; the difference over
complete pairs leaves failures out and compares only what both arms answered. A pair *lost* to infrastructure has no
loss and is not in the primary. For both there are worst-case bounds (Manski 1990, "Nonparametric bounds on treatment
effects"): what is missing is set to 0 in one arm and to the largest loss in the other, then the other way round. Bounds
alone ignore sampling error. Their interval includes it: it goes from the lower end of the low bound's interval to the
upper end of the high bound's. ``informative`` says whether what is missing looks like the rest. A pair that was not
asked in both arms is neither failed nor lost: it is counted, and enters nothing.

**Parts of the difference.** With ``s`` the share of a sample's epochs that an arm answered and ``L`` its mean loss over
these, a pair's ``min(s_a, s_b) (L_b - L_a)`` is its part by answers, and the rest of ``b - a`` its part by failures.
With one epoch, a pair answered in both arms is entirely of the first kind, any other pair entirely of the second. The
parts of the difference are the means of these over all scored pairs, so that they add up to it.
"""

import math
from array import array
from collections import Counter
from collections.abc import Sequence

import numpy as np

from medvision_agent.eval.compare.statistics.estimate import Estimate, estimate
from medvision_agent.eval.compare.statistics.informative import Signal, signals, warning
from medvision_agent.eval.compare.statistics.pairs import Pair, Pairs
from medvision_agent.frozen import Frozen

__all__ = ["Bounds", "MissingData", "missing"]


class Bounds(Frozen):
    """Worst-case bounds of a difference in loss, B minus A, over all values that the missing results could have had."""

    low: float
    high: float
    interval: tuple[float, float] | None
    """Contains the difference with at least 95% confidence, whatever the missing results were."""
    withheld: str = ""
    """Why there is no interval."""


class MissingData(Frozen):
    """What is missing from a comparison, in counts, and what it could change; all exploratory and without p-values.

    These figures are given beside the difference in loss, never instead of it.
    """

    chosen: int
    """Number of samples selected to be asked in both arms."""
    scored: int
    """Number of pairs with a loss in both arms: the n of the difference in loss."""
    lost_only_a: int
    lost_only_b: int
    lost_both: int
    """Number of pairs that were asked in both arms, but have no loss in A only, in B only, or in both: the requests
    failed, or no wording was scored in both arms."""
    not_asked: int = 0
    """Number of pairs that one or both arms were not asked. ``scored``, lost pairs and these add up to ``chosen``."""
    lost_epochs: int
    """Number of epochs lost in pairs that are still scored."""
    failed_only_a: int
    failed_only_b: int
    failed_both: int
    """Number of scored pairs in which A only, B only, or both gave no readable answer in any epoch."""
    success: Estimate
    """Difference of the success rates."""
    complete: Estimate
    """Difference of the losses over pairs that both arms answered, using their answered epochs."""
    by_answers: float | None = None
    by_failures: float | None = None
    """The parts of the difference in loss that are due to answers and to failures, as the module's description defines
    them; None if there is no scored pair."""
    bounds: Bounds | None
    """Bounds of the difference in loss if every lost epoch had been scored: equal ends if nothing was lost, None
    without a pair that was asked in both arms."""
    answered_bounds: Bounds | None
    """Bounds of the difference in loss if every sample had also been answered in every epoch."""
    signals: tuple[Signal, ...]
    warning: str
    """A warning in words if missing results are informative or could be; otherwise empty."""


def missing(pairs: Pairs) -> MissingData:
    """Return the failed answers and lost pairs of a comparison, with the bounds of what they could change."""
    asked, scored, sums = pairs.asked, pairs.scored, _Sums()
    for one in pairs.all:
        sums.add(one)
    lost_a, lost_b = np.isnan(asked.losses.T)
    found, losses = signals(pairs), scored.losses
    by_answers = math.fsum(sums.by_answers) / len(scored) if len(scored) else None
    return MissingData(
        chosen=len(pairs.all),
        scored=len(scored),
        lost_only_a=int((lost_a & ~lost_b).sum()),
        lost_only_b=int((~lost_a & lost_b).sum()),
        lost_both=int((lost_a & lost_b).sum()),
        not_asked=len(pairs.all) - len(asked),
        lost_epochs=sums.lost_epochs,
        failed_only_a=sums.failed[True, False],
        failed_only_b=sums.failed[False, True],
        failed_both=sums.failed[True, True],
        success=_estimate(pairs, *sums.success),
        complete=_estimate(pairs, *sums.complete),
        by_answers=by_answers,
        by_failures=None if by_answers is None else math.fsum(losses[:, 1] - losses[:, 0]) / len(scored) - by_answers,
        bounds=_bounds(pairs, *sums.bounds),
        answered_bounds=_bounds(pairs, *sums.answered_bounds),
        signals=found,
        warning=warning(found, pairs.names),
    )


class _Sums:
    """What is missing from pairs, which are added one by one; counts and numbers of them are kept."""

    def __init__(self) -> None:
        self.failed = Counter[tuple[bool, bool]]()
        """Number of scored pairs by whether A, and whether B, gave no readable answer in any epoch."""
        self.lost_epochs = 0
        self.by_answers = array("d")
        """The part of each scored pair's difference in loss that is due to answers."""
        self.success, self.complete = (list[str](), array("d")), (list[str](), array("d"))
        """The subjects, and the differences B minus A, of the pairs that have both values."""
        self.bounds, self.answered_bounds = (array("d"), array("d")), (array("d"), array("d"))
        """The least and the largest difference of each asked pair."""

    def add(self, one: Pair) -> None:
        """Add one pair."""
        a, b, subject = one.a, one.b, one.unit.subject
        if a.loss is not None and b.loss is not None:
            self.failed[a.answered_loss is None, b.answered_loss is None] += 1
            self.lost_epochs += a.lost + b.lost
            self.by_answers.append(_by_answers(one))
        for (subjects, differences), x, y in (
            (self.success, a.success, b.success),
            (self.complete, a.answered_loss, b.answered_loss),
        ):
            if x is not None and y is not None:
                subjects.append(subject)
                differences.append(y - x)
        if one.asked:
            for ends, low, high in (
                (self.bounds, b.low - a.high, b.high - a.low),
                (
                    self.answered_bounds,
                    b.low_if_answered - a.high_if_answered,
                    b.high_if_answered - a.low_if_answered,
                ),
            ):
                ends[0].append(low)
                ends[1].append(high)


def _by_answers(one: Pair) -> float:
    """Return the part of a pair's difference in loss (B minus A) that comes from answers, by the module's definition.

    It is 0 if either arm gave no answer.
    """
    if one.a.answered_loss is None or one.b.answered_loss is None:
        return 0.0
    return min(one.a.success or 0.0, one.b.success or 0.0) * (one.b.answered_loss - one.a.answered_loss)


def _estimate(pairs: Pairs, subjects: Sequence[str], differences: Sequence[float]) -> Estimate:
    return estimate(differences, subjects, evidence=pairs.evidence, role="exploratory", no_claim=pairs.no_claim)


def _bounds(pairs: Pairs, least: Sequence[float], largest: Sequence[float]) -> Bounds | None:
    """Return the bounds of the mean difference; None without asked pairs.

    *least* and *largest* hold the least and the largest difference of each asked pair.
    """
    subjects = [unit.subject for unit in pairs.asked.units]
    low, high = _estimate(pairs, subjects, least), _estimate(pairs, subjects, largest)
    if low.difference is None or high.difference is None:
        return None
    if low.interval is None or high.interval is None:
        withheld = low.withheld if low.interval is None else high.withheld
        return Bounds(low=low.difference, high=high.difference, interval=None, withheld=withheld)
    return Bounds(low=low.difference, high=high.difference, interval=(low.interval[0], high.interval[1]))
