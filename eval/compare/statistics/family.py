"""The family of declared tests: contrasts x tasks x models x sources, tested together along a graph.

Contract: only what was declared has a p-value, and only a test that is rejected over the whole family gives a verdict.
The family's size is the number of declared tests, whether or not their data bear a p-value: a test without a result
does not make the others easier to pass. Everything else is exploratory: figures and intervals.

A difference is a verdict only if it is *guarded* (``guard``): rejected at the same level, with the same sign, before
and after one subject is added in whom the better arm fails. A rejected difference that is not guarded says so in words.

A test with planned looks (``looks``) takes part with its sequential p-value, and "its level" is then the boundary of a
look; it is guarded if it is guarded at one look. The latest look is shown. Where a failure costs less than the worst
answer, a difference has a p-value only if it keeps its sign when failures cost the most: else abstaining could win.

"No difference shown" and "equivalent" are different verdicts: the second needs an interval within the margin that was
declared (``equivalence``), at the test's own level.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from medvision_agent.eval.compare.statistics.clusters import clustered
from medvision_agent.eval.compare.statistics.equivalence import equivalent
from medvision_agent.eval.compare.statistics.estimate import Estimate, against_winner, losses_of, primary
from medvision_agent.eval.compare.statistics.graph import Rejection, reject
from medvision_agent.eval.compare.statistics.guard import Tipping, tipping
from medvision_agent.eval.compare.statistics.looks import boundaries, sequential_p
from medvision_agent.eval.compare.statistics.missing import MissingData, missing
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs, pair
from medvision_agent.eval.compare.statistics.weights import family_graph
from medvision_agent.frozen import Frozen

__all__ = ["FamilyOfTests", "Key", "Looks", "Test", "Verdict", "family"]

Verdict = Literal[
    "second arm has the lower loss",
    "second arm has the higher loss",
    "second arm is lower in what was seen; rare failures are not excluded",
    "second arm is higher in what was seen; rare failures are not excluded",
    "no difference shown",
    "equivalent: apart by less than the margin",
]


@dataclass(frozen=True, slots=True)
class Looks:
    """The planned looks at one test, at least one of which took place.

    A look is an interim analysis of a study that still runs, or the final one (``looks``).
    """

    fractions: tuple[float, ...]
    """For each look, the number of its subjects divided by all planned subjects; the last fraction is 1."""
    seen: tuple[Pairs, ...]
    """The pairs of each look that took place, in order."""

    def level(self, alpha: float, look: int = -1) -> float:
        """Return the nominal two-sided level of a *look* that took place (index from 0; by default the latest).

        *alpha* is the level of the whole test, over all its looks.
        """
        return boundaries(self.fractions[: len(self.seen)], alpha)[look] if alpha > 0 else 0.0


class Test(Frozen):
    """One contrast on one task, model and source: its difference, what is missing, and a verdict if it was declared."""

    __test__ = False  # not a test class of pytest

    contrast: str
    task: str
    model: str
    source: str = ""
    declared: bool
    """Whether the study declared the test beforehand; other tests are exploratory and have no p-value."""
    primary: Estimate
    """The difference of the loss, B minus A; at the latest look, for a test with looks."""
    missing: MissingData
    """What is missing from the comparison, and how much it could change the difference."""
    names: tuple[str, str] = ("A", "B")
    """The names of the two arms in words."""
    largest_price: float | None = None
    """The difference if a failure cost as much as the worst answer; given only if failures cost less."""
    look: int = 1
    looks: int = 1
    """Number of planned looks (interim analyses); ``look`` says which of them this is, from 1."""
    decided_at: int | None = None
    """The first look at which the test was rejected, from 1; None if it was not rejected."""
    adjusted_p: float | None = None
    """The p-value adjusted for the whole family: the smallest alpha at which the test is rejected. None without a
    p-value."""
    local_level: float | None = None
    """The share of alpha at which the test was rejected, or its share at the end; None if it is not a declared test."""
    local_interval: tuple[float, float] | None = None
    """The interval at 1 - ``local_level`` (with looks: at the boundary of the latest look at that level). It leaves 0
    out exactly where the test is rejected by this look."""
    tipping: Tipping | None = None
    """How many subjects in whom the better arm fails it takes to undo the difference; None if it is not rejected."""
    margin: float | None = None
    """Differences smaller than this, in either direction, are declared negligible; None if no margin was declared."""
    verdict: Verdict | None = None
    """The verdict at the family's alpha; None if there is no p-value (``primary.withheld`` gives the reason)."""

    @property
    def verdict_words(self) -> str:
        """The verdict in words, with its margin and the name of the arm; empty without a verdict."""
        words = (self.verdict or "").replace("the margin", "" if self.margin is None else f"{self.margin:g}")
        return words.replace("second arm", self.names[1], 1)


