"""Two arms over the same samples, paired on sample id before anything is dropped.

Contract: every unit that was to be asked stays a pair, whatever came back. Repeated runs of an arm (epochs) are
averaged within sample and arm first, so that repetition never counts as more samples. So are the wordings a sample was
asked in, over those that have a loss in both arms: no arm is compared in words that the other one was not asked in. A
result without a loss is an infrastructure failure: it enters no mean, and ``low`` and ``high`` say what the arm's mean
loss would have been, had it been 0 or 1. An arm without any result for a unit lost it. Synthetic and real units never
share a ``Pairs``, hence never a mean.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Evidence", "Key", "Pair", "Pairs", "Result", "Side", "Unit", "pair"]

Evidence = Literal["real", "synthetic", "demonstration"]
"""What the data can be evidence of, said by the caller: patients, phantoms, or nothing beyond that the tools work."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a comparison is about."""

    contrast: str
    task: str
    model: str
    source: str = ""
    """Of the samples; where there is only one it may stay empty."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A sample that both arms were to be asked."""

    sample: str
    subject: str
    """The person (or phantom): the cluster of all statistics."""
    evidence: Evidence = "real"
    strata: Mapping[str, str] = field(default_factory=dict)
    """The groups it belongs to, such as ``{"modality": "CT", "plane": "axial"}``."""
    target_size: float | None = None
    """How large its target is, in any unit common to all units; None where unknown."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came back for a sample in one run of an arm."""

    sample: str
    loss: float | None
    """The primary metric, within 0..1, 1 for a failure; None for an infrastructure failure."""
    answered: bool
    """An answer could be read; False for every failure."""
    wording: int = 0
    """Which of the wordings that were drawn for both arms it was asked in."""

    def __post_init__(self) -> None:
        if self.loss is None and self.answered:
            raise ValueError(f"{self.sample}: an answer without a loss")
        if self.loss is not None and not 0 <= self.loss <= 1:  # also NaN
            raise ValueError(f"{self.sample}: a loss of {self.loss} is not within 0..1")
        if self.loss is not None and self.loss != 1 and not self.answered:
            raise ValueError(f"{self.sample}: a failure with a loss of {self.loss}, it must cost 1")


@dataclass(frozen=True, slots=True)
class Side:
    """One arm's results for one unit, averaged over the epochs of a wording, and then over wordings."""

    loss: float | None
    """Mean over the epochs that were scored; None without any, and without a wording that both arms share."""
    success: float | None
    """Fraction of the scored epochs that were answered."""
    answered_loss: float | None
    """Mean loss over the answered epochs; None without any."""
    low: float
    high: float
    """Mean loss over all epochs, if those lost to infrastructure had cost 0, or 1."""
    low_if_answered: float
    """The same as ``low``, if failures had cost 0 too; had they cost 1, as they do, it is ``high``."""
    epochs: int
    lost: int
    """Epochs lost to infrastructure."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One unit in both arms."""

    unit: Unit
    a: Side
    b: Side


@dataclass(frozen=True, slots=True)
class Pairs:
    """All units of a comparison, in the caller's order, and the weakest evidence among them."""

    all: tuple[Pair, ...]
    evidence: Evidence
    no_claim: tuple[str, ...] = ()
    """Reasons, known to the caller, why no difference of these arms bears an interval or a p-value."""

    def __post_init__(self) -> None:
        found = {one.unit.evidence for one in self.all}
        if "synthetic" in found and len(found) > 1:
            raise ValueError("synthetic units are never mixed with real ones; compare them apart")

    @property
    def scored(self) -> tuple[Pair, ...]:
        """The pairs that have a loss in both arms: those of the primary."""
        return tuple(one for one in self.all if one.a.loss is not None and one.b.loss is not None)

    def where(self, name: str, value: str) -> "Pairs":
        """Return the pairs of one stratum; their evidence is still that of the whole comparison."""
        return Pairs(tuple(one for one in self.all if one.unit.strata.get(name) == value), self.evidence, self.no_claim)


def pair(units: Sequence[Unit], a: Iterable[Result], b: Iterable[Result]) -> Pairs:
    """Pair the results of two arms; several results of one sample are its epochs.

    Raises:
        ValueError: a sample stands twice among the units, a result belongs to none of them, or synthetic and real
            units are mixed.
    """
    known = {unit.sample for unit in units}
    if len(known) < len(units):
        raise ValueError("a sample stands twice among the units")
    of_a, of_b = _epochs(known, a), _epochs(known, b)
    found = {unit.evidence for unit in units}
    evidence: Evidence = (
        "demonstration" if "demonstration" in found else "synthetic" if "synthetic" in found else "real"
    )
    return Pairs(tuple(_pair(unit, of_a[unit.sample], of_b[unit.sample]) for unit in units), evidence)


def _pair(unit: Unit, a: Sequence[Result], b: Sequence[Result]) -> Pair:
    scored_a, scored_b = ({one.wording for one in own if one.loss is not None} for own in (a, b))
    # Where one arm lost everything, the other one keeps what it has.
    wordings = scored_a & scored_b if scored_a and scored_b else scored_a | scored_b
    return Pair(unit, _side(a, wordings), _side(b, wordings))


def _epochs(known: set[str], results: Iterable[Result]) -> dict[str, list[Result]]:
    epochs: dict[str, list[Result]] = {sample: [] for sample in known}
    for result in results:
        if result.sample not in epochs:
            raise ValueError(f"{result.sample}: a result for a sample that is not among the units")
        epochs[result.sample].append(result)
    return epochs


def _side(results: Sequence[Result], wordings: Collection[int]) -> Side:
    """Return one arm's side; means are over *wordings*, and what is lost is counted over all."""
    scored = [(one, one.loss) for one in results if one.loss is not None]
    answered = [loss for one, loss in scored if one.answered]
    kept = [(one, loss) for one, loss in scored if one.wording in wordings]
    epochs = max(len(results), 1)
    lost, total = epochs - len(scored), math.fsum(loss for _, loss in scored)
    return Side(
        loss=_mean((one.wording, loss) for one, loss in kept),
        success=_mean((one.wording, float(one.answered)) for one, _ in kept),
        answered_loss=_mean((one.wording, loss) for one, loss in kept if one.answered),
        low=total / epochs,
        high=(total + lost) / epochs,
        low_if_answered=math.fsum(answered) / epochs,
        epochs=epochs,
        lost=lost,
    )


def _mean(values: Iterable[tuple[int, float]]) -> float | None:
    """Return the mean over wordings of the mean of each wording's values; None without any."""
    by_wording: dict[int, list[float]] = {}
    for wording, value in values:
        by_wording.setdefault(wording, []).append(value)
    means = [math.fsum(own) / len(own) for own in by_wording.values()]
    return math.fsum(means) / len(means) if means else None
