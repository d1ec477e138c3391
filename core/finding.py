"""One finding of a check: what was tested, and the result."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Verdict"]

Verdict = Literal["yes", "no", "unknown"]
"""``unknown`` if it could not be observed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One test of a check and its result."""

    what: str
    verdict: Verdict
    words: str
