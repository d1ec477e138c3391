"""Agreement of one arm's numbers with the ground truth: bias, limits of agreement, CCC and ICC, each with its interval.

Contract: only answered samples are used, so the figures say nothing about failures; the share of answered samples is
given with them. Two arms are compared over the samples answered in both. Repeats of a sample are averaged first. An
undefined figure is None. So is an interval on demonstration data or with too few subjects (``estimate``); a bootstrap
interval needs at least ``MIN_SUBJECTS``.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from sys import intern
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import SkipValidation

from medvision_agent.eval.agreement.sums import Measures, Sums, sums_of, together
from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.estimate import too_few
from medvision_agent.eval.compare.statistics.jackknife import Floats, jackknife
from medvision_agent.eval.compare.statistics.pairs import Evidence
from medvision_agent.eval.data.sample import Asked
from medvision_agent.frozen import Frozen
from medvision_agent.quantity import LENGTH_MM

__all__ = ["MIN_SUBJECTS", "Agreement", "Figure", "Stated", "agreement"]

MIN_SUBJECTS = 30
"""With fewer subjects, there are no bootstrap intervals."""
_DRAWS = 2000
_BLOCK, _SMALL_BLOCK = 64, 8
"""Numbers of bootstrap draws computed at once: for few subjects, and for many, whose arrays are large."""
_FEW = 2000
"""Most subjects of which all draws are kept: 2,000 draws of them take 4 MB."""
_LEVEL = 0.95
_ONE = 1 - 1e-12
"""Fisher's z of a correlation of 1 is infinite."""

Stated = Mapping[str, Sequence[float]]
"""The numbers that an arm stated, by sample id, for the samples it answered."""


Column = Annotated[Sequence[float], SkipValidation]
"""One number for each sample: an array of eight bytes each, which a validated field would copy as objects."""


class Figure(Frozen):
    """A figure of agreement, such as the bias, with its 95% interval."""

    value: float | None
    """None if the figure is undefined: no answered sample, one subject only, or no spread."""
    interval: tuple[float, float] | None = None
    """None on demonstration data, with too few subjects, or if the figure is undefined in a bootstrap draw."""


class Agreement(Frozen):
    """How well one number of an answer, such as the major axis, agrees with the ground truth, on one task."""

    number: str
    unit: str
    """Unit of the errors; empty for log ratios."""
    n: int
    subjects: int
    chosen: int
    """Number of samples that were to be answered."""
    bias: Figure
    """Mean of stated minus true; for log ratios, the mean of ``ln(stated / true)``. Its interval is the jackknife's."""
    lower: Figure
    """Lower limit of agreement, ``bias - 1.96 SD``, in the unit of the errors."""
    upper: Figure
    """Upper limit of agreement, ``bias + 1.96 SD``."""
    slope: Figure
    """Change of the error per unit of the true value (for log ratios: per unit of its logarithm)."""
    ccc: Figure
    """Lin's concordance correlation coefficient, -1 to 1."""
    icc: Figure
    """Intraclass correlation ICC(A,1): absolute agreement of single values."""
    within: float | None = None
    """Share of answers whose error is at most the annotators' own error, among the samples that state it.

    None if no sample states it, and for log ratios.
    """
    within_of: int = 0
    """Number of answers to samples that state the annotators' error."""
    logarithmic: bool = False
    left_out: int = 0
    """Number of answers without a logarithm (0 or below)."""
    middles: Column = ()
    """The mean of the stated and the true value of each sample; empty for log ratios, which no figure shows."""
    errors: Column = ()
    """Stated minus true, for the same samples."""
    samples: tuple[str, ...] = ()
    """The ids of these samples."""


@dataclass(frozen=True, eq=False)
class _Data:
    """One number of the answers to one task, with its true values."""

    number: str
    unit: str
    stated: Floats
    true: Floats
    samples: list[str]
    subjects: list[str]
    logarithmic: bool = False
    left_out: int = 0
    """Number of answers without a logarithm."""


