"""The guard: does a difference survive one more subject in whom the better arm fails?

Rare failures are often not sampled at all, so the data cannot show that they exist. A difference is *guarded* if it is
rejected, with the same sign and at the same level, before and after one subject of mean size is added that goes against
the better arm by half of what it could: half of (largest loss - mean loss of the other arm). The *tipping point* says
how many such subjects, failing in every sample, it takes to undo the difference.

Contract: as in ``jackknife``, the last axis is subjects and any axes before it are independent data sets.
"""

import numpy as np

from medvision_agent.eval.compare.statistics.clusters import Clusters
from medvision_agent.eval.compare.statistics.hall import Skewed, skewed
from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.frozen import Frozen

__all__ = ["GUARD", "Tipping", "against", "guarded_p", "joined", "tipping"]

GUARD = 0.5
"""The share of samples in which the better arm fails in the added subject."""
_MOST = 1000
"""Most subjects tried when searching a tipping point."""


class Tipping(Frozen):
    """How many subjects of mean size, in whom the better arm fails in every sample, undo a difference."""

    subjects: int | None
    """The least number of such subjects; None if even 1,000 do not undo it."""
    share: float | None
    """If one subject suffices: the share of its samples in which the better arm must fail; else None."""


def against(difference: Floats, mean_a: Floats, mean_b: Floats, largest: float = 1.0) -> Floats:
    """Return the difference of a sample in which the better arm fails while the other arm keeps its mean loss.

    *difference* is the mean of B minus A, *mean_a* and *mean_b* are the mean losses, and *largest* is the loss of a
    failure. The value has the sign opposite to *difference*.
    """
    return np.where(difference < 0, largest - mean_a, mean_b - largest)


def guarded_p(data: Clusters, against: Floats, share: float = GUARD) -> Floats:
    """Return the p-value after adding one subject of mean size whose mean difference is *share* of *against*.

    *data* holds the paired differences by subject; *against* is the difference of a sample in which the better arm
    fails (from the function ``against``). The value is 1 if the mean difference changes its sign or becomes 0.
    """
    return _with(data, against, share, count=1)


def tipping(data: Clusters, against: float, level: float) -> Tipping:
    """Return how many subjects in whom the better arm fails undo a difference that is rejected at *level*.

    A difference is undone when its p-value is above *level*. *data* holds the paired differences by subject, *against*
    the difference of a sample in which the better arm fails (``against``).
    """

    def holds(count: int, share: float = 1.0) -> bool:
        return float(_with(data, np.asarray(against), share, count)) <= level

    if holds(_MOST):
        return Tipping(subjects=None, share=None)
    fewest, most = 0, 1  # true for the lower end, false for the upper end
    while holds(most):
        fewest, most = most, min(2 * most, _MOST)
    while most - fewest > 1:
        middle = (fewest + most) // 2
        fewest, most = (middle, most) if holds(middle) else (fewest, middle)
    if most > 1:
        return Tipping(subjects=most, share=None)
    from scipy import optimize  # noqa: PLC0415 - slow to import

    def excess(share: float) -> float:
        return float(_with(data, np.asarray(against), share, 1)) - level

    share = 0.0 if excess(0.0) > 0 else float(optimize.brentq(excess, 0.0, 1.0, xtol=1e-4))
    return Tipping(subjects=1, share=share)


def _with(data: Clusters, against: Floats, share: float, count: int) -> Floats:
    """Return the p-value after adding *count* subjects of mean size whose mean difference is *share* of *against*.

    It is 1 if the mean difference changes its sign or becomes 0.
    """
    more = joined(data, share * against, count)
    return np.where(np.sign(more.mean.estimate) == np.sign(data.sums.sum(axis=-1)), more.p(), 1.0)


def joined(data: Clusters, difference: Floats, count: int = 1) -> Skewed:
    """Return the jackknifed mean of *data* after adding *count* subjects of mean size with the mean value *difference*.

    The correlation within subjects is unchanged: the added subjects carry no information about it.
    """
    sums, sizes, icc = data
    size = sizes.sum(axis=-1) / (sizes > 0).sum(axis=-1)
    ones = np.ones((*sums.shape[:-1], count))
    return skewed(
        np.concatenate((sums, ones * (size * difference)[..., np.newaxis]), axis=-1),
        np.concatenate((sizes, ones * size[..., np.newaxis]), axis=-1),
        icc,
    )
