r"""How small a difference a study could detect, before it is run.

With subjects of sizes ``n_i``, spread ``sd`` of one paired difference and intra-subject correlation ``icc``, the
estimand's standard error is ``sd / N * sqrt(sum n_i (1 + (n_i - 1) icc))``. The t statistic of a true difference d is
noncentral t with ``G* - 1`` degrees of freedom (Kish, as for the interval) and noncentrality ``d / error``; the
smallest detectable d is the one whose two-sided power is the wanted one. (Computed as the noncentral F of its square,
which is the same two tails at once.)

A pilot's spread and correlation are those of a one-way random-effects analysis of variance with unequal sizes (Donner
and Koval 1980, "The estimation of intraclass correlation in the analysis of family data", Biometrics 36):
``n0 = (N - sum n_i^2 / N) / (G - 1)``, ``icc = (MSB - MSW) / (MSB + (n0 - 1) MSW)``.
"""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from medvision_agent.eval.compare.statistics.estimate import too_few
from medvision_agent.eval.compare.statistics.jackknife import by_subject, kish
from medvision_agent.frozen import Frozen

__all__ = ["Detectable", "Pilot", "detectable", "pilot"]


class Pilot(Frozen):
    """Spread and correlation of paired differences; None where the data do not give them."""

    sd: float | None
    """Of one paired difference, over all subjects."""
    icc: float | None
    """Within 0..1: an estimate below 0 is 0."""
    n: int
    subjects: int
    withheld: str = ""
    """Why a figure is missing."""


class Detectable(Frozen):
    """The smallest difference a design detects."""

    in_sd: float | None
    """In units of the standard deviation of one paired difference."""
    in_metric: float | None
    """In the metric's own units; only with a pilot's standard deviation."""
    icc: float
    """What was assumed."""
    subjects: int
    effective_subjects: float
    freedom: float
    power: float
    alpha: float
    withheld: str
    """Why a difference is missing, or why such a study would make no claim all the same; else empty."""


def pilot(differences: Sequence[float], subjects: Sequence[str]) -> Pilot:
    """Return the spread and the intra-subject correlation of a pilot's paired differences."""
    sizes, sums = by_subject(subjects, differences)
    n, count = len(subjects), len(sizes)
    bare = Pilot(sd=None, icc=None, n=n, subjects=count)
    if count < 2:
        return bare.but(withheld="fewer than 2 subjects")
    values = np.asarray(differences, dtype=np.float64)
    if n == count:
        return bare.but(sd=float(values.std(ddof=1)), withheld="one sample per subject: no icc")
    means = sums / sizes
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    of_subject = dict(zip(sorted(set(subjects)), means.tolist(), strict=True))
    centre = np.array([of_subject[subject] for subject in subjects])
    within = float(((values - centre) ** 2).sum()) / (n - count)
    n0 = (n - float((sizes**2).sum()) / n) / (count - 1)
    shared = max(0.0, (between - within) / n0)
    if shared + within <= 0:
        return bare.but(sd=0.0, withheld="no spread: all differences are equal")
    return bare.but(sd=(shared + within) ** 0.5, icc=shared / (shared + within))


def detectable(
    sizes: Sequence[int], *, icc: float, sd: float | None = None, power: float = 0.8, alpha: float = 0.05
) -> Detectable:
    """Return the smallest difference that subjects with these numbers of samples detect.

    *icc* is a pilot's, or an assumption: 1 is the worst case. *sd* is a pilot's.
    """
    if not 0 <= icc <= 1 or not alpha < power < 1 or min(sizes, default=1) < 1:
        raise ValueError("icc must lie within 0..1, power between alpha and 1, and sizes above 0")
    weights = np.asarray(sizes, dtype=np.float64)
    effective = float(kish(weights))
    found: float | None = None
    reasons = too_few(weights)
    if effective >= 2:  # under 1 degree of freedom, power hardly rises with the difference
        error = float(np.sqrt((weights * (1 + (weights - 1) * icc)).sum()) / weights.sum())
        found = error * _noncentrality(effective - 1, power, alpha)
    return Detectable(
        in_sd=found,
        in_metric=None if sd is None or found is None else found * sd,
        icc=icc,
        subjects=len(weights),
        effective_subjects=effective,
        freedom=max(0.0, effective - 1),
        power=power,
        alpha=alpha,
        withheld="; ".join(reasons),
    )


def _noncentrality(freedom: float, power: float, alpha: float) -> float:
    critical = float(stats.t.ppf(1 - alpha / 2, freedom))

    def excess(shift: float) -> float:
        return float(stats.ncf.sf(critical**2, 1, freedom, shift**2)) - power

    upper = critical
    while excess(upper) < 0:
        upper *= 2
    return float(optimize.brentq(excess, 0.0, upper, xtol=1e-10))
