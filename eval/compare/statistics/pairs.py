"""Two arms over the same samples, paired on sample id before anything is dropped.

Contract: every unit that should be asked stays a pair, whatever its results. Repeated runs of an arm (epochs) are first
averaged within sample and arm, so that repetition never counts as more samples. The wordings of a sample are averaged
in the same way, but only those with a loss in both arms: arms are compared only in wordings that both were asked in. A
result without a loss is an infrastructure failure: it enters no mean, and ``low`` and ``high`` say what the arm's mean
loss would have been, had it been 0 or the largest. An arm without any result for a unit was *not asked*, which is no
loss to infrastructure: such a pair is counted but enters no other figure. Synthetic and real units are never in one
``Pairs``, so never in one mean.
"""

import math
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEMONSTRATION", "WORST", "Evidence", "Key", "Pair", "PairList", "Pairs", "Price", "Result", "Side", "Unit"]
__all__ += ["pair"]

DEMONSTRATION = "demonstration data support no claim"
"""The reason given for missing intervals on demonstration data."""
Evidence = Literal["real", "synthetic", "demonstration"]
"""What the data can be evidence of, as the caller states it: patients, phantoms, or only that the tools work."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The key of a comparison: its contrast, task, model and source."""

    contrast: str
    task: str
    model: str
    source: str = ""
    """The source of the samples; may be empty if there is only one."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A sample that both arms should be asked, with its subject and the groups that it belongs to."""

    sample: str
    subject: str
    """The person (or phantom): the cluster of all statistics."""
    evidence: Evidence = "real"
    strata: Mapping[str, str] = field(default_factory=dict)
    """The groups it belongs to, such as ``{"modality": "CT", "plane": "axial"}``."""
    target_size: float | None = None
    """The size of its target, in a unit common to all units; None if unknown."""


@dataclass(frozen=True, slots=True)
class Price:
    """The scale of a loss: what a failure costs, and the most that any answer costs."""

    failure: float = 1.0
    """The loss of a failure."""
    largest: float = 1.0
    """The largest loss that any answer can have."""

    def check(self, result: "Result") -> None:
        """Raise a ValueError unless a result's loss is 0 to ``largest``, and that of a failure equal to ``failure``.

        An infrastructure failure, which has no loss, passes; an answer without a loss does not.
        """
        name, loss = result.sample, result.loss
        if loss is None and result.answered:
            raise ValueError(f"{name}: this sample is answered, but has no loss; expected one of 0 to {self.largest:g}")
        if loss is not None and not 0 <= loss <= self.largest:  # also NaN
            raise ValueError(f"{name}: the loss of this sample is {loss}; expected 0 to {self.largest:g}")
        if loss is not None and loss != self.failure and not result.answered:
            raise ValueError(
                f"{name}: this sample is not answered, and its loss is {loss}; expected {self.failure:g}, the loss of "
                "a failure"
            )


WORST = Price()
"""A failure costs as much as the worst answer."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one sample in one run of an arm."""

    sample: str
    loss: float | None
    """The primary metric on the scale of its price; None for an infrastructure failure."""
    answered: bool
    """Whether an answer could be read; False for every failure."""
    wording: int = 0
    """The wording in which it was asked, among those that were drawn for both arms."""


@dataclass(frozen=True, slots=True)
class Side:
    """One arm's results for one sample, averaged over the epochs of each wording, and then over the wordings."""

    loss: float | None
    """Mean over the scored epochs; None if there is none, or if no wording is shared by both arms."""
    success: float | None
    """Fraction of the scored epochs with an answer."""
    answered_loss: float | None
    """Mean loss over the answered epochs; None if there is none."""
    low: float
    high: float
    """Mean loss over all epochs if those lost to infrastructure had cost 0 (low), or the largest loss (high)."""
    low_if_answered: float
    high_if_answered: float
    """Like ``low`` and ``high``, if also every failure had cost 0 (low), or the largest loss (high)."""
    epochs: int
    """Number of epochs asked; 0 means that the arm was not asked."""
    lost: int
    """Number of epochs lost to infrastructure."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One sample with the results of both arms."""

    unit: Unit
    a: Side
    b: Side

    @property
    def asked(self) -> bool:
        """Whether both arms were asked."""
        return self.a.epochs > 0 and self.b.epochs > 0


