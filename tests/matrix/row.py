"""One line of the table: what was tried, how often, and what went wrong."""

import random
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FAULTS = ("lost", "again", "changed", "mistyped", "over", "broken")


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
    """Ends that took longer, or more memory, than their bound."""
    broken: int = 0
    """Trials that failed themselves: they say nothing of the program, and are no success."""
    may: int | None = None
    """How many samples may be asked twice because of one trial: those in flight. None: this is not counted."""
    twice: int = 0
    """Most samples that were asked twice because of one trial."""
    twice_in_all: int = 0
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

    @contextmanager
    def trial(self, what: str) -> Iterator[None]:
        """Count one trial; one that fails itself is a fault with a name, and the next goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the other trials are made
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.fault("broken", f"{what}: {type(error).__name__}: {error} ({where.name}, line {where.lineno})"[:500])
        self.tried += 1

    def done(self) -> "Row":
        """Print that this row is done and what was wrong, as progress, and return it."""
        what = f"skipped: {self.skipped}" if self.skipped else f"{self.tried} {self.unit}, {self.faults} faults"
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {self.matrix}: {self.what}: {what}\n")
        sys.stderr.writelines(f"    {problem}\n" for problem in self.problems)
        return self
