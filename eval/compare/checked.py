"""Two stored runs, checked pair by pair in one pass: their differences, and the counts of the parity card."""

from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from medvision_agent.eval.compare.differences import Differences
from medvision_agent.eval.compare.facts import PairFacts
from medvision_agent.eval.compare.sent import with_name_of
from medvision_agent.eval.store.run import Run

__all__ = ["Checked", "checked"]


@dataclass(frozen=True, eq=False)
class Checked:
    """The result of one pass over the answers of two runs: their differences, and the counts of the parity card."""

    differences: Differences
    facts: PairFacts


_DONE = WeakKeyDictionary[Run, WeakKeyDictionary[Run, Checked]]()


def checked(a: Run, b: Run) -> Checked:
    """Return the differences of two runs and the counts of their parity card, from one pass over both runs' answers.

    The result is kept as long as both objects exist, so that a second call with the same two runs reads nothing.
    """
    done = _DONE.setdefault(a, WeakKeyDictionary())
    if b not in done:
        found = Checked(Differences(), PairFacts(a, b))
        for pair in found.differences.read(a.each(), b.each(), partial(with_name_of, a, b)):
            found.facts.add(pair)
        found.facts.duplicates.close()
        done[b] = found
    return done[b]