class PairList(Sequence[Pair]):
    """Pairs of one comparison, in the caller's order; each pair is made when it is read, and not kept.

    The results are kept as columns, which a selection of the pairs shares.
    """

    def __init__(self, units: Sequence[Unit], a: "_Results", b: "_Results", price: Price) -> None:
        """Take the units, and the results of each arm for them on the scale of *price*."""
        self._units, self._results, self._price = units, (a, b), price
        self._rows = np.arange(len(units), dtype=np.intp)
        """Which of the units are in this list."""
        self._losses = np.full((2, len(units)), np.nan)
        """The loss of each unit in both arms, an array (2, units); NaN where an arm has none."""
        for row, one in enumerate(self):
            for arm, side in enumerate((one.a, one.b)):
                if side.loss is not None:
                    self._losses[arm, row] = side.loss

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> "PairList": ...

    def __getitem__(self, index: int | slice) -> "Pair | PairList":
        if isinstance(index, slice):
            return self._of(self._rows[index])
        return self._pair(int(self._rows[index]))

    def __iter__(self) -> Iterator[Pair]:
        return map(self._pair, self._rows.tolist())

    def _pair(self, row: int) -> Pair:
        a, b = (own.of(row) for own in self._results)
        scored_a, scored_b = ({one.wording for one in own if one.loss is not None} for own in (a, b))
        # If one arm has no loss in any wording, the other arm keeps its own results.
        wordings = scored_a & scored_b if scored_a and scored_b else scored_a | scored_b
        return Pair(self._units[row], _side(a, wordings, self._price), _side(b, wordings, self._price))

    def _of(self, rows: NDArray[np.intp]) -> "PairList":
        selected = object.__new__(PairList)
        selected._units, selected._results, selected._price = self._units, self._results, self._price
        selected._rows, selected._losses = rows, self._losses
        return selected

    @property
    def units(self) -> Iterator[Unit]:
        """The unit of each pair."""
        return map(self._units.__getitem__, self._rows.tolist())

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses of both arms, an array (pairs, 2); NaN where an arm has none."""
        return np.ascontiguousarray(self._losses[:, self._rows].T)

    @property
    def asked(self) -> "PairList":
        """The pairs that were asked in both arms."""
        a, b = (own.counts for own in self._results)
        return self._of(self._rows[(a[self._rows] > 0) & (b[self._rows] > 0)])

    @property
    def scored(self) -> "PairList":
        """The pairs that have a loss in both arms."""
        return self._of(self._rows[~np.isnan(self._losses[:, self._rows]).any(axis=0)])

    def where(self, wanted: Callable[[Unit], bool]) -> "PairList":
        """Return the pairs whose unit is *wanted*."""
        return self._of(self._rows[np.fromiter(map(wanted, self.units), np.bool_, len(self))])


class _Results:
    """The results of one arm, unit by unit, as columns."""

    def __init__(self, places: Mapping[str, int], results: Iterable[Result], price: Price) -> None:
        """Take the *places* of the units by their samples, and the results; raises ValueError as ``pair`` does."""
        rows, losses, answered, wordings = array("q"), array("d"), array("b"), array("i")
        for one in results:
            price.check(one)
            if (place := places.get(one.sample)) is None:
                raise ValueError(
                    f"{one.sample}: there is a result of this sample, but it is not among the units; add it"
                )
            rows.append(place)
            losses.append(math.nan if one.loss is None else one.loss)
            answered.append(one.answered)
            wordings.append(one.wording)
        of_units = np.frombuffer(rows, np.int64)
        self.counts = np.bincount(of_units, minlength=len(places))
        """Number of results of each unit."""
        order = np.argsort(of_units, kind="stable")
        # Arrays of Python give single numbers in a third of the time that those of NumPy take.
        self._losses, self._answered, self._wordings = (
            array(column.typecode, np.array(column)[order].tobytes()) for column in (losses, answered, wordings)
        )
        self._ends = array("q", np.cumsum(self.counts, dtype=np.int64).tobytes())

    def of(self, row: int) -> list["_Epoch"]:
        """Return the results of a unit, in the order in which they were given."""
        start, end = self._ends[row - 1] if row else 0, self._ends[row]
        return [self._epoch(place) for place in range(start, end)]

    def _epoch(self, place: int) -> "_Epoch":
        loss = self._losses[place]
        return _Epoch(None if math.isnan(loss) else loss, bool(self._answered[place]), int(self._wordings[place]))


class _Epoch(NamedTuple):
    """One result of a sample; the fields are those of ``Result``."""

    loss: float | None
    answered: bool
    wording: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of a comparison, in the caller's order, and the weakest evidence among them."""

    all: PairList
    evidence: Evidence
    no_claim: tuple[str, ...] = ()
    """Reasons given by the caller why no difference of these arms has an interval or a p-value."""
    price: Price = WORST
    names: tuple[str, str] = ("A", "B")
    """The names of the arms in words."""

    @property
    def asked(self) -> PairList:
        """The pairs that were asked in both arms."""
        return self.all.asked

    @property
    def scored(self) -> PairList:
        """The pairs that have a loss in both arms: those of the primary."""
        return self.all.scored

    def where(self, name: str, value: str) -> "Pairs":
        """Return the pairs of one stratum, whose variable *name* has *value* (``Unit.strata``).

        Their evidence is still that of the whole comparison.
        """
        return replace(self, all=self.all.where(lambda unit: unit.strata.get(name) == value))

    def of_subjects(self, subjects: Collection[str]) -> "Pairs":
        """Return only the pairs of these subjects; their evidence is still that of the whole comparison."""
        return replace(self, all=self.all.where(lambda unit: unit.subject in subjects))


