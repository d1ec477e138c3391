"""What a check found: one thing that was tried, and whether it held."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Verdict"]

Verdict = Literal["yes", "no", "unknown"]
"""What could not be observed is neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str
    verdict: Verdict
    words: str
