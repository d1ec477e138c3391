r"""The smallest difference that a study could detect, computed before it is run.

With subjects of sizes ``n_i``, spread ``sd`` of one paired difference and intra-subject correlation ``icc``, the
smallest detectable difference is the one whose two-sided power is the wanted one, under the distribution that the
interval has (``reference``): with equal sizes, noncentral t. A pilot's spread and correlation are as in ``clusters``.
"""

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from medvision_agent.eval.compare.statistics.clusters import summed, variances
from medvision_agent.eval.compare.statistics.estimate import too_few
from medvision_agent.eval.compare.statistics.jackknife import Floats, kish
from medvision_agent.eval.compare.statistics.reference import power as power_of
from medvision_agent.eval.compare.statistics.reference import quantile
from medvision_agent.frozen import Frozen

__all__ = ["Detectable", "Pilot", "detectable", "pilot"]


class Pilot(Frozen):
    """Spread and intra-subject correlation of paired differences; each is None if the data do not determine it."""

    sd: float | None
    """Standard deviation of one paired difference, over all subjects."""
    icc: float | None
    """Within 0..1: an estimate below 0 is 0."""
    n: int
    subjects: int
    withheld: str = ""
    """Why a figure is missing; empty if none is."""


class Detectable(Frozen):
    """The smallest difference that a design can detect."""

    in_sd: float | None
    """In units of the standard deviation of one paired difference; None with under 2 effective subjects."""
    in_metric: float | None
    """In the metric's own units; None without a standard deviation (``sd``)."""
    icc: float
    """The intra-subject correlation that was assumed."""
    subjects: int
    effective_subjects: float
    power: float
    alpha: float
    withheld: str
    """Why a difference is missing, or why such a study would make no claim anyway; otherwise empty."""


def pilot(differences: Sequence[float], subjects: Sequence[str]) -> Pilot:
    """Return the spread and the intra-subject correlation of a pilot's paired differences.

    *subjects* gives the subject of each difference.
    """
    sums, sizes, squares = summed(subjects, differences)
    n, count = len(subjects), len(sizes)
    bare = Pilot(sd=None, icc=None, n=n, subjects=count)
    if count < 2:
        return bare.but(withheld="fewer than 2 subjects")
    if n == count:
        return bare.but(sd=float(np.std(differences, ddof=1)), withheld="one sample per subject: no icc")
    shared, within = map(float, variances(sums, sizes, squares))
    if shared + within <= 0:
        return bare.but(sd=0.0, withheld="no spread: all differences are equal")
    return bare.but(sd=(shared + within) ** 0.5, icc=shared / (shared + within))


def detectable(
    sizes: Sequence[int], *, icc: float, sd: float | None = None, power: float = 0.8, alpha: float = 0.05
) -> Detectable:
    """Return the smallest difference that a test detects with probability *power*.

    *sizes* are the numbers of samples of the subjects. *icc*, the intra-subject correlation, comes from a pilot or is
    assumed: 1 is the worst case. *sd*, the standard deviation of one paired difference, comes from a pilot. *alpha* is
    the level of the two-sided test. Raises ValueError unless *icc* is within 0..1, *power* between *alpha* and 1, and
    every size at least 1.
    """
    if not 0 <= icc <= 1 or not alpha < power < 1 or min(sizes, default=1) < 1:
        raise ValueError(
            f"expected icc from 0 to 1 (given: {icc:g}), power between alpha and 1 (given: {power:g}, alpha "
            f"{alpha:g}), and sizes of 1 or more"
        )
    weights = np.asarray(sizes, dtype=np.float64)
    effective = float(kish(weights))
    found: float | None = None
    reasons = too_few(weights)
    if effective >= 2:  # with fewer, power hardly increases with the difference
        found = _smallest(weights, icc, power, alpha)
    return Detectable(
        in_sd=found,
        in_metric=None if sd is None or found is None else found * sd,
        icc=icc,
        subjects=len(weights),
        effective_subjects=effective,
        power=power,
        alpha=alpha,
        withheld="; ".join(reasons),
    )


def _smallest(sizes: Floats, icc: float, power: float, alpha: float) -> float:
    """Return the difference detected with probability *power*, in standard deviations of one paired difference.

    *sizes* are the subjects' numbers of samples, and *alpha* is the level of the two-sided test.
    """
    critical = float(quantile(alpha, sizes, icc))
    error = float(np.sqrt((sizes * (1 + (sizes - 1) * icc)).sum()) / sizes.sum())

    def excess(errors: float) -> float:
        return power_of(errors * error, critical, sizes, icc) - power

    upper = critical
    while excess(upper) < 0:
        upper *= 2
    return error * float(optimize.brentq(excess, 0.0, upper, xtol=1e-10))
