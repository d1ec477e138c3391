"""Equivalence: is a difference shown to be too small to matter, rather than merely not shown?

Two one-sided tests (TOST; Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15): two arms are equivalent at a
level if the interval at ``1 - 2 level`` (the hull of ``hall``) lies within plus and minus the margin. As with the
guard, it must do so before and after one subject is added in whom either arm fails in half of the samples.

Contract: as in ``jackknife``, the last axis is subjects and any axes before it are independent data sets.
"""

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.compare.statistics.clusters import Clusters
from medvision_agent.eval.compare.statistics.guard import GUARD, joined
from medvision_agent.eval.compare.statistics.hall import skewed
from medvision_agent.eval.compare.statistics.jackknife import Floats

__all__ = ["MARGIN", "equivalent"]

MARGIN = 0.05
"""Margin of equivalence, in units of the loss."""


def equivalent(
    data: Clusters, mean_a: Floats, mean_b: Floats, *, level: float, margin: float, largest: float = 1.0
) -> NDArray[np.bool_]:
    """Return whether the arms are equivalent, also after adding a subject in whom A, or B, fails in half the samples.

    *data* holds the paired differences by subject. *mean_a* and *mean_b* are the mean losses, at most *largest*.
    *level* is that of the test: the intervals are those at ``1 - 2 level``. *margin* is in units of the loss.
    """
    b_fails, a_fails = GUARD * (largest - mean_a), GUARD * (mean_b - largest)
    every = [skewed(*data), joined(data, b_fails), joined(data, a_fails)]
    ends = [one.interval(1 - 2 * level) for one in every]
    inside = [(low > -margin) & (high < margin) for low, high in ends]
    return np.asarray(np.logical_and.reduce(inside))
