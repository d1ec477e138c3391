"""The statistics written out anew, for tests that work a report out again. Nothing here imports the package."""

import numpy as np
from scipy import integrate, optimize

__all__ = ["chance", "correlation", "hull", "reach"]


def hull(mean, error, residuals, quantile):
    """Return the hull of the intervals of T and of Hall's transformation; *residuals* are sums by subject."""
    a = (residuals**3).sum() / (residuals**2).sum() ** 1.5
    shifts = [3 / a * (np.cbrt(1 + a * (sign * quantile - a / 6)) - 1) for sign in (1, -1)]
    ends = [float(mean - error * shift) for shift in (*shifts, quantile, -quantile)]
    return min(ends), max(ends)


def chance(t, sizes, icc):
    """Return P(|mean / jackknife error| > t) for normal subject means with variances icc + (1 - icc) / size.

    By the eigenvalues of the quadratic form and Craig's (1991) integral of the normal tail: P(z0^2 > sum r_j z_j^2) is
    the mean of 2 Q(sqrt(sum r_j z_j^2)).
    """
    sizes = np.asarray(sizes, dtype=float)
    count, weights = len(sizes), sizes / sizes.sum()
    without = np.where(np.eye(count, dtype=bool), 0, sizes)  # row i: the sizes without subject i
    apart = without / without.sum(axis=1, keepdims=True) - weights
    form = np.outer(weights, weights) - t**2 * (count - 1) / count * apart.T @ apart
    spread = np.sqrt(icc + (1 - icc) / sizes)
    *others, largest = np.linalg.eigvalsh(spread[:, None] * form * spread)
    ratios = np.maximum(0, -np.array(others) / largest)

    def integrand(x):
        return np.exp(-np.log1p(ratios / np.sin(x) ** 2).sum() / 2)

    return 2 / np.pi * integrate.quad(integrand, 0, np.pi / 2, epsabs=0, epsrel=1e-11, limit=500)[0]


def reach(level, sizes, icc):
    """Return how many errors an interval of this level reaches to either side."""
    return optimize.brentq(lambda t: chance(t, sizes, icc) - (1 - level), 1e-3, 1e3, xtol=1e-10)


def correlation(groups):
    """Return the intra-subject correlation by the one-way analysis of variance; *groups* are values by subject."""
    groups = [np.asarray(group, dtype=float) for group in groups]
    sizes, everyone = np.array([len(group) for group in groups]), np.concatenate(groups)
    n, count = len(everyone), len(groups)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / max(n - count, 1)
    between = sum(len(group) * (group.mean() - everyone.mean()) ** 2 for group in groups) / (count - 1)
    shared = max(0, (between - within) / ((n - (sizes**2).sum() / n) / (count - 1)))
    return shared / (shared + within) if shared + within > 0 else 0.0
