"""One row of a listing: a stored run, or a study with the runs of its cells."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ArmFigures", "Figures", "Kind", "Listed", "State"]

Kind = Literal["run", "study"]
State = Literal["running", "unfinished", "finished", "damaged", "unreadable"]
"""``running``: a process writes it at this moment. ``unfinished``: samples are left that a resume would ask.
``unreadable``: written by a version that this one does not read, or not to be opened now."""


class Figures(Frozen):
    """The loss of scored samples (0 to 1; a failed answer costs 1), and the share whose answer could be read."""

    scored: int
    """Samples with a result; failures of the infrastructure are not among them."""
    subjects: int
    success_rate: float
    loss: float


class ArmFigures(Frozen):
    """What an arm of a study came to over all samples of one source, whatever their task."""

    model: str
    arm: str
    source: str
    runs: int
    """Its epochs and wordings that have begun; the figures are of all their results."""
    figures: Figures | None
    """None where nothing was scored."""


class Listed(Frozen):
    """A run or a study, as it is stored now."""

    folder: Path
    name: str
    """Its folder, relative to the folder that was listed."""
    kind: Kind
    state: State
    problem: str = ""
    """What is wrong with it, or why its loss cannot be given; empty where nothing is."""
    models: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    """The tool condition of a run; the arms of a study."""
    data: tuple[str, ...] = ()
    done: int = 0
    """Samples that are settled: a resume would not ask them again."""
    planned: int = 0
    cost_usd: float | None = None
    """What all attempts cost, in US dollars; None where no price is known."""
    last_asked_at: str = ""
    """When the last request was sent: UTC, ISO 8601; empty where it is not known."""
    tasks: dict[TaskName, Figures] = Field(default={})
    """The figures of each task; empty for a study, whose arms are not to be pooled, and where none were asked for."""
    overall: Figures | None = None
    """The figures over all samples, whatever their task."""
    arms: tuple[ArmFigures, ...] = ()
    """Of a study: the two arms of its primary contrast under each model and over each source (``Plan.first_arms``)."""
    cells: tuple["Listed", ...] = ()
    """The runs of a study that have begun."""

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be asked, and no process writes it."""
        return self.state == "finished"