class _Taken:
    """The samples that are used, added one by one: their names, and numbers of them."""

    def __init__(self) -> None:
        self.names, self.subjects = list[str](), list[str]()
        self.errors = array("d")
        """The annotators' own error of each sample; NaN where it is not known."""
        self._stated, self._true = array("d"), array("d")

    def add(self, one: Asked, stated: Sequence[float]) -> None:
        self.names.append(one.id)
        self.subjects.append(intern(one.subject))
        self.errors.append(np.nan if one.annotator_error is None else one.annotator_error)
        self._stated.extend(stated)
        self._true.extend(one.target)

    def columns(self, numbers: int) -> tuple[Floats, Floats]:
        """Return the stated and the true values, each an array (numbers, samples)."""
        stated, true = (
            np.ascontiguousarray(np.frombuffer(column, np.float64).reshape(-1, numbers).T)
            for column in (self._stated, self._true)
        )
        return stated, true


def agreement(
    samples: Iterable[Asked], stated: Stated, both: Stated | None = None, *, evidence: Evidence = "real"
) -> list[Agreement]:
    """Return the agreement of each number of one task's answers with the ground truth; lengths also as log ratios.

    Empty for boxes and without samples. *samples* are all samples of the task. *stated* holds an arm's numbers, and
    *both* those of the other arm, if there is one: only samples answered in both arms are then used. Demonstration data
    have no intervals.
    """
    taken, chosen, asked = _Taken(), 0, None
    for one in samples:
        chosen, asked = chosen + 1, one.asks
        if one.id in stated and (both is None or one.id in both):
            taken.add(one, stated[one.id])
    if asked is None or asked.is_box:
        return []
    every, within = list[_Data](), list[dict[str, Any]]()
    for number, numbers, true in zip(asked.numbers, *taken.columns(len(asked.numbers)), strict=True):
        every.append(_Data(number, asked.quantity.unit, numbers, true, taken.names, taken.subjects))
        within.append(_within(np.frombuffer(taken.errors, np.float64), every[-1]))
        if asked.quantity == LENGTH_MM:
            every.append(_of_logs(every[-1]))
            within.append({})
    sums = [sums_of(one.stated, one.true, one.subjects) if one.subjects else None for one in every]
    bare = evidence == "demonstration"
    drawn = {} if bare else _drawn([one for one in sums if one is not None])
    return [
        _agreement(data, own, drawn.get(own) if own else None, chosen, bare=bare).but(**more)
        for data, own, more in zip(every, sums, within, strict=True)
    ]


def _within(annotators: Floats, data: _Data) -> dict[str, Any]:
    """Return how many errors are at most those of the *annotators*, which are NaN where they are not known."""
    known = ~np.isnan(annotators)
    count, good = int(known.sum()), int((np.abs(data.stated - data.true)[known] <= annotators[known]).sum())
    return {"within": good / count if count else None, "within_of": count}


def _of_logs(data: _Data) -> _Data:
    """Return the logarithms of the same numbers; answers of 0 or below have none and are left out."""
    kept = (data.stated > 0) & (data.true > 0)
    samples, subjects = (list(compress(names, kept)) for names in (data.samples, data.subjects))
    logs = np.log(data.stated[kept]), np.log(data.true[kept])
    return _Data(data.number, "", *logs, samples, subjects, logarithmic=True, left_out=int((~kept).sum()))


