r"""The distribution of a weighted mean divided by its jackknife error, for the actual sizes of the subjects.

The working model: subject means are independent and normal with one mean, and with variances proportional to
``icc + (1 - icc) / n_i``, where samples of a subject have the correlation *icc*. With the names of ``form``,

    ``P(|T| > t) = 1 / pi  integral from y0 to infinity of  1 / sqrt(prod u_i (y a (1 / t^2 - g) - h^2))  dy / y``.

It is Imhof's integral for a form with one positive eigenvalue, with the path wrapped around the branch cut of that
eigenvalue: the integrand does not oscillate, so small probabilities are as exact as large ones. By ``y = y0 / sin^2 x``
with ``x = w - sin(2 w) / 2``, which sets nodes close near x = 0, where a small t bends the integrand, and 64 equal
steps in w, probabilities are exact to 1e-5, and those under 0.5 to 1e-9 of their size. With equal sizes T is Student's
t on G - 1 degrees of freedom at any *icc*, and that distribution is used.

Sources: Imhof (1961), "Computing the distribution of quadratic forms in normal variables", Biometrika 48. The working
model is that of Bell and McCaffrey (2002), "Bias reduction in standard errors for linear regression with multi-stage
samples", Survey Methodology 28, who match the moments of the error; as Young (2016), "Improved, nearly exact,
statistical inference with robust and clustered covariance matrices", does too.

Contract: as in ``jackknife``, the last axis of *sizes* is subjects (size 0 means that the subject is absent), and *t*,
*p* and *icc* have the axes before it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from medvision_agent.eval.compare.statistics.form import Form, root

__all__ = ["power", "quantile", "tail"]

Floats = NDArray[np.float64]
_EQUAL = (np.arange(64) + 0.5) * (np.pi / 2 / 64)
_ANGLES, _STEPS = _EQUAL - np.sin(2 * _EQUAL) / 2, 1 - np.cos(2 * _EQUAL)
_AT_ONCE = 2_000_000
"""Largest number of array elements (data sets x nodes x sizes) computed at once."""
_LEAST, _MOST = 1e-8, 1e15
"""Smaller and larger t are set to these."""
_LEAST_CHANCE = 1e-100
"""Quantiles of smaller probabilities are not computed."""


def tail(t: Floats | float, sizes: Floats, icc: Floats | float) -> Floats:
    """Return the two-sided p-value: the probability that |T| is larger than |*t*| if the true mean is 0.

    *sizes* are the subjects' numbers of samples, *icc* is their intra-subject correlation.
    """
    shape, subjects = np.broadcast_shapes(np.shape(t), sizes.shape[:-1], np.shape(icc)), sizes.shape[-1]
    rows = np.broadcast_to(sizes, (*shape, subjects)).reshape(-1, subjects)
    values, correlations = (np.broadcast_to(one, shape).reshape(-1) for one in (np.abs(t), icc))
    found = np.asarray(2 * special.stdtr((rows > 0).sum(axis=-1) - 1.0, -values))
    unequal = np.flatnonzero(((rows > 0) & (rows != rows.max(axis=-1, keepdims=True))).any(axis=-1))
    shared = bool((rows == rows[:1]).all())
    block = max(1, _AT_ONCE // (len(_ANGLES) * min(subjects, len(np.unique(rows[:1] if shared else rows)))))
    for own in np.split(unequal, range(block, len(unequal), block)) if len(unequal) else []:
        form = Form.of(rows[:1] if shared else rows[own], correlations[own])
        found[own] = _integral(form, np.clip(values[own], _LEAST, _MOST))
    return found.reshape(shape)


def quantile(p: Floats | float, sizes: Floats, icc: Floats | float) -> Floats:
    """Return the t whose two-sided p-value (``tail``) is *p*; infinite for 0.

    It is half the width, in standard errors, of an interval at the level ``1 - p``. *sizes* and *icc* are as in
    ``tail``.
    """
    # On the scale of Student's t quantiles (equal sizes), the function to invert is nearly a straight line.
    freedom = (sizes > 0).sum(axis=-1) - 1.0
    wanted = np.log(-special.stdtrit(freedom, np.maximum(p, _LEAST_CHANCE) / 2))

    def excess(log_t: Floats) -> Floats:
        return np.asarray(np.log(-special.stdtrit(freedom, tail(np.exp(log_t), sizes, icc) / 2)) - wanted)

    shape = np.broadcast_shapes(np.shape(p), sizes.shape[:-1], np.shape(icc))
    found = np.exp(root(excess, np.broadcast_to(wanted, shape)))
    return np.where(np.asarray(p) > 0, found, np.inf * found)


def power(shift: float, t: float, sizes: Floats, icc: float) -> float:
    """Return the probability that |T| is larger than *t* if the true mean is *shift*.

    *shift* is in standard deviations of one sample. The integrand is that of ``tail`` times
    ``exp(y shift^2 / (2 t^2) (h^2 + y a g) / (h^2 - y a (1 / t^2 - g)))``, which has no value at y0: the path is a
    parabola about the cut, ``y = y0 - (b + i k sinh x)^2`` in equal steps of x. It passes the pole at 0, whose residue
    is 1, on the side where the exponential is small. With equal sizes it is the noncentral t's: to 1e-7 with two
    subjects, to 1e-9 with five or more.
    """
    form = Form.of(sizes[np.newaxis], np.array([icc]))
    start, rate = float(form.start(np.array([t]))[0]), shift**2 / (2 * t**2)
    left = start / 2 * rate > 2
    first = -min(start, 1 / float((form.factor * form.variance).max())) / 2 if left else start / 2
    base = np.sqrt(start - first)
    # The first steps are short beside the way from ``first`` to the pole; few turn the exponential by much (at most 100
    # times as many as usual: more are of no use).
    fine = min(0.3 * np.sqrt(start), abs(first) / (2 * base))
    step = 0.04 / min(max(1.0, np.sqrt(start * rate) / 8), 100.0)
    x = np.arange(0.0, np.arcsinh(450 * np.sqrt(start) / fine), step)
    side = base + 1j * fine * np.sinh(x)
    y = (start - side**2)[np.newaxis]
    logarithm, h, a, g = form.sums(y)
    rest = h**2 - y * a * (1 / t**2 - g)
    logarithm += np.log(np.abs(rest)) + 1j * np.unwrap(np.angle(rest))
    shifted = y * rate * (h**2 + y * a * g) / rest
    values = (np.exp(shifted - logarithm / 2) / y * side * np.cosh(x)).real[0]
    return float((values.sum() - values[0] / 2) * 2 * fine * step / np.pi) + left


def _integral(form: Form, t: Floats) -> Floats:
    start = form.start(t)[:, np.newaxis]
    logarithm, h, a, g = form.sums(start / np.sin(_ANGLES) ** 2)
    rest = start / np.sin(_ANGLES) ** 2 * a * (form.level(start) - g) - h**2
    values = np.exp(-logarithm / 2) / np.sqrt(rest) / np.tan(_ANGLES) * _STEPS
    return np.asarray(np.minimum(1.0, values.sum(axis=-1) / len(_ANGLES)))
