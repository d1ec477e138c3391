"""The mean of a difference over groups of different subjects, such as datasets, that represent similar groups.

The between-group variance is estimated by restricted maximum likelihood (REML), the interval of the mean is Hartung
and Knapp's with a factor of at least 1 (Hartung and Knapp 2001, Statistics in Medicine 20; Roever, Knapp and Friede
2015, BMC Medical Research Methodology 15), and the prediction interval, in which the true difference of one more group
lies, is that of Higgins, Thompson and Spiegelhalter (2009), J. Royal Statistical Society A 172, with k - 2 degrees of
freedom. In simulations with 8 and 20 groups of unequal errors, the 95% prediction interval held the next group in 88
and 91%.
"""

import numpy as np
from scipy import special

from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.frozen import Frozen

__all__ = ["MIN_GROUPS", "RandomEffects", "random_effects"]

MIN_GROUPS = 5
"""With fewer groups, the groups are listed but not averaged."""


class RandomEffects(Frozen):
    """The mean of a difference over groups, and how much its true value differs between groups."""

    mean: float
    error: float
    """Standard error of the mean."""
    interval: tuple[float, float]
    """Confidence interval of the mean."""
    between: float
    """Standard deviation between the groups' true differences."""
    prediction: tuple[float, float]
    """Interval for the true difference of one more group."""
    groups: int


def random_effects(effects: Floats, errors: Floats, level: float = 0.95) -> RandomEffects:
    """Return the mean of the differences *effects* (k,) of k groups, whose standard errors *errors* (k,) are above 0.

    *level* is that of both intervals. Raises ValueError for fewer than ``MIN_GROUPS`` groups.
    """
    k = len(effects)
    if k < MIN_GROUPS:
        raise ValueError(f"effects: there are {k} groups; expected at least {MIN_GROUPS}")
    variances = errors**2
    between = _between(effects, variances)
    weights = 1 / (variances + between)
    mean = float(weights @ effects / weights.sum())
    factor = max(1.0, float(weights @ (effects - mean) ** 2 / (k - 1)))
    error = float(np.sqrt(factor / weights.sum()))
    margin = float(special.stdtrit(k - 1, 0.5 + level / 2)) * error
    spread = float(special.stdtrit(k - 2, 0.5 + level / 2) * np.sqrt(between + error**2))
    return RandomEffects(
        mean=mean,
        error=error,
        interval=(mean - margin, mean + margin),
        between=float(np.sqrt(between)),
        prediction=(mean - spread, mean + spread),
        groups=k,
    )


def _between(effects: Floats, variances: Floats) -> float:
    """Return the variance between groups (not below 0) that maximises the restricted likelihood.

    *effects* are the groups' differences, *variances* the squares of their standard errors.
    """
    from scipy import optimize  # noqa: PLC0415 - slow to import

    def minus_likelihood(between: float) -> float:
        weights = 1 / (variances + between)
        rest = effects - weights @ effects / weights.sum()
        return float(-np.log(weights).sum() + np.log(weights.sum()) + weights @ rest**2) / 2

    largest = float(effects.var() * 10 + variances.max())
    found = optimize.minimize_scalar(minus_likelihood, bounds=(0, largest), method="bounded", options={"xatol": 1e-12})
    return float(found.x) if found.fun < minus_likelihood(0.0) else 0.0
