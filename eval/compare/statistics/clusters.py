r"""Values summed by subject, and the correlation between values of one subject.

The correlation is that of a one-way random-effects analysis of variance with unequal sizes (Donner and Koval 1980, "The
estimation of intraclass correlation in the analysis of family data", Biometrics 36): with mean squares MSB between and
MSW within subjects and ``n0 = (N - sum n_i^2 / N) / (G - 1)``, the variance shared by a subject's samples is
``(MSB - MSW) / n0``, and an estimate below 0 is 0.

Contract: as in ``jackknife``, the last axis is subjects (size 0 means that the subject is absent); any axes before it
are independent data sets.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats, by_subject

__all__ = ["Clusters", "clustered", "correlation", "summed", "variances"]


class Clusters(NamedTuple):
    """Sums, sizes and correlation of a data set by subject; the common first arguments of all jackknife functions."""

    sums: Floats
    sizes: Floats
    icc: Floats
    """Intra-subject correlation of the values, within 0..1."""


def clustered(subjects: Sequence[str], values: Sequence[float] | Floats) -> Clusters:
    """Return the sums, sizes and intra-subject correlation of *values*, in the order of the subjects' names.

    *subjects* gives the subject of each value.
    """
    sums, sizes, within = summed(subjects, values)
    return Clusters(sums, sizes, correlation(sums, sizes, within))


def summed(subjects: Sequence[str], values: Sequence[float] | Floats) -> tuple[Floats, Floats, Floats]:
    """Return sums and sizes by subject (in order of name), and the summed squared deviations from subject means.

    *subjects* gives the subject of each value. A size is the number of a subject's values.
    """
    sizes, sums = by_subject(subjects, values)
    means = dict(zip(sorted(set(subjects)), (sums / sizes).tolist(), strict=True))
    apart = np.asarray(values, dtype=np.float64) - np.array([means[name] for name in subjects], dtype=np.float64)
    return sums, sizes, np.asarray((apart**2).sum())


def correlation(sums: Floats, sizes: Floats, within: Floats) -> Floats:
    """Return the intra-subject correlation, 0 to 1, of data sets given by subject.

    *sums* and *sizes* are those of ``summed``; *within* sums the squared deviations from the subjects' own means. It is
    0 if nothing varies. If no subject has two samples, it cannot be estimated: the value returned then means nothing,
    and no result depends on it.
    """
    shared, own = variances(sums, sizes, within)
    return np.divide(shared, shared + own, out=np.zeros_like(shared), where=shared + own > 0)


def variances(sums: Floats, sizes: Floats, within: Floats) -> tuple[Floats, Floats]:
    """Return the variance shared by the samples of a subject, and the variance of single samples within a subject.

    *sums* and *sizes* are by subject; *within* sums the squared deviations from the subjects' own means. Both results
    are in squared units of the values. The first is 0 if its estimate is below 0.
    """
    number, count = sizes.sum(axis=-1), (sizes > 0).sum(axis=-1)
    own = np.asarray(within / np.maximum(number - count, 1))
    means = np.divide(sums, sizes, out=np.zeros_like(sums), where=sizes > 0)
    apart = means - np.asarray(sums.sum(axis=-1) / np.maximum(number, 1))[..., np.newaxis]
    between = (sizes * apart**2).sum(axis=-1) / np.maximum(count - 1, 1)
    n0 = (number - (sizes**2).sum(axis=-1) / np.maximum(number, 1)) / np.maximum(count - 1, 1)
    shared = np.divide(between - own, n0, out=np.zeros_like(own), where=n0 > 0)
    return np.maximum(0.0, shared), own
