"""Risk and coverage: how the mean loss falls as the least certain answers are left out.

The more a model's repeated answers to a sample differ (``spread``), the less certain the model is assumed to be.
Coverage is the share of all samples that were to be answered: a sample that failed in every repeat is never covered.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from medvision_agent.frozen import Frozen

__all__ = ["Coverage", "coverage", "spread"]


class Coverage(Frozen):
    """The risk (mean loss) of an arm's answers, over all of them and over the most certain ones.

    Coverage is the share of all samples, 0 to 1. Smaller coverages are known if samples were answered repeatedly.
    """

    answered: int
    """Number of samples with an answer."""
    chosen: int
    """Number of samples that were to be answered."""
    risk: float | None
    """Mean loss of the answered samples; None if none was answered."""
    curve: tuple[tuple[float, float], ...] = ()
    """Pairs of coverage and risk, from the most certain sample to all samples answered at least twice; empty without
    repeats."""

    def at(self, share: float) -> float | None:
        """Return the mean loss (risk) at the smallest coverage of at least *share*, 0 to 1.

        None if the curve does not reach that coverage.
        """
        return next((risk for covered, risk in self.curve if covered >= share), None)


def spread(answers: Sequence[Sequence[float]]) -> float | None:
    """Return how much repeated answers to one sample differ, as a fraction of their size; None for fewer than two.

    Each answer has the same numbers. The result is the mean over the numbers of (largest - smallest) relative to the
    mean of their absolute values.
    """
    if len(answers) < 2:
        return None
    numbers = list(zip(*answers, strict=True))
    return fmean((max(one) - min(one)) / (fmean(map(abs, one)) or 1.0) for one in numbers)


def coverage(chosen: int, losses: Sequence[float], repeated: Iterable[tuple[float, str, float]] = ()) -> Coverage:
    """Return the risk and the coverage of an arm.

    *chosen* is the number of samples that were to be answered, and *losses* holds the loss of each answered sample. For
    each sample answered several times, *repeated* holds how much its answers differ, its id, and its loss.
    """
    known = sorted(repeated)
    total, curve = 0.0, []
    for number, (at, _, loss) in enumerate(known, start=1):
        total += loss
        if number == len(known) or known[number][0] > at:  # add samples of equal spread together
            curve.append((number / chosen, total / number))
    return Coverage(
        answered=len(losses),
        chosen=chosen,
        risk=math.fsum(losses) / len(losses) if losses else None,
        curve=tuple(curve),
    )
