"""The sign-flip permutation test on subject sums: the sensitivity analysis of the jackknife's p-value.

Under the null hypothesis that the two arms are exchangeable within each subject, the sign of each subject's sum
``S_i`` of differences is a fair coin, and ``|sum S_i|`` is compared with its distribution over all flips. Subjects with
a sum of 0 change nothing. For binary outcomes with one sample per subject it is McNemar's exact test.

* ``exact distribution``: the sums are whole numbers; by dynamic programming, whatever the number of subjects;
* ``all flips``: at most 16 subjects have a sum other than 0; enumerated;
* ``drawn flips``: otherwise; seeded, ``(1 + hits) / (1 + draws)``, so never 0.
"""

from typing import Literal

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats
from medvision_agent.frozen import Frozen

__all__ = ["SignFlip", "sign_flip"]

DRAWS = 19_999
_ENUMERATED = 16
_LARGEST_TOTAL = 100_000
_CHUNK = 4_096
_TOLERANCE = 1e-9
"""Totals this close, relative to the sum of all ``|S_i|``, are ties: they differ by rounding."""


class SignFlip(Frozen):
    """A two-sided p-value and where it comes from."""

    p: float
    method: Literal["exact distribution", "all flips", "drawn flips"]
    subjects: int
    """Those whose sum is not 0."""


def sign_flip(sums: Floats, *, seed: int = 0, draws: int = DRAWS) -> SignFlip:
    """Return the sign-flip test of subject sums; p is 1 if all are 0."""
    absolute = np.sort(np.abs(sums))  # sorted, so that p never depends on the order of subjects
    absolute = absolute[absolute > _TOLERANCE]
    observed = abs(float(sums.sum())) - _TOLERANCE * float(absolute.sum())
    whole = np.rint(absolute)
    if np.abs(absolute - whole).max(initial=0.0) < _TOLERANCE and whole.sum() <= _LARGEST_TOTAL:
        return SignFlip(p=_whole(whole.astype(np.int64), observed), method="exact distribution", subjects=len(absolute))
    if len(absolute) <= _ENUMERATED:
        return SignFlip(p=_all(absolute, observed), method="all flips", subjects=len(absolute))
    return SignFlip(p=_drawn(absolute, observed, seed, draws), method="drawn flips", subjects=len(absolute))


def _whole(absolute: np.ndarray[tuple[int, ...], np.dtype[np.int64]], observed: float) -> float:
    total = int(absolute.sum())
    chances = np.zeros(2 * total + 1)  # of the totals -total..total
    chances[total] = 1.0
    for step in absolute.tolist():
        chances = (np.roll(chances, step) + np.roll(chances, -step)) / 2  # the ends are still 0 where this wraps
    return min(1.0, float(chances[np.abs(np.arange(-total, total + 1)) >= observed].sum()))


def _all(absolute: Floats, observed: float) -> float:
    totals = np.zeros(1)
    for step in absolute.tolist():
        totals = np.concatenate((totals + step, totals - step))
    return float((np.abs(totals) >= observed).mean())


def _drawn(absolute: Floats, observed: float, seed: int, draws: int) -> float:
    random, hits, left = np.random.default_rng(seed), 0, draws
    while left > 0:
        count = min(left, _CHUNK)
        signs = random.integers(0, 2, (count, len(absolute)), dtype=np.int8) * 2.0 - 1.0
        hits += int((np.abs(signs @ absolute) >= observed).sum())
        left -= count
    return (1 + hits) / (1 + draws)
