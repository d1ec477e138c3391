"""The family of declared tests: contrasts x tasks x models x sources, tested together along a graph.

Contract: only what was declared has a p-value, and only a test that is rejected over the whole family gives a verdict.
The family's size is the number of declared tests, whether or not their data bear a p-value: a test that came to nothing
makes the others no easier. Everything else is exploratory: figures and intervals.

A difference is a verdict only if it is *guarded* (``guard``): rejected at the same level, with the same sign, before
and after one subject is added in whom the better arm fails. One that is rejected and not guarded says so in words.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from medvision_agent.eval.compare.statistics.estimate import Estimate, against_winner, losses_of, primary
from medvision_agent.eval.compare.statistics.graph import Rejection, reject
from medvision_agent.eval.compare.statistics.guard import Tipping, tipping
from medvision_agent.eval.compare.statistics.jackknife import by_subject
from medvision_agent.eval.compare.statistics.missing import MissingData, missing
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.compare.statistics.weights import family_graph
from medvision_agent.frozen import Frozen

__all__ = ["FamilyOfTests", "Key", "Test", "Verdict", "family"]

Verdict = Literal[
    "B has the lower loss",
    "B has the higher loss",
    "B is lower in what was seen; rare failures are not excluded",
    "B is higher in what was seen; rare failures are not excluded",
    "no difference shown",
]


class Test(Frozen):
    """One comparison."""

    __test__ = False  # not a test class of pytest

    contrast: str
    task: str
    model: str
    source: str = ""
    declared: bool
    primary: Estimate
    missing: MissingData
    adjusted_p: float | None = None
    """The least alpha of the family at which it is rejected."""
    local_level: float | None = None
    """The share of alpha at which it was rejected, or that it had at the end; None where it is no declared test."""
    local_interval: tuple[float, float] | None = None
    """The interval at 1 - ``local_level``: it leaves 0 out exactly where the test is rejected."""
    tipping: Tipping | None = None
    """What it takes to undo the difference; given where it is rejected."""
    verdict: Verdict | None = None
    """At the family's alpha; None where there is no p-value (``primary.withheld`` says why)."""


class FamilyOfTests(Frozen):
    """All comparisons: the declared ones in the order of their declaration, then the exploratory ones."""

    size: int
    """How many tests were declared, those without a p-value included."""
    alpha: float
    declared: tuple[Test, ...]
    exploratory: tuple[Test, ...]


def family(
    declared: Sequence[Key], data: Mapping[Key, Pairs], *, alpha: float = 0.05, primaries: Sequence[str] = ()
) -> FamilyOfTests:
    """Return the family of declared tests with everything else beside it.

    A declared test without data is kept: it has no pairs, says so, and counts. *primaries* are the contrasts whose
    tests start with all of alpha; without any, every test starts with an equal share (Holm's method).

    Raises:
        ValueError: a test is declared twice.
    """
    if len(set(declared)) < len(declared):
        raise ValueError("a test is declared twice")
    pairs = [data.get(key, Pairs((), "real")) for key in declared]
    bare = [_test(key, own, declared=True, level=1 - alpha) for key, own in zip(declared, pairs, strict=True)]
    found = reject(family_graph(declared, primaries), [test.primary.p for test in bare], alpha)
    others = [key for key in data if key not in set(declared)]
    return FamilyOfTests(
        size=len(declared),
        alpha=alpha,
        declared=tuple(_decided(test, own, one) for test, own, one in zip(bare, pairs, found, strict=True)),
        exploratory=tuple(_test(key, data[key], declared=False, level=1 - alpha) for key in others),
    )


def _test(key: Key, pairs: Pairs, *, declared: bool, level: float) -> Test:
    role: Literal["declared", "exploratory"] = "declared" if declared else "exploratory"
    return Test(
        contrast=key.contrast,
        task=key.task,
        model=key.model,
        source=key.source,
        declared=declared,
        primary=primary(pairs, role=role, level=level),
        missing=missing(pairs),
    )


def _decided(test: Test, pairs: Pairs, found: Rejection) -> Test:
    """Return a declared test with what became of it in the family."""
    if found.adjusted is None:
        return test.but(local_level=found.level)
    local = primary(pairs, role="declared", level=1 - found.level) if found.level > 0 else None
    return test.but(
        adjusted_p=found.adjusted,
        local_level=found.level,
        local_interval=None if local is None else local.interval,
        tipping=_tipping(pairs, found.level) if found.rejected else None,
        verdict=_verdict(test.primary, found),
    )


def _tipping(pairs: Pairs, level: float) -> Tipping:
    losses, subjects = losses_of(pairs)
    sizes, sums = by_subject(subjects, [b - a for a, b in losses])
    return tipping(sums, sizes, against_winner(losses), level)


def _verdict(found: Estimate, tested: Rejection) -> Verdict | None:
    if found.difference is None:
        return None
    if not tested.rejected:
        return "no difference shown"
    if found.guarded_p is None or found.guarded_p > tested.level:
        if found.difference < 0:
            return "B is lower in what was seen; rare failures are not excluded"
        return "B is higher in what was seen; rare failures are not excluded"
    return "B has the lower loss" if found.difference < 0 else "B has the higher loss"
