"""Two compared arms, as data: their tests, and where they measured."""

from typing import Annotated, Any

from pydantic import Field, SkipValidation

from medvision_agent.eval.compare.card import Card
from medvision_agent.eval.compare.statistics.estimate import Estimate
from medvision_agent.eval.compare.statistics.family import Test
from medvision_agent.eval.compare.statistics.interaction import Interaction
from medvision_agent.eval.compare.statistics.noise import Noise
from medvision_agent.eval.compare.statistics.strata import Stratum
from medvision_agent.eval.findings.inputs import Asks
from medvision_agent.eval.parts.compare import PartsComparison
from medvision_agent.eval.place.compare import PlaceComparison
from medvision_agent.eval.summary.compute import PairCompute
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["Contrast", "GroundedContrast", "PairMeans", "PartedContrast"]


class PairMeans(Frozen):
    """Mean losses and success rates (0 to 1) of two arms over the pairs scored in both; None without such pairs."""

    loss_a: float | None
    loss_b: float | None
    success_a: float | None
    success_b: float | None
    subjects: int
    """Subjects of all samples that should be asked, scored or not."""


class Contrast(Frozen):
    """Two arms compared sample by sample, with their tests by task; differences are the second arm minus the first."""

    name: str
    """Name with the model and the source, if there are several."""
    of: str = ""
    """Name of the contrast alone, as the study gives it."""
    a: str
    b: str
    model: str
    asks: Asks = "arms"
    control: str = ""
    """Which aspect of the second arm's tools the first arm, a control, removes, in words; empty if it is no control."""
    main: bool = False
    """Whether it is the primary contrast of its study."""
    declared: bool
    by_construction: str
    """Why a difference says nothing about a model's skill; empty if it may."""
    no_claim: tuple[str, ...]
    """Why a difference says nothing about tools; empty if it may."""
    early: str = ""
    """Why it is too early for a verdict; empty if it is not."""
    tests: dict[TaskName, Test]
    means: dict[TaskName, PairMeans]
    strata: dict[TaskName, tuple[Stratum, ...]]
    interactions: dict[TaskName, tuple[Interaction, ...]]
    losses: Annotated[dict[TaskName, Any], SkipValidation]
    """The losses of the first and the second arm in each scored pair, an array (pairs, 2)."""
    samples: Annotated[dict[TaskName, tuple[str, ...]], SkipValidation]
    """Ids of the scored samples."""
    metrics: dict[TaskName, str] = Field(default={})
    """The declared metric of each task, in words; tasks with the default loss are left out."""
    card: Card
    """What is proven, assumed and unknowable about the parity of the arms."""
    identical: bool
    """Whether the arms are two identical runs (a repeat)."""
    noise: dict[TaskName, Noise] = Field(default={})
    """The difference compared with that of two identical runs, if there are any."""
    compute: PairCompute | None = None
    """How much the compute of the arms differs; None if they have the same tools."""
    same_answers: tuple[int, int] | None = None
    """If an arm gets its own results back: samples with the same answer in both arms, and samples scored in both."""


class GroundedContrast(Frozen):
    """Two arms on one task, compared by where their answers were measured: in the right place or elsewhere."""

    contrast: str
    a: str
    b: str
    task: TaskName
    found: PlaceComparison
    grounded: Estimate | None
    """Difference of the grounded losses, exploratory; None if under 80% of the answers of an arm are located."""


class PartedContrast(Frozen):
    """The difference in loss of two arms on one task, split by cause: wrong object, seeing, arithmetic, unit."""

    contrast: str
    a: str
    b: str
    task: TaskName
    found: PartsComparison
