r"""A test and an interval for skewed differences: the larger p of the jackknife's T and of Hall's transformation.

With ``u_i = S_i - n_i D`` (the residual of subject i's sum), ``a = sum u^3 / (sum u^2)^1.5`` and ``T = D / error``:

* ``H = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6``, which rises with T everywhere, on the distribution of T (``reference``):
  Hall (1992), "On the removal of skewness by transformation", J. Royal Statistical Society B 54;
* p is the larger of T's and H's, and 1 for H where it has not the sign of D;
* the interval is the hull of T's and of H's, so that it leaves 0 out exactly where p is under its level.

If one arm is nearly always slightly better and fails rarely, T alone rejects a true null far too often, mostly in
favour of that arm. Hall's transformation corrects the skewness seen in the data; ``guard`` covers failures that were
never sampled.

Contract: as in ``jackknife``, the last axis is subjects and any axes before it are independent data sets.
"""

from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats, Jackknife, jackknife

__all__ = ["Skewed", "skewed"]

_SYMMETRIC = 1e-6
"""Below this skewness, H is set to T: the transformation would only add rounding errors."""


@dataclass(frozen=True, slots=True)
class Skewed:
    """A jackknifed mean with the skewness ``a`` of its subjects' residuals."""

    mean: Jackknife
    skewness: Floats

    def p(self) -> Floats:
        """Return the two-sided p-value of the hypothesis that the true mean is 0; NaN without a standard error."""
        a, t = self._a, self.mean.estimate / self.mean.error
        h = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
        nearer = np.where(np.sign(h) == np.sign(t), np.minimum(np.abs(t), np.abs(h)), 0.0)
        return self.mean.p_of(np.where(np.isnan(t), t, nearer))

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends of the interval at *level*, such as 0.95, in units of the values."""
        quantile = self.mean.quantile(level)
        high, low = self._inverse(quantile), self._inverse(-quantile)
        estimate, error = self.mean.estimate, self.mean.error
        return (
            np.asarray(estimate - error * np.maximum(quantile, high)),
            np.asarray(estimate - error * np.minimum(-quantile, low)),
        )

    def _inverse(self, h: Floats) -> Floats:
        """Return the T whose Hall transform H is *h*."""
        a = np.where(self._a == 0, 1.0, self._a)
        return np.where(self._a == 0, h, 3 / a * (np.cbrt(1 + a * (h - a / 6)) - 1))

    @property
    def _a(self) -> Floats:
        return np.where(np.abs(self.skewness) < _SYMMETRIC, 0.0, self.skewness)


def skewed(sums: Floats, sizes: Floats, icc: Floats) -> Skewed:
    """Return the mean over all samples with its skewness, from each subject's sum and its number of samples.

    *icc* is the intra-subject correlation of the values (``clusters``).
    """
    found = jackknife(sums, sizes, icc)
    residuals = sums - sizes * found.estimate[..., np.newaxis]
    squares = (residuals**2).sum(axis=-1)
    cubes = (residuals**3).sum(axis=-1)
    return Skewed(found, np.divide(cubes, squares**1.5, out=np.zeros_like(cubes), where=squares > 0))
