"""What the server says of itself in two runs: warnings beside a comparison, which they do not refuse.

Contract: another served model version is a difference that refuses a comparison (``parity.py``). Another fingerprint or
another day is none: hosted services change both without a word, within one run too. But what changed on a server is
not told apart from what tools do, so it is said.
"""

from collections.abc import Iterator

from medvision_agent.eval.store.run import Run

__all__ = ["run_warnings"]

_SHOWN = 3
_IN_PROCESS = frozenset({"offline", "transformers"})
"""Providers without a server: they are what the identity says, on any day."""


def run_warnings(a: Run, b: Run) -> list[str]:
    """Return a sentence for each way in which the server may not have been the same; empty where nothing says so."""
    local = any(run.identity.model.get("provider") in _IN_PROCESS for run in (a, b))
    return [] if local else list(_warnings(a, b))


def _warnings(a: Run, b: Run) -> Iterator[str]:
    marks_a, marks_b = _marks(a), _marks(b)
    if marks_a != marks_b:
        yield (
            f"WARNING: the server sent other fingerprints of itself in each run: {_listed(marks_a)} in A, "
            f"{_listed(marks_b)} in B."
        )
    days_a, days_b = _days(a), _days(b)
    if days_a and days_b and days_a != days_b:
        yield f"WARNING: the runs were asked on different days (UTC): {_span(days_a)} in A, {_span(days_b)} in B."


def _marks(run: Run) -> list[str]:
    return sorted({mark for record in run.records for mark in record.fingerprints})


def _days(run: Run) -> list[str]:
    return sorted({at[:10] for record in run.records for at in (record.asked_at, record.last_asked_at) if at})


def _listed(marks: list[str]) -> str:
    more = f" and {len(marks) - _SHOWN} more" if len(marks) > _SHOWN else ""
    return (", ".join(marks[:_SHOWN]) or "none") + more


def _span(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
