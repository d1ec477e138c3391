"""Points of the parity card about what surrounds the answers of two arms: libraries and prices."""

from collections import Counter
from collections.abc import Iterable, Sequence

from medvision_agent.agent.endings.usage import Prices
from medvision_agent.eval.compare.card import COLUMNS, Point
from medvision_agent.eval.compare.facts import PairFacts, one_name, stored_prices
from medvision_agent.eval.store.provenance import LIBRARIES
from medvision_agent.eval.store.run import Run

__all__ = ["Runs", "libraries_point", "listed", "prices_point"]

Runs = Sequence[tuple[Run, Run]]
"""The epochs of two arms."""
_SHOWN = 3
"""Number of values that are listed at most."""


def listed(values: Sequence[str], between: str = ", ") -> str:
    """Return at most three of *values*, joined by *between*, then "and N more" for the rest; "none" for no values."""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return (between.join(values[:_SHOWN]) or "none") + more


def libraries_point(runs: Runs, names: tuple[str, str]) -> Point:
    """Return the parity card's point on libraries: a library is *proven* if each arm used one and the same version.

    *runs* are the pairs of runs (A, B), one pair for each epoch, and *names* the names of the arms. A library without a
    stored version in an arm is *unknowable*.
    """
    versions_a, versions_b = (_versions(both[side] for both in runs) for side in (0, 1))
    libraries = sorted(versions_a.keys() | versions_b.keys()) or LIBRARIES
    found: dict[str, list[str]] = {column: [] for column in COLUMNS}
    for name in libraries:
        a, b = versions_a.get(name, []), versions_b.get(name, [])
        column = "unknowable" if not (a and b) else "proven" if one_name(a, b) else "assumed"
        found[column].append(f"{name} {listed(a)} in {names[0]}, {listed(b)} in {names[1]}")
    counts = {column: len(one) for column, one in found.items()}
    doubtful = found["assumed"] or found["unknowable"]
    return Point(name="libraries", of=len(libraries), **counts, found=listed(doubtful, "; ") if doubtful else "")


def _versions(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Return, for each library, the distinct versions that the sessions of an arm's *runs* stored, in that order."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for session in run.libraries:
            for name, version in session.items():
                found.setdefault(name, [])
                found[name] += [version] if version not in found[name] else []
    return found


def prices_point(runs: Runs, facts: Sequence[PairFacts], names: tuple[str, str]) -> Point:
    """Return the point of the parity card on prices: how many answer pairs have costs computed from the same prices.

    *runs* are the pairs of runs (A, B), one pair for each epoch; *facts* are the counts of each epoch, in the same
    order, and *names* the names of the arms. Pairs of an epoch in which either run stores no prices are *unknowable*.
    """
    counts, found = Counter[str](), dict[str, None]()
    for (run_a, run_b), own in zip(runs, facts, strict=True):
        a, b, pairs = stored_prices(run_a), stored_prices(run_b), own.counts["pairs"]
        if a is None or b is None:
            counts["unknowable"] += pairs
            continue
        counts["proven"] += own.counts["prices"]
        if other := own.counts["other prices"]:
            counts["assumed"] += other
            found[f"{_dollars(a)} in {names[0]}, {_dollars(b)} in {names[1]}"] = None
    return Point(name="prices", of=counts.total(), **counts, found=listed(list(found), "; ") if found else "")


def _dollars(prices: Prices) -> str:
    cached = "" if prices.cached is None else f", {prices.cached:g} cached"
    return f"{prices.input:g} in and {prices.output:g} out{cached}"
