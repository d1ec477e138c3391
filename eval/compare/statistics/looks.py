r"""Planned looks at a running study: how much of the level each may spend, and the p-value over all of them.

A look takes place when the first ``n`` subjects of a random order are complete; ``t`` is their fraction of all planned
subjects. By the look at ``t`` a test of level ``alpha`` has spent

    ``alpha*(t) = 2 - 2 Phi(z / sqrt t)``, with z the upper ``alpha / 2`` quantile:

Lan and DeMets (1983), "Discrete sequential boundaries for clinical trials", Biometrika 70, the O'Brien-Fleming type.
The boundary of a look is the z whose crossing for the first time has the probability that the look may spend, by the
recursion of Armitage, McPherson and Rowe (1969), J. Royal Statistical Society A 132. It is used as the nominal
two-sided p-value of that look, whatever the test's own distribution.

The *sequential p-value* is the least alpha at which a boundary was crossed at any look so far. Boundaries fall with
alpha, so that it can be used in a graph of tests like a p-value: Maurer and Bretz (2013), "Multiple testing in group
sequential trials using graphical approaches", Statistics in Biopharmaceutical Research 5.
"""

import math
import sys
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import special

from medvision_agent.eval.compare.statistics.jackknife import Floats

__all__ = ["MOST_ALPHA", "MOST_LOOKS", "boundaries", "sequential_p"]

MOST_LOOKS = 4
MOST_ALPHA = 0.5
"""The largest level whose boundaries are searched; a p-value that crosses no boundary counts as 1."""
_TINY = 1e-100
"""Smaller p-values are set to this: their normal quantiles are near the limit of float64."""
_NODES = 96
"""Number of quadrature nodes between the boundaries; boundaries are then exact to 1e-7."""


@cache
def boundaries(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Return, for each look, the nominal two-sided p-value at or below which it rejects, for a test at level *alpha*.

    *fractions* are the looks' fractions of all planned subjects; they increase, up to 1 at most.
    """
    if fractions == (1.0,):
        return (alpha,)
    # The process is a Brownian motion. Its density at the last look is known at some nodes; before the first look it is
    # 0.
    places, weights, before, spent = np.zeros(1), np.ones(1), 0.0, 0.0
    nodes, own = np.polynomial.legendre.leggauss(_NODES)
    limits: list[float] = []
    for fraction in fractions:
        total = 2 * special.ndtr(special.ndtri(alpha / 2) / np.sqrt(fraction))
        step = np.sqrt(fraction - before)
        edge = _edge(places, weights, step, total - spent)
        limits.append(float(2 * special.ndtr(-edge / np.sqrt(fraction))))
        arrived = np.exp(-(((edge * nodes[:, np.newaxis] - places) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        places, weights = edge * nodes, edge * own * (arrived @ weights)
        before, spent = fraction, total
    return tuple(limits)


def _edge(places: Floats, weights: Floats, step: float, chance: float) -> float:
    """Return the value that the process exceeds, upwards or downwards, with probability *chance* after one more step.

    *places* and *weights* are the values of the process before the step and their probabilities; *step* is the standard
    deviation of the step.
    """
    from scipy import optimize  # noqa: PLC0415 - slow to import

    def excess(edge: float) -> float:
        passed = special.ndtr((places - edge) / step) + special.ndtr((-places - edge) / step)
        return float(weights @ passed) - chance

    return float(optimize.brentq(excess, 0.0, 40.0, xtol=1e-10))


def sequential_p(p: Sequence[float], fractions: Sequence[float]) -> float:
    """Return the sequential p-value of the looks that took place; 1 without a look.

    *p* has the p-value of each of these looks. *fractions* are the looks' fractions of all planned subjects.
    """
    return min((_least(value, tuple(fractions[: at + 1])) for at, value in enumerate(p)), default=1.0)


def _least(p: float, fractions: tuple[float, ...]) -> float:
    """Return the smallest alpha at which the last of these looks rejects a p-value of *p*; 1 if none up to 0.5 does."""
    if fractions == (1.0,):
        return p
    from scipy import optimize  # noqa: PLC0415 - slow to import

    p = max(p, _TINY)

    def excess(log_alpha: float) -> float:
        return math.log(max(boundaries(fractions, math.exp(log_alpha))[-1], sys.float_info.min) / p)

    least, most = math.log(p), math.log(MOST_ALPHA)  # a look never rejects at more than alpha
    if excess(most) < 0:
        return 1.0
    return math.exp(optimize.brentq(excess, least, most, xtol=1e-9)) if excess(least) < 0 else p
