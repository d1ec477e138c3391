"""What a comparison or a study found, as data: the answer in words, one table, and what endangers the answer.

Contract: the report, the terminal, JSON and the viewer show this and compute nothing of it again. Differences are the
second arm minus the first: below 0, the second arm is better. Arms are called by their names.
"""

from typing import Literal

from medvision_agent.eval.compare.statistics.pairs import Evidence
from medvision_agent.eval.findings.inputs import Asks
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ArmRow", "Caveat", "Findings", "Outcome", "Row", "WrongPlace"]

Outcome = Literal[
    "lower", "higher", "lower, not guarded", "higher, not guarded", "equivalent", "no difference shown", "no claim"
]
"""What is claimed of the second arm's loss. Not guarded: a difference in what was seen, but one more subject in whom
the better arm fails could undo it."""


class WrongPlace(Frozen):
    """Answers measured elsewhere than in the right place."""

    elsewhere: int
    located: int
    """Answers of which it is known where they were measured."""


class Row(Frozen):
    """Two arms on one task."""

    task: TaskName
    contrast: str
    """With the model and the source, where there are several."""
    of: str
    """The contrast alone."""
    arm: str
    against: str
    """The arm that it is compared with."""
    model: str
    asks: Asks
    control: str = ""
    """What ``against``, a control, takes from the tools of ``arm``, in words; empty where it is none."""
    main: bool
    """Whether the headline is of it: the primary contrast of a study, else the first one that asks about tools."""
    loss: float | None
    loss_against: float | None
    """Mean losses over the pairs scored in both arms."""
    difference: float | None
    """Of the mean losses, ``arm`` minus ``against``; None without a pair."""
    interval: tuple[float, float] | None
    level: float
    p: float | None
    """Adjusted over the family of declared tests; None where it is no test."""
    margin: float | None
    """Differences below it, either way, are declared not to matter."""
    n: int
    """Pairs: samples scored in both arms."""
    subjects: int
    wins: int
    """Samples in which ``arm`` has the lower loss."""
    ties: int
    losses: int
    success: float | None
    """The difference of the success rates, from -1 to 1."""
    wrong_place: WrongPlace | None
    wrong_place_against: WrongPlace | None
    """None where the ground truth has no place, or no answer is located."""
    cost_ratio: float | None
    """How many times as much a sample took in ``arm``; None where nobody knows."""
    cost_unit: Literal["US dollars", "tokens"]
    outcome: Outcome
    reason: str
    """In a word or two, why there is no claim; empty where there is one."""
    withheld: str
    """The same in full."""

    @property
    def claim(self) -> bool:
        """Whether a difference, or that there is none that matters, may be claimed."""
        return self.outcome in {"lower", "higher", "equivalent"}

    @property
    def about(self) -> str:
        """What the row is of."""
        return f"{self.contrast}, {self.task}"


class ArmRow(Frozen):
    """One arm on one task; what there is to see where nothing is compared."""

    task: TaskName
    arm: str
    n: int
    subjects: int
    loss: float | None
    success_rate: float | None
    wrong_place: WrongPlace | None


class Caveat(Frozen):
    """Something that endangers what is claimed, or that must be known to read it."""

    kind: str
    text: str
    details: tuple[str, ...] = ()
    """The same row by row, where it concerns several."""


class Findings(Frozen):
    """What one set of samples shows."""

    name: str
    kind: Literal["runs", "study"]
    source: str = ""
    """Source of the samples, where a study has several."""
    evidence: Evidence
    banner: str
    """What the data can be no evidence of; empty for real data."""
    protocol: str
    asked: str
    """Who was asked what, in a sentence."""
    headline: tuple[str, ...]
    """Three sentences at most."""
    rows: tuple[Row, ...]
    """Task by task, in the order of the study."""
    arms: tuple[ArmRow, ...]
    caveats: tuple[Caveat, ...]
    """The most dangerous first."""
