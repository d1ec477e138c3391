"""The parity card: what is proven, assumed and unknowable of two arms that may be compared, pair by pair and counted.

Contract: a card is made of runs in which ``parity`` found nothing to refuse. Every pair of scored answers is looked at;
it counts as *proven* where both answers have what is compared and it is the same, as *assumed* where it is not the
same and refuses nothing (or was to be stored and is not), and as *unknowable* where nobody stated it. So "proven" is
never said of what was not compared. It is filled in ``points``; its words are in ``card_words``.
"""

from pydantic import Field

from medvision_agent.eval.compare.drift import Drift
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["COLUMNS", "Card", "Point"]

COLUMNS = ("proven", "assumed", "unknowable")
"""What a point can be, for each pair."""


class Point(Frozen):
    """One thing that should be the same in both answers of a pair, and in how many pairs it is."""

    name: str
    """A key of ``card_words.WORDS``."""
    of: int
    """How many there are: pairs, or what the words say is counted."""
    proven: int = 0
    assumed: int = 0
    unknowable: int = 0
    found: str = ""
    """What was found in what is assumed, or where nothing is, in what is unknowable."""

    @property
    def holds(self) -> bool:
        """Whether it is proven of all."""
        return self.proven == self.of


class Card(Frozen):
    """What is known of the parity of two arms."""

    pairs: int = 0
    """Pairs of answers that were scored in both arms; each epoch has its own."""
    varied: tuple[str, ...] = ()
    """The fields in which the arms may differ, and do."""
    points: tuple[Point, ...] = ()
    limited: dict[TaskName, tuple[int, int]] = Field(default={})
    """Answers that a limit ended, in A and in B, by task."""
    drift: tuple[Drift, ...] = ()
    """What the canaries of a study show, where it has any."""
