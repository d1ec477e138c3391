"""One line of the table: what was tried, how often, and what went wrong."""

import random
from dataclasses import dataclass, field

FAULTS = ("lost", "again", "changed", "mistyped", "over")


def seeded(*seed: object) -> random.Random:
    """Return a generator that draws the same for the same seed."""
    return random.Random(" ".join(map(str, seed)))  # noqa: S311 - no secret


@dataclass
class Row:
    """What was tried in one matrix; a fault is counted together with a line that says which."""

    matrix: str
    what: str
    unit: str = "kills"
    tried: int = 0
    lost: int = 0
    """Finished samples that were not in the store afterwards."""
    again: int = 0
    """Finished samples that were asked once more."""
    changed: int = 0
    """Finished samples whose record, trace or pictures differ from what was stored, or from an undisturbed run."""
    mistyped: int = 0
    """Ends that were not of the class they should be of: exit code, outcome, message."""
    over: int = 0
    """Ends that took longer than their bound."""
    skipped: str = ""
    """Why nothing was tried."""
    problems: list[str] = field(default_factory=list)

    def fault(self, kind: str, line: str, count: int = 1) -> None:
        """Count *count* faults of a kind, with what was seen."""
        assert kind in FAULTS
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            self.problems.append(f"{kind}: {line}")

    def add(self, other: "Row") -> None:
        """Add the counts of another row of the same kind."""
        for name in ("tried", *FAULTS):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    @property
    def faults(self) -> int:
        """All faults together."""
        return sum(getattr(self, kind) for kind in FAULTS)