class FamilyOfTests(Frozen):
    """The results of all comparisons of a family: those declared beforehand, in their order, and all others."""

    size: int
    """Number of declared tests, including those without a p-value."""
    alpha: float
    """The probability of any false rejection in the whole family."""
    declared: tuple[Test, ...]
    exploratory: tuple[Test, ...]


def family(
    declared: Sequence[Key],
    data: Mapping[Key, Pairs],
    *,
    alpha: float = 0.05,
    primaries: Sequence[str] = (),
    looks: Mapping[Key, Looks] = MappingProxyType({}),
    margin: float | None = None,
) -> FamilyOfTests:
    """Return the results of all declared tests, tested together, and all other comparisons in *data* as exploratory.

    A declared test without data is kept: it has no pairs, states this, and counts in the family. *alpha* is the
    probability of any false rejection. *primaries* are the contrasts whose tests start with all of alpha; without any,
    every test starts with an equal share (Holm's method). For a test with *looks*, the pairs of its latest look are
    used instead of those in *data*. Differences below *margin* are negligible; without a margin, nothing is called
    equivalent.

    Raises:
        ValueError: a test is declared twice.
    """
    if len(set(declared)) < len(declared):
        raise ValueError("declared: the same test is given twice; declare every test once")
    taken = [looks.get(key) or Looks((1.0,), (data.get(key, pair((), (), ())),)) for key in declared]
    every = [_looked_at(key, one, alpha) for key, one in zip(declared, taken, strict=True)]
    found = reject(
        family_graph(declared, primaries), [_p(one, own) for one, own in zip(taken, every, strict=True)], alpha
    )
    others = [key for key in data if key not in set(declared)]
    return FamilyOfTests(
        size=len(declared),
        alpha=alpha,
        declared=tuple(_decided(own, one, what, margin) for own, one, what in zip(every, taken, found, strict=True)),
        exploratory=tuple(
            _test(key, looks[key].seen[-1] if key in looks else data[key], declared=False, level=1 - alpha)
            for key in others
        ),
    )


def _test(key: Key, pairs: Pairs, *, declared: bool, level: float) -> Test:
    role: Literal["declared", "exploratory"] = "declared" if declared else "exploratory"
    found, dear = primary(pairs, role=role, level=level), _at_largest(pairs)
    if found.p is not None and found.difference is not None and dear is not None and found.difference * dear <= 0:
        why = f"no verdict: the difference is {dear:+.3f} where a failure costs as much as the worst answer"
        found = found.but(p=None, guarded_p=None, withheld=why)
    return Test(
        contrast=key.contrast,
        task=key.task,
        model=key.model,
        source=key.source,
        declared=declared,
        primary=found,
        missing=missing(pairs),
        names=pairs.names,
        largest_price=dear,
    )


def _at_largest(pairs: Pairs) -> float | None:
    """Return the mean difference in loss (B minus A) with failures at the largest loss.

    None if failures cost that much already, or if there is no pair.
    """
    more = pairs.price.largest - pairs.price.failure
    losses, _ = losses_of(pairs)
    if more <= 0 or not len(losses):
        return None
    rates = [(one.a.success or 0.0) - (one.b.success or 0.0) for one in pairs.scored]
    apart = [b - a for a, b in losses.tolist()]
    return float(sum(one + more * rate for one, rate in zip(apart, rates, strict=True)) / len(apart))