def _agreement(data: _Data, sums: Sums | None, drawn: Measures | None, chosen: int, *, bare: bool) -> Agreement:
    """Return the figures of one number; *sums* are None without answers, *drawn* without a bootstrap.

    *chosen* is the number of samples that were to be answered. With *bare*, there are no intervals.
    """
    error = data.stated - data.true
    found = sums.measures() if sums else None
    low, high = (found.limits if found else (None, None)), (drawn.limits if drawn else (None, None))
    shown = {} if data.logarithmic else {"middles": (data.stated + data.true) / 2, "errors": error}
    return Agreement(
        number=data.number,
        unit=data.unit,
        n=len(error),
        subjects=len(set(data.subjects)),
        chosen=chosen,
        bias=_bias(error, data, bare=bare),
        lower=_figure(low[0], high[0]),
        upper=_figure(low[1], high[1]),
        slope=_figure(*_each(found, drawn, "slope")),
        ccc=_figure(*_each(found, drawn, "ccc"), correlation=True),
        icc=_figure(*_each(found, drawn, "icc"), correlation=True),
        logarithmic=data.logarithmic,
        left_out=data.left_out,
        samples=() if data.logarithmic else tuple(data.samples),
        **{name: array("d", column.tobytes()) for name, column in shown.items()},
    )


def _each(found: Measures | None, drawn: Measures | None, name: str) -> tuple[Floats | None, Floats | None]:
    return getattr(found, name, None), getattr(drawn, name, None)


def _drawn(every: Sequence[Sums]) -> dict[Sums, Measures]:
    """Return the figures of each bootstrap draw over the subjects of each set of sums; arrays (draws,).

    Sets with too few subjects are left out. Sets with equally many subjects share their draws.
    """
    found = {one: list[Measures]() for one in every if len(one.number) >= MIN_SUBJECTS}
    for count in dict.fromkeys(len(one.number) for one in found):
        for draws in _blocks(count):
            weights = draws.astype(np.float64)
            for one, own in found.items():
                if len(one.number) == count:
                    own.append(one.measures(weights))
    return {one: together(own) for one, own in found.items()}


def _blocks(count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield how often each of *count* subjects is drawn, in blocks (draws, subjects) of all bootstrap draws.

    The draws are always the same. They are kept for few subjects only, because of many they take much memory.
    """
    yield from _kept_blocks(count) if count <= _FEW else _drawn_blocks(count)


@lru_cache(maxsize=4)
def _kept_blocks(count: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(_drawn_blocks(count))


def _drawn_blocks(count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the same blocks as ``_blocks``, drawn now.

    A byte is enough: that one of many subjects is drawn 256 times in a draw has a probability below 1e-500.
    """
    chances, rng = np.full(count, 1 / count), np.random.default_rng(0)
    block = _BLOCK if count <= _FEW else _SMALL_BLOCK
    for size in (min(block, _DRAWS - at) for at in range(0, _DRAWS, block)):
        yield rng.multinomial(count, chances, size=size).astype(np.uint8)


def _bias(error: Floats, data: _Data, *, bare: bool) -> Figure:
    own = clustered(data.subjects, list(error))
    if not len(own.sizes):
        return Figure(value=None)
    if bare or too_few(own.sizes):
        return Figure(value=float(error.mean()))
    found = jackknife(*own)
    value, margin = float(found.estimate), float(found.margin(_LEVEL))
    return Figure(value=value, interval=(value - margin, value + margin))


def _figure(value: Floats | None, draws: Floats | None, *, correlation: bool = False) -> Figure:
    """Return a figure with its 95% interval, from percentiles of its bootstrap *draws*.

    For a *correlation*, it is an interval by Fisher's z. The value is None if it is undefined. The interval is None
    without draws, or if the figure is undefined in any draw.
    """
    if value is None or not np.isfinite(value):
        return Figure(value=None)
    if draws is None or not np.isfinite(draws).all():
        return Figure(value=float(value))
    low, high = _by_z(value, draws) if correlation else np.quantile(draws, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return Figure(value=float(value), interval=(float(low), float(high)))


def _by_z(value: Floats, draws: Floats) -> Floats:
    """Return the 95% interval of a correlation, symmetric in Fisher's z, with the spread of the draws in z."""
    middle, spread = (np.arctanh(np.clip(one, -_ONE, _ONE)) for one in (value, draws))
    margin = 1.96 * np.std(spread, ddof=1)
    return np.asarray(np.tanh((middle - margin, middle + margin)))