def pair(units: Sequence[Unit], a: Iterable[Result], b: Iterable[Result], price: Price = WORST) -> Pairs:
    """Return the pairs of two arms' results, one for each unit; several results of one sample are its epochs.

    *price* is the scale of the losses.

    Raises:
        ValueError: a sample occurs twice among the units, a result belongs to no unit or is not on the scale of the
            price, or synthetic and real units are mixed.
    """
    places = {unit.sample: place for place, unit in enumerate(units)}
    if len(places) < len(units):
        raise ValueError("units: a sample is given twice; give every sample once")
    found = {unit.evidence for unit in units}
    if "synthetic" in found and len(found) > 1:
        raise ValueError("synthetic samples and real ones are mixed; compare each kind separately")
    evidence: Evidence = (
        "demonstration" if "demonstration" in found else "synthetic" if "synthetic" in found else "real"
    )
    of_a, of_b = (_Results(places, results, price) for results in (a, b))
    return Pairs(PairList(units, of_a, of_b, price), evidence, price=price)


def _side(results: Sequence[_Epoch], wordings: Collection[int], price: Price) -> Side:
    """Return one arm's results for one sample; means are over *wordings*, lost epochs are counted over all wordings."""
    if len(results) == 1 and (only := results[0]).loss is not None and only.wording in wordings:
        return _failed(only.loss, price) if not only.answered else _answered(only.loss)
    scored = [(one, one.loss) for one in results if one.loss is not None]
    answered = [loss for one, loss in scored if one.answered]
    kept = [(one, loss) for one, loss in scored if one.wording in wordings]
    epochs, lost = len(results), len(results) - len(scored)
    total, good, count = math.fsum(loss for _, loss in scored), math.fsum(answered), max(epochs, 1)
    return Side(
        loss=_mean((one.wording, loss) for one, loss in kept),
        success=_mean((one.wording, float(one.answered)) for one, _ in kept),
        answered_loss=_mean((one.wording, loss) for one, loss in kept if one.answered),
        low=total / count,
        high=(total + lost * price.largest) / count,
        low_if_answered=good / count,
        high_if_answered=(good + (epochs - len(answered)) * price.largest) / count,
        epochs=epochs,
        lost=lost,
    )


def _answered(loss: float) -> Side:
    """Return the side of one answered result."""
    return Side(loss, 1.0, loss, loss, loss, loss, loss, epochs=1, lost=0)


def _failed(loss: float, price: Price) -> Side:
    """Return the side of one failed result."""
    return Side(loss, 0.0, None, loss, loss, 0.0, price.largest, epochs=1, lost=0)


def _mean(values: Iterable[tuple[int, float]]) -> float | None:
    """Return the mean over wordings of the mean of each wording's values; None without any value.

    *values* are pairs of a wording and a value.
    """
    by_wording: dict[int, list[float]] = {}
    for wording, value in values:
        by_wording.setdefault(wording, []).append(value)
    means = [math.fsum(own) / len(own) for own in by_wording.values()]
    return math.fsum(means) / len(means) if means else None
