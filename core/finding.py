"""One finding of a check: what was tested, and the result."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Verdict"]

Verdict = Literal["yes", "no", "unknown"]
"""Whether a test passed; ``unknown`` if the result could not be observed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one test in a check."""

    what: str
    """What was tested."""
    verdict: Verdict
    words: str
    """The result in words, for people."""
