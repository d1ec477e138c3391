"""Points of the parity card about what surrounds the answers of two arms: libraries and prices."""

from collections import Counter
from collections.abc import Iterable, Sequence

from medvision_agent.agent.endings.usage import Prices
from medvision_agent.eval.compare.card import COLUMNS, Point
from medvision_agent.eval.compare.parity import scored_pairs
from medvision_agent.eval.store.provenance import LIBRARIES
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run

__all__ = ["Runs", "libraries_point", "listed", "one_name", "prices_point"]

Runs = Sequence[tuple[Run, Run]]
"""The epochs of two arms."""
_SHOWN = 3
"""Number of values that are listed at most."""


def one_name(a: Sequence[str], b: Sequence[str]) -> bool:
    """Return whether both sides state exactly one value and it is the same."""
    return len(a) == 1 and a == b


def listed(values: Sequence[str], between: str = ", ") -> str:
    """Return the first values as text, and how many more there are."""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return (between.join(values[:_SHOWN]) or "none") + more


def libraries_point(runs: Runs, names: tuple[str, str]) -> Point:
    """Return the point on library versions, compared over all sessions of both arms."""
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
    """Return, for each library, all versions with which sessions of an arm started."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for session in run.libraries:
            for name, version in session.items():
                found.setdefault(name, [])
                found[name] += [version] if version not in found[name] else []
    return found


def prices_point(runs: Runs, names: tuple[str, str]) -> Point:
    """Return the point on prices: whether both arms' costs were computed from the same prices."""
    counts, found = Counter[str](), dict[str, None]()
    for run_a, run_b in runs:
        a, b = _stored_prices(run_a), _stored_prices(run_b)
        for one, two in scored_pairs(run_a.records, run_b.records):
            if a is None or b is None:
                counts["unknowable"] += 1
            elif a == b and _priced(one, a) and _priced(two, b):
                counts["proven"] += 1
            else:
                counts["assumed"] += 1
                found[f"{_dollars(a)} in {names[0]}, {_dollars(b)} in {names[1]}"] = None
    return Point(name="prices", of=counts.total(), **counts, found=listed(list(found), "; ") if found else "")


def _stored_prices(run: Run) -> Prices | None:
    """Return the prices in the model's row that a run stored; None where the row has none."""
    stored = run.config.get("model", {}).get("prices")
    return None if stored is None else Prices.model_validate(stored)


def _priced(record: Record, prices: Prices) -> bool:
    due = record.usage.cost_usd(prices)
    return record.cost_usd is not None and due is not None and abs(record.cost_usd - due) <= 1e-9 * (1 + due)


def _dollars(prices: Prices) -> str:
    cached = "" if prices.cached is None else f", {prices.cached:g} cached"
    return f"{prices.input:g} in and {prices.output:g} out{cached}"
