"""Cohen's weighted kappa of two ways to sort the same samples into ordered categories, with a clustered interval.

With ``O`` the counts (rows: truth, columns: answers), ``E`` the counts that the margins alone would give, and
``d_ij = (|i - j| / (k - 1))^p`` over k categories: ``kappa = 1 - sum d O / sum d E``. Linear weights (p = 1): Cohen
(1968), "Weighted kappa", Psychological Bulletin 70. Quadratic ones (p = 2): Fleiss and Cohen (1973), Educational and
Psychological Measurement 33. With two categories both are Cohen's kappa.

Contract: the interval is the jackknife over subjects (``eval/compare/statistics/jackknife.py``: kappa without each, t
quantile on Kish's effective subjects less one), cut at -1 and 1. If all ground truths and answers are in one category,
kappa is undefined and None.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, kish

__all__ = ["jackknifed", "weighted_kappa"]

Counts = NDArray[np.float64]


def weighted_kappa(counts: Counts, power: int) -> NDArray[np.float64]:
    """Return the weighted kappa of each of the tables of counts (..., k, k): rows truth, columns answers.

    *power* is 1 for linear and 2 for quadratic weights. NaN if a table is empty, or all its counts are in one category.
    """
    size = counts.shape[-1]
    places = np.arange(size)
    apart = (np.abs(places[:, None] - places[None, :]) / (size - 1)) ** power
    total = counts.sum(axis=(-2, -1))
    rows, columns = counts.sum(axis=-1), counts.sum(axis=-2)
    seen = (apart * counts).sum(axis=(-2, -1))
    by_chance = np.einsum("...i,ij,...j->...", rows, apart, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(by_chance > 0, 1 - seen * total / by_chance, np.nan))


def jackknifed(by_subject: Counts, power: int, level: float = 0.95) -> tuple[float, float] | None:
    """Return the interval (low, high) of the weighted kappa over all subjects' tables (G, k, k) together.

    *power* is 1 for linear and 2 for quadratic weights; *level* is the confidence, a fraction.
    None if the kappa is undefined without one of the subjects, there is only one effective subject, or nothing varies.
    """
    whole = by_subject.sum(axis=0)
    without = weighted_kappa(whole - by_subject, power)
    estimate = float(weighted_kappa(whole, power))
    sizes = by_subject.sum(axis=(1, 2))
    freedom = float(kish(sizes)) - 1
    if not np.isfinite(without).all() or freedom <= 0:
        return None
    count = len(by_subject)
    error = float(np.sqrt((count - 1) / count * ((without - estimate) ** 2).sum()))
    if error < ROUNDING:
        return None
    margin = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    return max(estimate - margin, -1.0), min(estimate + margin, 1.0)
