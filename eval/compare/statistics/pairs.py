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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

__all__ = ["DEMONSTRATION", "WORST", "Evidence", "Key", "Pair", "Pairs", "Price", "Result", "Side", "Unit", "pair"]

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


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of a comparison, in the caller's order, and the weakest evidence among them."""

    all: tuple[Pair, ...]
    evidence: Evidence
    no_claim: tuple[str, ...] = ()
    """Reasons given by the caller why no difference of these arms has an interval or a p-value."""
    price: Price = WORST
    names: tuple[str, str] = ("A", "B")
    """The names of the arms in words."""

    def __post_init__(self) -> None:
        found = {one.unit.evidence for one in self.all}
        if "synthetic" in found and len(found) > 1:
            raise ValueError("synthetic samples and real ones are mixed; compare each kind separately")

    @property
    def asked(self) -> tuple[Pair, ...]:
        """The pairs that were asked in both arms."""
        return tuple(one for one in self.all if one.asked)

    @property
    def scored(self) -> tuple[Pair, ...]:
        """The pairs that have a loss in both arms: those of the primary."""
        return tuple(one for one in self.all if one.a.loss is not None and one.b.loss is not None)

    def where(self, name: str, value: str) -> "Pairs":
        """Return the pairs of one stratum, whose variable *name* has *value* (``Unit.strata``).

        Their evidence is still that of the whole comparison.
        """
        return replace(self, all=tuple(one for one in self.all if one.unit.strata.get(name) == value))

    def of_subjects(self, subjects: Collection[str]) -> "Pairs":
        """Return only the pairs of these subjects; their evidence is still that of the whole comparison."""
        return replace(self, all=tuple(one for one in self.all if one.unit.subject in subjects))


def pair(units: Sequence[Unit], a: Iterable[Result], b: Iterable[Result], price: Price = WORST) -> Pairs:
    """Return the pairs of two arms' results, one for each unit; several results of one sample are its epochs.

    *price* is the scale of the losses.

    Raises:
        ValueError: a sample occurs twice among the units, a result belongs to no unit or is not on the scale of the
            price, or synthetic and real units are mixed.
    """
    known = {unit.sample for unit in units}
    if len(known) < len(units):
        raise ValueError("units: a sample is given twice; give every sample once")
    of_a, of_b = _epochs(known, a, price), _epochs(known, b, price)
    found = {unit.evidence for unit in units}
    evidence: Evidence = (
        "demonstration" if "demonstration" in found else "synthetic" if "synthetic" in found else "real"
    )
    pairs = (_pair(unit, of_a[unit.sample], of_b[unit.sample], price) for unit in units)
    return Pairs(tuple(pairs), evidence, price=price)


def _pair(unit: Unit, a: Sequence[Result], b: Sequence[Result], price: Price) -> Pair:
    scored_a, scored_b = ({one.wording for one in own if one.loss is not None} for own in (a, b))
    # If one arm has no loss in any wording, the other arm keeps its own results.
    wordings = scored_a & scored_b if scored_a and scored_b else scored_a | scored_b
    return Pair(unit, _side(a, wordings, price), _side(b, wordings, price))


def _epochs(known: set[str], results: Iterable[Result], price: Price) -> dict[str, list[Result]]:
    epochs: dict[str, list[Result]] = {sample: [] for sample in known}
    for result in results:
        price.check(result)
        if result.sample not in epochs:
            raise ValueError(
                f"{result.sample}: there is a result of this sample, but it is not among the units; add it"
            )
        epochs[result.sample].append(result)
    return epochs


def _side(results: Sequence[Result], wordings: Collection[int], price: Price) -> Side:
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
    """Return the side of one answered result, in which all losses are one object: there are very many such sides."""
    return Side(loss, 1.0, loss, loss, loss, loss, loss, epochs=1, lost=0)


@lru_cache(maxsize=64)
def _failed(loss: float, price: Price) -> Side:
    """Return the side of one failed result, which is the same object for all failures of one loss."""
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