def _looked_at(key: Key, own: Looks, alpha: float) -> list[Test]:
    """Return a declared test as computed at each look that took place, in order; *alpha* is the level of the family."""
    found = [_test(key, pairs, declared=True, level=_held(own.level(alpha, at))) for at, pairs in enumerate(own.seen)]
    return [one.but(look=at, looks=len(own.fractions)) for at, one in enumerate(found, start=1)]


def _p(own: Looks, found: Sequence[Test]) -> float | None:
    """Return a declared test's p-value over all its looks; None if the latest look has none.

    *found* holds the test as computed at each look.
    """
    if found[-1].primary.p is None:
        return None
    return sequential_p([1.0 if one.primary.p is None else one.primary.p for one in found], own.fractions)


def _decided(found: Sequence[Test], own: Looks, what: Rejection, margin: float | None) -> Test:
    """Return a declared test at its latest look, with adjusted p-value, interval and verdict.

    *found* holds the test at each look, *own* its looks, and *what* the result of the graph.
    """
    test, pairs = found[-1], own.seen[-1]
    if what.adjusted is None:
        return test.but(local_level=what.level)
    nominal = own.level(what.level)
    local = primary(pairs, role="declared", level=_held(nominal)) if nominal > 0 else None
    over = [
        at for at, one in enumerate(found) if one.primary.p is not None and one.primary.p <= own.level(what.level, at)
    ]
    first = over[0] if what.rejected and over else None
    verdict = _verdict(test.primary, [(found[at].primary, own.level(what.level, at)) for at in over])
    if verdict == "no difference shown" and margin is not None and nominal > 0 and _equivalent(pairs, nominal, margin):
        verdict = "equivalent: apart by less than the margin"
    return test.but(
        adjusted_p=what.adjusted,
        local_level=what.level,
        local_interval=None if local is None else local.interval,
        decided_at=None if first is None else first + 1,
        tipping=None if first is None else _tipping(own.seen[first], own.level(what.level, first)),
        margin=margin,
        verdict=verdict,
    )


def _held(level: float) -> float:
    """Return the level of the interval for a test at *level*; it is below 1, because an interval at 1 is infinite."""
    return min(1 - level, math.nextafter(1, 0))


def _equivalent(pairs: Pairs, level: float, margin: float) -> bool:
    losses, subjects = losses_of(pairs)
    data = clustered(subjects, losses[:, 1] - losses[:, 0])
    mean_a, mean_b = np.mean(losses, axis=0)
    largest = pairs.price.largest
    return bool(equivalent(data, mean_a, mean_b, level=level, margin=margin, largest=largest))


def _tipping(pairs: Pairs, level: float) -> Tipping:
    losses, subjects = losses_of(pairs)
    data = clustered(subjects, losses[:, 1] - losses[:, 0])
    return tipping(data, against_winner(losses, pairs.price.largest), level)


def _verdict(latest: Estimate, over: Sequence[tuple[Estimate, float]]) -> Verdict | None:
    """Return the verdict of a test that has a p-value; None if it has no difference.

    *latest* is the estimate at the latest look. *over* holds the estimates at the looks that rejected the test, each
    with the level of its look.
    """
    if latest.difference is None:
        return None
    lower = latest.difference < 0
    if not over or any(one.difference is None or (one.difference < 0) != lower for one, _ in over):
        return "no difference shown"
    if not any(one.guarded_p is not None and one.guarded_p <= level for one, level in over):
        if lower:
            return "second arm is lower in what was seen; rare failures are not excluded"
        return "second arm is higher in what was seen; rare failures are not excluded"
    return "second arm has the lower loss" if lower else "second arm has the higher loss"
