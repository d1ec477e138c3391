r"""Agreement of stated numbers with the ground truth, computed from sums over subjects.

With error ``d = stated - true`` of N samples, n_i of them of subject i, and G subjects:

* SD of an error: ``sqrt(s_b^2 + s_w^2)`` by one-way analysis of variance over subjects, with
  ``n0 = (N - sum n_i^2 / N) / (G - 1)`` and ``s_b^2 = (MSB - MSW) / n0``, not below 0: Bland and Altman (2007),
  "Agreement between methods of measurement with multiple observations per individual", J. Biopharm. Statistics 17.
  With one sample a subject it is the usual standard deviation. The limits of agreement are ``bias +- 1.96 SD``;
* slope: of the least-squares line of the error on the truth (proportional bias);
* CCC ``2 cov / (var_stated + var_true + bias^2)``, all with divisor N: Lin (1989), Biometrics 45;
* ICC(A,1) of two-way analysis of variance, stated and true as the two raters: McGraw and Wong (1996), Psychological
  Methods 1.

Contract: everything is an array whose last axis is subjects; any axes before it are independent data sets, such as
draws of a bootstrap. An undefined figure (one subject, no spread) is NaN here; ``arm`` turns it into None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats, by_subject

__all__ = ["WIDTH", "Measures", "Sums", "sums_of", "together"]

WIDTH = 1.96
"""Standard deviations between the bias and a limit of agreement."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of agreement of one set of samples, or of many sets at once (one array element for each)."""

    bias: Floats
    sd: Floats
    slope: Floats
    ccc: Floats
    icc: Floats

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """The lower and the upper limits of agreement, in the unit of the bias."""
        return self.bias - WIDTH * self.sd, self.bias + WIDTH * self.sd


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the samples of each subject: their number, the stated and true values, their squares, and products."""

    number: Floats
    stated: Floats
    true: Floats
    stated2: Floats
    true2: Floats
    product: Floats

    def measures(self, weights: Floats | None = None) -> Measures:
        """Return the figures of agreement; an undefined one is NaN.

        *weights* (..., subjects) say how often each subject occurs in a data set; by default, once in a single data
        set.
        """
        w = np.ones_like(self.number) if weights is None else weights
        n, x, y = (w @ one for one in (self.number, self.stated, self.true))
        xx, yy, xy = (w @ one for one in (self.stated2, self.true2, self.product))
        with np.errstate(divide="ignore", invalid="ignore"):
            bias = (x - y) / n
            sd = self._sd(w, n, x - y)
            var_x, var_y, cov = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
            slope = cov / var_y - 1
            ccc = 2 * cov / (var_x + var_y + bias**2)
            rows = n * (var_x + var_y + 2 * cov) / 2 / (n - 1)
            columns = n * bias**2 / 2
            rest = n * (var_x + var_y - 2 * cov) / 2 / (n - 1)
            icc = (rows - rest) / (rows + rest + 2 / n * (columns - rest))
        return Measures(bias, sd, slope, ccc, icc)

    def _sd(self, w: Floats, n: Floats, total: Floats) -> Floats:
        """Return the standard deviation of one error, from the variance between and within subjects.

        *w* (..., subjects) says how often each subject occurs, *n* is the number of samples, and *total* the sum of
        errors.
        """
        error = self.stated - self.true
        squares = self.stated2 + self.true2 - 2 * self.product
        of_means = error**2 / self.number
        subjects = w.sum(axis=-1)
        between = (w @ of_means - total**2 / n) / (subjects - 1)
        freedom = n - subjects
        within = np.where(freedom > 0, (w @ (squares - of_means)) / np.maximum(freedom, 1), 0.0)
        n0 = (n - w @ self.number**2 / n) / (subjects - 1)
        variance = np.maximum((between - within) / n0, 0) + np.maximum(within, 0)
        return np.asarray(np.sqrt(variance))


def together(parts: Sequence[Measures]) -> Measures:
    """Return the figures of several groups of data sets as one; each group has one axis, of its data sets."""
    return Measures(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(Measures)))


def sums_of(stated: Floats, true: Floats, subjects: list[str]) -> Sums:
    """Return the sums by subject of the stated and true values of samples (n,).

    *subjects* gives the subject of each sample. The mean of the true values is subtracted from both, so that no digits
    are lost if numbers are large and their spread is small.
    """
    shift = float(np.mean(true)) if len(true) else 0.0
    x, y = stated - shift, true - shift
    return Sums(*by_subject(subjects, *(list(one) for one in (x, y, x**2, y**2, x * y))))
