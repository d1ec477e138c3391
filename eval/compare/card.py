"""The parity card: counts of answer pairs whose equality is proven, assumed or unknowable, for two comparable arms.

Contract: a card is made only for runs that ``parity`` accepts. Every pair of scored answers is checked. A pair counts
as *proven* if both answers hold the compared value and the values are equal. It counts as *assumed* if the values
differ but the comparison is still allowed, or if a value that should have been stored is missing. It counts as
*unknowable* if nobody stated the value. So "proven" is never said of something that was not compared. ``points``
computes the card; ``card_words`` holds its texts.
"""

from pydantic import Field

from medvision_agent.eval.compare.drift import Drift
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["COLUMNS", "Card", "Point"]

COLUMNS = ("proven", "assumed", "unknowable")
"""The three states of a pair at each point."""


class Point(Frozen):
    """One thing that should be the same in both answers of a pair, with the number of pairs in each state."""

    name: str
    """A key of ``card_words.WORDS``."""
    of: int
    """Number of all pairs, or of the fields, versions or samples that this point counts instead (``Words.counted``)."""
    proven: int = 0
    assumed: int = 0
    unknowable: int = 0
    """Like ``proven`` and ``assumed``: the number of pairs in this state, which the module's description defines."""
    found: str = ""
    """What was found in the assumed pairs, or if there are none, in the unknowable ones."""

    @property
    def holds(self) -> bool:
        """Whether the point is *proven* for everything that it counts."""
        return self.proven == self.of


class Card(Frozen):
    """The parity card of two arms: for each thing that should be the same in both, how many pairs prove it."""

    pairs: int = 0
    """Number of answer pairs scored in both arms; each epoch has its own pairs."""
    varied: tuple[str, ...] = ()
    """The fields that the arms may differ in and do differ in."""
    points: tuple[Point, ...] = ()
    limited: dict[TaskName, tuple[int, int]] = Field(default={})
    """By task: the number of answers in A and in B whose conversation a limit ended (of the sample, or of a reply)."""
    drift: tuple[Drift, ...] = ()
    """Results of the study's canaries; empty without canaries."""
