r"""The leave-one-subject-out jackknife of sample-weighted means, and Kish's effective number of subjects.

With ``S_i`` the sum over subject i's samples, ``n_i`` their number, ``N = sum n_i`` and G subjects:

* estimate ``D = sum S_i / N``; without subject i ``D_i = (sum S - S_i) / (N - n_i)``;
* standard error ``sqrt((G - 1) / G * sum (D_i - D)^2)``, the jackknife centred on the full estimate: Miller (1974),
  "The jackknife - a review", Biometrika 61; CV3 in Cameron and Miller (2015), "A practitioner's guide to
  cluster-robust inference", J. Human Resources 50. With equal sizes it is the classical standard error of the mean of
  the G subject means;
* the distribution of ``D`` over its error is that of ``reference``, which uses the actual sizes: Student's t on
  G - 1 degrees of freedom with equal sizes;
* Kish's effective number of subjects is ``(sum n_i)^2 / sum n_i^2``: Kish (1965), "Survey Sampling". A contrast of two
  means has Student's t on that number less one.

Contract: everything is an array whose last axis is subjects; any axes before it are independent data sets, so that a
simulation runs the same code as a study. An undefined value (one subject) is NaN *here*; ``estimate`` never returns
NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from medvision_agent.eval.compare.statistics.reference import quantile, tail

__all__ = ["ROUNDING", "Contrast", "Floats", "Jackknife", "by_subject", "jackknife", "jackknife_contrast", "kish"]

Floats = NDArray[np.float64]
ROUNDING = 1e-12
"""Standard errors below this are rounding errors, since losses are within 0..1."""


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Means of data sets with their standard errors, and what determines the distribution of mean / error."""

    estimate: Floats
    error: Floats
    sizes: Floats
    icc: Floats

    def margin(self, level: float) -> Floats:
        """Return half the width of the interval at *level*, such as 0.95: a quantile times the standard error."""
        return np.asarray(self.quantile(level) * self.error)

    def quantile(self, level: float) -> Floats:
        """Return how many standard errors the interval at *level* extends to either side."""
        return quantile(1 - level, self.sizes, self.icc)

    def p(self) -> Floats:
        """Return the two-sided p-value of the hypothesis that the estimate's true value is 0."""
        return self.p_of(self.estimate / self.error)

    def p_of(self, t: Floats) -> Floats:
        """Return the two-sided p-values of values *t* of ``estimate / error``."""
        return tail(t, self.sizes, self.icc)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Differences of two means with their standard errors, and the degrees of freedom of t for their ratio."""

    estimate: Floats
    error: Floats
    freedom: Floats

    def margin(self, level: float) -> Floats:
        """Return half the width of the interval at *level*, such as 0.95: a t quantile times the standard error."""
        return np.asarray(special.stdtrit(self.freedom, 0.5 + level / 2) * self.error)

    def p(self) -> Floats:
        """Return the two-sided p-value of the hypothesis that the estimate's true value is 0."""
        return np.asarray(2 * special.stdtr(self.freedom, -np.abs(self.estimate) / self.error))


def kish(sizes: Floats) -> Floats:
    """Return Kish's effective number of subjects, ``(sum n_i)^2 / sum n_i^2``; 0 without any sample.

    *sizes* are the subjects' numbers of samples, or their sums of weights.
    """
    squares = (sizes**2).sum(axis=-1)
    return np.asarray(np.divide(sizes.sum(axis=-1) ** 2, squares, out=np.zeros_like(squares), where=squares > 0))


def by_subject(subjects: Sequence[str], *columns: Sequence[float] | NDArray[np.generic]) -> tuple[Floats, ...]:
    """Return the number of values of each subject (in order of the names), then the sums of each column by subject.

    *subjects* gives the subject of each value; every column has one value for each of them.
    """
    names = {name: place for place, name in enumerate(sorted(set(subjects)))}
    index = np.fromiter((names[name] for name in subjects), np.intp, len(subjects))
    weights: list[Floats] = [np.ones(len(subjects)), *(np.array(column, dtype=np.float64) for column in columns)]
    return tuple(np.bincount(index, weight, len(names)).astype(np.float64) for weight in weights)


def _jackknife_error(estimate: Floats, left_out: Floats, weights: Floats) -> Floats:
    """Return the standard error from the estimates without each subject; subjects with a weight of 0 are ignored."""
    count = (weights > 0).sum(axis=-1)
    squares = (left_out - estimate[..., np.newaxis]) ** 2  # 0 for them
    return np.asarray(np.sqrt((count - 1) / count * squares.sum(axis=-1)))


def jackknife(sums: Floats, sizes: Floats, icc: Floats) -> Jackknife:
    """Return the mean over all samples with its standard error, from each subject's sum and its number of samples.

    *icc* is the intra-subject correlation of the values (``clusters``).
    """
    estimate, left_out = _means(sums, sizes)
    return Jackknife(estimate, _jackknife_error(estimate, left_out, sizes), sizes, icc)


def jackknife_contrast(sums: tuple[Floats, Floats], weights: tuple[Floats, Floats]) -> Contrast:
    """Return the difference of two weighted means, first minus second, with its standard error, over the same subjects.

    *sums* are the weighted sums of each side by subject, and *weights* the sums of the weights. A subject may have
    weight in both; the degrees of freedom are those of the mean with fewer effective subjects.
    """
    (one, one_without), (two, two_without) = (_means(*side) for side in zip(sums, weights, strict=True))
    freedom = np.minimum(kish(weights[0]), kish(weights[1])) - 1
    error = _jackknife_error(one - two, one_without - two_without, weights[0] + weights[1])
    return Contrast(one - two, error, freedom)


def _means(sums: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    total, number = sums.sum(axis=-1), sizes.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (total[..., np.newaxis] - sums) / (number[..., np.newaxis] - sizes)
        return np.asarray(total / number), without
