"""One row of a listing: a stored run, or a study with the runs of its cells."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ArmFigures", "Figures", "Kind", "Listed", "State"]

Kind = Literal["run", "study"]
State = Literal["running", "unfinished", "finished", "damaged", "unreadable"]
"""``running``: a process is writing it at this moment. ``unfinished``: a resume would ask more samples. ``unreadable``:
written by a version that this one does not read, or cannot be opened now."""


class Figures(Frozen):
    """Loss of scored samples (0 to 1; a failed answer costs 1), and the share of answers that could be read."""

    scored: int
    """Number of samples with a result; infrastructure failures do not count."""
    subjects: int
    success_rate: float
    loss: float


class ArmFigures(Frozen):
    """Loss and success rate of one arm of a study for one model, over all samples of one source, of any task."""

    model: str
    arm: str
    source: str
    runs: int
    """Number of its epochs and wordings that have begun; the figures include all their results."""
    figures: Figures | None
    """None if nothing was scored."""


class Listed(Frozen):
    """One row of a listing: a run or a study as it is stored now."""

    folder: Path
    name: str
    """Its folder, relative to the listed folder."""
    kind: Kind
    state: State
    problem: str = ""
    """What is wrong with it, or why its loss is missing; empty if nothing is."""
    models: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    """The tool condition of a run; the arms of a study."""
    data: tuple[str, ...] = ()
    done: int = 0
    """Number of settled samples, which a resume would not ask again."""
    planned: int = 0
    cost_usd: float | None = None
    """Cost of all attempts in US dollars; None if no price is known."""
    last_asked_at: str = ""
    """Time of the last request in UTC, ISO 8601; empty if unknown."""
    tasks: dict[TaskName, Figures] = Field(default={})
    """The figures of each task; empty for a study, whose arms must not be pooled, and if figures were not requested."""
    overall: Figures | None = None
    """The figures over all samples of all tasks."""
    arms: tuple[ArmFigures, ...] = ()
    """For a study: the two arms of its primary contrast, for each model and source (``Plan.first_arms``)."""
    cells: tuple["Listed", ...] = ()
    """The study's runs that have begun."""

    @property
    def whole(self) -> bool:
        """Whether the run or study is finished: no sample is left to be asked, and no process is writing."""
        return self.state == "finished"
