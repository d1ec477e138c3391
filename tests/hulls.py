"""The interval of a difference by its formulas, for tests that find a report's figures again from the raw store."""

import numpy as np

__all__ = ["hull"]


def hull(mean, error, residuals, quantile):
    """Return the hull of the intervals of t and of Hall's transformation; *residuals* are sums by subject."""
    a = (residuals**3).sum() / (residuals**2).sum() ** 1.5
    shifts = [3 / a * (np.cbrt(1 + a * (sign * quantile - a / 6)) - 1) for sign in (1, -1)]
    ends = [float(mean - error * shift) for shift in (*shifts, quantile, -quantile)]
    return min(ends), max(ends)
