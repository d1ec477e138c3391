"""The family of declared tests: contrasts x tasks x models x sources, corrected by Holm's method.

Contract: only what was declared has a p-value, and only the adjusted one gives a verdict. The family's size is the
number of declared tests, whether or not their data bear a p-value: a test that came to nothing makes the others no
easier. Everything else is exploratory: figures and intervals.

Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from medvision_agent.eval.compare.statistics.estimate import Estimate, primary
from medvision_agent.eval.compare.statistics.missing import MissingData, missing
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.frozen import Frozen

__all__ = ["FamilyOfTests", "Key", "Test", "Verdict", "family", "holm"]

Verdict = Literal["B has the lower loss", "B has the higher loss", "no difference shown"]


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
    """Holm's, over the whole family."""
    verdict: Verdict | None = None
    """At the family's alpha; None where there is no p-value (``primary.withheld`` says why)."""


class FamilyOfTests(Frozen):
    """All comparisons: the declared ones in the order of their declaration, then the exploratory ones."""

    size: int
    """How many tests were declared, those without a p-value included."""
    alpha: float
    declared: tuple[Test, ...]
    exploratory: tuple[Test, ...]


def family(declared: Sequence[Key], data: Mapping[Key, Pairs], *, alpha: float = 0.05, seed: int = 0) -> FamilyOfTests:
    """Return the family of declared tests with everything else beside it.

    A declared test without data is kept: it has no pairs, says so, and counts.

    Raises:
        ValueError: a test is declared twice.
    """
    if len(set(declared)) < len(declared):
        raise ValueError("a test is declared twice")
    bare = [_test(key, data.get(key, Pairs((), "real")), declared=True, level=1 - alpha, seed=seed) for key in declared]
    adjusted = holm([test.primary.p for test in bare])
    others = [key for key in data if key not in set(declared)]
    return FamilyOfTests(
        size=len(declared),
        alpha=alpha,
        declared=tuple(
            test.but(adjusted_p=p, verdict=_verdict(test.primary, p, alpha))
            for test, p in zip(bare, adjusted, strict=True)
        ),
        exploratory=tuple(_test(key, data[key], declared=False, level=1 - alpha, seed=seed) for key in others),
    )


def holm(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return Holm's adjusted p-values in the order given; a None counts as a test and stays None.

    The k-th smallest of m (from 0) becomes ``min(1, (m - k) p)``, and at least what the one before it became.
    """
    order = sorted((value, index) for index, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * value))
        adjusted[index] = largest
    return tuple(adjusted)


def _test(key: Key, pairs: Pairs, *, declared: bool, level: float, seed: int) -> Test:
    role: Literal["declared", "exploratory"] = "declared" if declared else "exploratory"
    return Test(
        contrast=key.contrast,
        task=key.task,
        model=key.model,
        source=key.source,
        declared=declared,
        primary=primary(pairs, role=role, level=level, seed=seed),
        missing=missing(pairs),
    )


def _verdict(found: Estimate, adjusted: float | None, alpha: float) -> Verdict | None:
    if adjusted is None or found.difference is None:
        return None
    if adjusted > alpha:
        return "no difference shown"
    return "B has the lower loss" if found.difference < 0 else "B has the higher loss"
