"""Two arms beside each other, as data: their tests, and where they measured."""

from pydantic import Field

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
    """Means over the pairs scored in both arms; None without any."""

    loss_a: float | None
    loss_b: float | None
    success_a: float | None
    success_b: float | None
    subjects: int
    """Of all samples that were to be asked, scored or not."""


class Contrast(Frozen):
    """Two arms, paired sample by sample: the second one's figures minus the first one's."""

    name: str
    """With the model and the source, where there are several."""
    of: str = ""
    """The contrast alone, as a study names it."""
    a: str
    b: str
    model: str
    asks: Asks = "arms"
    control: str = ""
    """What the first arm takes from the tools of the second, in words; empty where it is no control of them."""
    main: bool = False
    """Whether it is the primary contrast of its study."""
    declared: bool
    by_construction: str
    """Why a difference says nothing of a model's skill; empty where it may."""
    no_claim: tuple[str, ...]
    """Why a difference says nothing of tools; empty where it may."""
    early: str = ""
    """Why it is too early for a verdict; empty where it is not."""
    tests: dict[TaskName, Test]
    means: dict[TaskName, PairMeans]
    strata: dict[TaskName, tuple[Stratum, ...]]
    interactions: dict[TaskName, tuple[Interaction, ...]]
    losses: dict[TaskName, tuple[tuple[float, float], ...]]
    """Of the pairs scored: the first arm's, the second arm's."""
    samples: dict[TaskName, tuple[str, ...]]
    """The ids of these samples."""
    metrics: dict[TaskName, str] = Field(default={})
    """The declared metric of each task, in words; our loss where there is none."""
    card: Card
    """What is proven, assumed and unknowable of their parity."""
    identical: bool
    """Whether the arms are two identical runs: a repeat."""
    noise: dict[TaskName, Noise] = Field(default={})
    """The difference beside that of two identical runs, where there are any."""
    compute: PairCompute | None = None
    """By how much the compute of the arms differs; None where they have the same tools."""
    same_answers: tuple[int, int] | None = None
    """Where own results are handed back: samples with the same answer in both arms, and those scored in both."""


class GroundedContrast(Frozen):
    """Two arms on one task by place."""

    contrast: str
    a: str
    b: str
    task: TaskName
    found: PlaceComparison
    grounded: Estimate | None
    """Of the grounded losses, exploratory; None where under 80 % of the answers of an arm are located."""


class PartedContrast(Frozen):
    """The difference in loss of two arms on one task, in parts."""

    contrast: str
    a: str
    b: str
    task: TaskName
    found: PartsComparison
