"""The findings of a comparison or a study, as data: the answer in words, one table, and the caveats.

Contract: the report, the terminal, JSON and the viewer show these values and do not recompute them. Differences are the
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
"""What is claimed about the second arm's loss. Not guarded: the data show a difference, but one additional subject in
whom the better arm fails could undo it."""


class WrongPlace(Frozen):
    """How many answers were measured in the wrong place, and how many have a known place."""

    elsewhere: int
    located: int
    """Number of answers whose place of measurement is known."""


class Row(Frozen):
    """The comparison of two arms on one task, as one row of the table of findings."""

    task: TaskName
    contrast: str
    """Name with the model and the source, if there are several."""
    of: str
    """Name of the contrast alone."""
    arm: str
    against: str
    """The arm that ``arm`` is compared with."""
    model: str
    asks: Asks
    control: str = ""
    """Which aspect of the tools of ``arm`` the control ``against`` removes, in words; empty if it is no control."""
    main: bool
    """Whether the headline is about this row: a study's primary contrast, or else the first that asks about tools."""
    loss: float | None
    loss_against: float | None
    """Mean losses over the pairs scored in both arms."""
    difference: float | None
    """Mean loss of ``arm`` minus that of ``against``; None without a pair."""
    interval: tuple[float, float] | None
    level: float
    p: float | None
    """p-value adjusted over the family of declared tests; None if the row is not a test."""
    margin: float | None
    """Differences smaller than this, in either direction, are declared negligible."""
    n: int
    """Number of pairs: samples scored in both arms."""
    subjects: int
    wins: int
    """Number of samples in which ``arm`` has the lower loss."""
    ties: int
    losses: int
    success: float | None
    """The difference of the success rates, from -1 to 1."""
    wrong_place: WrongPlace | None
    wrong_place_against: WrongPlace | None
    """None if the ground truth has no place, or if no answer is located."""
    cost_ratio: float | None
    """Cost of a sample in ``arm`` divided by that in ``against``; None if unknown."""
    cost_unit: Literal["US dollars", "tokens"]
    outcome: Outcome
    reason: str
    """Why there is no claim, in one or two words; empty if there is one."""
    withheld: str
    """The same reason in full."""

    @property
    def claim(self) -> bool:
        """Whether it may be claimed that there is a difference, or that any difference is negligible."""
        return self.outcome in {"lower", "higher", "equivalent"}

    @property
    def about(self) -> str:
        """The contrast and the task of the row, as text."""
        return f"{self.contrast}, {self.task}"


class ArmRow(Frozen):
    """The figures of one arm on one task, shown if nothing is compared."""

    task: TaskName
    arm: str
    n: int
    subjects: int
    loss: float | None
    success_rate: float | None
    wrong_place: WrongPlace | None


class Caveat(Frozen):
    """Something that weakens a claim, or that a reader must know to interpret it."""

    kind: str
    text: str
    details: tuple[str, ...] = ()
    """The same for each row, if it concerns several."""


class Findings(Frozen):
    """The findings over one set of samples: the answer in words, a table, and the caveats."""

    name: str
    kind: Literal["runs", "study"]
    source: str = ""
    """Source of the samples, if the study has several."""
    evidence: Evidence
    banner: str
    """What the data cannot be evidence of; empty for real data."""
    protocol: str
    asked: str
    """Which models were asked what, in one sentence."""
    headline: tuple[str, ...]
    """At most three sentences."""
    rows: tuple[Row, ...]
    """Task by task, in the order of the study."""
    arms: tuple[ArmRow, ...]
    caveats: tuple[Caveat, ...]
    """The caveats, the most serious first."""
