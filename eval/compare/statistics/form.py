r"""The quadratic form behind ``|T| > t`` for given subject sizes, which ``reference`` integrates.

``T = D / error`` with ``D = sum w_i d_i``, subject means ``d_i``, shares ``w_i = n_i / N`` and, for G subjects,
``error^2 = sum c_i (d_i - D)^2``, ``c_i = (G - 1) / G (w_i / (1 - w_i))^2`` (``jackknife``, written in subject means).
The ``d_i`` are independent and normal, with variances proportional to ``v_i = icc + (1 - icc) / n_i``. Then

    ``|T| > t  <=>  d' M d > 0,  M = w w' - t^2 (C - c w' - w c' + sum c  w w')``,  C = diag(c),

and M is a diagonal matrix plus one of rank 2, so that with V = diag(v) and ``u_i = 1 + y c_i v_i`` its determinant is a
short sum:

    ``det(I - y / t^2  M V) = prod u_i * (h^2 - y a (1 / t^2 - g))``,
    ``h = sum w_i / u_i,  a = sum w_i^2 v_i / u_i,  g = sum c_i / u_i``.

M has one positive eigenvalue: the second factor is 0 at one positive y, called y0, where ``1 / t^2 = g + h^2 / (y a)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Form", "root"]

Floats = NDArray[np.float64]
_Y = TypeVar("_Y", NDArray[np.float64], NDArray[np.complex128])


@dataclass(frozen=True, slots=True)
class Form:
    """The quadratic forms of several data sets: arrays (distinct sizes, data sets)."""

    times: Floats
    """How many subjects have each size."""
    weight: Floats
    """The weight w of the module's description."""
    factor: Floats
    """The factor c."""
    variance: Floats
    """The variance v."""

    @classmethod
    def of(cls, sizes: Floats, icc: Floats) -> "Form":
        """Return the forms of data sets.

        *sizes* has a row of subject sizes for each data set, or one row for all. *icc* has the intra-subject
        correlation of each data set.
        """
        count, number = (sizes > 0).sum(axis=-1), sizes.sum(axis=-1)
        distinct, times = _counted(sizes)
        weight = distinct / number
        factor = (count - 1) / count * (weight / (1 - weight)) ** 2
        return cls(times, weight, factor, icc + (1 - icc) / np.where(distinct > 0, distinct, 1.0))

    def sums(self, y: _Y) -> tuple[_Y, _Y, _Y, _Y]:
        """Return at *y* (data sets, nodes) the module's log of ``prod u_i``, h, a and g."""
        times, w, c, v = (one[..., np.newaxis] for one in (self.times, self.weight, self.factor, self.variance))
        u = 1 + y * (c * v)
        each = times / u
        logarithm = (times * np.log(u)).sum(axis=0)
        return logarithm, (each * w).sum(axis=0), (each * (w**2 * v)).sum(axis=0), (each * c).sum(axis=0)

    def level(self, y: Floats) -> Floats:
        """Return the value of ``1 / t^2`` whose y0 (the zero of the second factor of the determinant) is *y*."""
        _, h, a, g = self.sums(y)
        return g + h**2 / (y * a)

    def start(self, t: Floats) -> Floats:
        """Return y0 for the values *t* (one for each data set).

        The search uses its logarithm: with equal sizes, ``level`` is proportional to 1 / y.
        """

        def excess(log_y: Floats) -> Floats:
            return np.asarray(np.log(self.level(np.exp(log_y)[:, np.newaxis])[:, 0]) + 2 * np.log(t))

        return np.asarray(np.exp(root(excess, 2 * np.log(t) + np.log(self.times.sum(axis=0)))))


def _counted(sizes: Floats) -> tuple[Floats, Floats]:
    """Return the distinct sizes (sizes, 1), and how many subjects of each data set have each size (sizes, data sets).

    If there are at least as many distinct sizes as subjects in a data set, the sizes are returned as they are
    (subjects, data sets), each counted once.
    """
    distinct, index = np.unique(sizes, return_inverse=True)
    if len(distinct) >= sizes.shape[-1]:
        return sizes.T, np.ones_like(sizes.T)
    place = index.reshape(sizes.shape) * len(sizes) + np.arange(len(sizes))[:, np.newaxis]
    times = np.bincount(place.ravel(), minlength=len(distinct) * len(sizes)).reshape(len(distinct), -1)
    return distinct[:, np.newaxis], times.astype(np.float64)


def root(excess: Callable[[Floats], Floats], near: Floats) -> Floats:
    """Return the arguments at which *excess* is 0, by the secant method; *near* is where the search begins.

    *excess* maps an array to an array, element by element; each element is nearly a straight line.
    """
    before, now = near, near + 0.1
    of_before, of_now = excess(before), excess(now)
    for _ in range(50):
        rise = of_now - of_before
        step = np.divide(of_now * (now - before), rise, out=np.zeros_like(rise), where=rise != 0)
        if not (np.abs(step) > 1e-13 * np.maximum(1, np.abs(now))).any():  # NaN must not keep the loop running
            break
        before, of_before, now = now, of_now, now - step
        of_now = excess(now)
    return now
