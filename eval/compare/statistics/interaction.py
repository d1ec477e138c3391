"""Is a difference between two arms the same in every stratum? CT -0.15 and MR +0.36 do not amount to "no difference".

With two strata of a name, one is set against the other; with more, each against all others. The difference of their
differences is jackknifed over subjects (``jackknife_contrast``: a subject may be in both). Strata with fewer than
``MIN_SUBJECTS`` subjects are given as figures only (``strata``) and are not among "the others".

Contract: the intervals of a comparison hold together at 95% (Bonferroni). A p-value, by Holm's method over the strata
of one name, is given only where the study declared that name, and on real data.
"""

from array import array
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import ROUNDING, Contrast, by_subject, jackknife_contrast
from medvision_agent.eval.compare.statistics.pairs import Pairs
from medvision_agent.eval.compare.statistics.weights import holm
from medvision_agent.frozen import Frozen

__all__ = ["MIN_SUBJECTS", "Interaction", "interactions"]

MIN_SUBJECTS = 10
"""Fewest subjects in the stratum, and in the strata it is compared with."""
_TOGETHER = 0.05
"""Probability that any interval of a comparison misses the true value."""


class Interaction(Frozen):
    """A stratum (such as CT) compared with another one, or with all others: do the arms differ equally in both?"""

    name: str
    """The variable that defines the strata, such as ``modality``."""
    value: str
    against: str
    """The other stratum, or ``the others``."""
    here: float
    """Difference in loss, B minus A, in the stratum; ``there``: in the stratum or strata that it is compared with."""
    there: float
    difference: float
    """The value ``here - there``."""
    interval: tuple[float, float]
    p: float | None
    """Adjusted by Holm's method; None unless this test was declared."""

    @property
    def apart(self) -> bool:
        """Whether the interval of the difference between the strata excludes 0."""
        return not self.interval[0] <= 0 <= self.interval[1]


class _Group(NamedTuple):
    """The scored pairs of one stratum."""

    subjects: list[str]
    differences: "array[float]"
    """Of the losses, B minus A."""


class _Found(NamedTuple):
    name: str
    value: str
    against: str
    here: float
    there: float
    apart: Contrast


def interactions(pairs: Pairs, declared: Collection[str] = ()) -> tuple[Interaction, ...]:
    """Return how the difference of the arms (B minus A) varies between strata, by the name and value of the stratum.

    *declared* are the names (such as ``modality``) that the study declared: only these have p-values. Empty for
    demonstration data, for arms that support no claim, and if no name has two strata with enough subjects.
    """
    if pairs.evidence == "demonstration" or pairs.no_claim:
        return ()
    by_name = {name: _of(pairs, name) for name in sorted({name for unit in pairs.scored.units for name in unit.strata})}
    number = sum(map(len, by_name.values()))
    tested = set(declared) if pairs.evidence == "real" else set()
    return tuple(
        Interaction(
            name=name,
            value=one.value,
            against=one.against,
            here=one.here,
            there=one.there,
            difference=float(one.apart.estimate),
            interval=_interval(one.apart, 1 - _TOGETHER / number),
            p=p if name in tested else None,
        )
        for name, found in by_name.items()
        for one, p in zip(found, holm([float(one.apart.p()) for one in found]), strict=True)
    )


def _of(pairs: Pairs, name: str) -> list[_Found]:
    scored = pairs.scored
    groups: dict[str, _Group] = {}
    for unit, (a, b) in zip(scored.units, scored.losses.tolist(), strict=True):
        if value := unit.strata.get(name):
            group = groups.setdefault(value, _Group([], array("d")))
            group.subjects.append(unit.subject)
            group.differences.append(b - a)
    large = {value: own for value, own in sorted(groups.items()) if len(set(own.subjects)) >= MIN_SUBJECTS}
    if len(large) < 2:
        return []
    first, last = min(large), max(large)
    found = [
        _set_against(name, value, last if len(large) == 2 else "the others", large)
        for value in (large if len(large) > 2 else [first])
    ]
    return [one for one in found if one.apart.error > ROUNDING]  # without spread there is no interval


def _set_against(name: str, value: str, against: str, groups: Mapping[str, _Group]) -> _Found:
    subjects = [subject for own in groups.values() for subject in own.subjects]
    inside = np.concatenate([np.full(len(own.subjects), other == value) for other, own in groups.items()])
    apart = np.concatenate([np.frombuffer(own.differences) for own in groups.values()])
    columns = [inside, inside * apart, ~inside, ~inside * apart]
    _, weight, total, other_weight, other_total = by_subject(subjects, *columns)
    return _Found(
        name,
        value,
        against,
        float(total.sum() / weight.sum()),
        float(other_total.sum() / other_weight.sum()),
        jackknife_contrast((total, other_total), (weight, other_weight)),
    )


def _interval(found: Contrast, level: float) -> tuple[float, float]:
    middle, margin = float(found.estimate), float(found.margin(level))
    return middle - margin, middle + margin
