"""The content of a report, as data: page, tables and sentences are made only from this.

Contract: numbers are computed once, when this is filled (``collect``). A chapter is one set of samples from one source;
nothing is averaged over two chapters, so that synthetic and real images never share a mean.
"""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import SkipValidation

from medvision_agent.eval.agreement.arm import Agreement
from medvision_agent.eval.agreement.coverage import Coverage
from medvision_agent.eval.compare.statistics.pairs import Evidence
from medvision_agent.eval.compare.statistics.random_effects import RandomEffects
from medvision_agent.eval.compare.statistics.variance import Components
from medvision_agent.eval.decisions.compare import Turned
from medvision_agent.eval.decisions.decide import Decisions
from medvision_agent.eval.findings.contrast import Contrast, GroundedContrast, PairMeans, PartedContrast
from medvision_agent.eval.findings.inputs import Refused
from medvision_agent.eval.findings.model import Findings
from medvision_agent.eval.findings.models import Joined
from medvision_agent.eval.headroom.summary import Headroom
from medvision_agent.eval.parts.summary import TaskParts
from medvision_agent.eval.place.summary import TaskPlace
from medvision_agent.eval.reading.both import ArmReading, PairReading
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.store.tool_path import ToolPath
from medvision_agent.eval.summary.summary import Effort, Mean
from medvision_agent.eval.tasks import TaskName
from medvision_agent.eval.why.summary import TaskWhy
from medvision_agent.frozen import Frozen

__all__ = [
    "ArmAgreement",
    "ArmTask",
    "Chapter",
    "Contrast",
    "Disagreement",
    "FirstPrompt",
    "GroundedContrast",
    "Mark",
    "PairMeans",
    "PairedReading",
    "Panel",
    "Picture",
]
__all__ += [
    "Joined",
    "OverDatasets",
    "PartedContrast",
    "Published",
    "ReadBy",
    "ReadCost",
    "Reference",
    "Refused",
    "Report",
    "RunFacts",
    "SamplePoint",
    "Spread",
    "TaskData",
    "TurnedContrast",
]


class Mark(Frozen):
    """A line, box or region on an image; coordinates from 0 to 1, x right, y down."""

    shape: Literal["line", "box", "view"]
    """``view``: a region that the model viewed with ``crop``."""
    points: tuple[tuple[float, float], ...]
    """Two ends, or two opposite corners."""
    words: str
    final: bool = True
    """Whether the answer was made from it; other measurements are drawn thinner."""


class Panel(Frozen):
    """The answer of one arm to one sample, with the marks that are drawn on the image."""

    arm: str
    answer: str
    """The numbers read from the response."""
    outcome: str
    loss: float | None
    marks: tuple[Mark, ...]
    note: str
    """Why nothing is drawn; otherwise empty."""
    response: str
    """The model's response, unchanged."""
    colour: str
    """The arm's colour, as CSS."""


class Picture(Frozen):
    """One sample with its image, its ground truth, and the answers of the arms."""

    sample: str
    task: TaskName
    subject: str
    asked: str
    target: str
    png: str
    """Base64; empty if the image is not stored."""
    aspect: float
    """Width divided by height, in mm."""
    truth: tuple[Mark, ...]
    panels: tuple[Panel, ...]
    licence: str
    contrast: str


class SamplePoint(NamedTuple):
    """The loss of one sample in one arm, with the size of its target."""

    id: str
    subject: str
    size: float
    """Size of its target, in the unit of ``TaskData.size_unit``."""
    loss: float
    asked: str
    """The label, or what else is asked for."""


class ArmTask(Frozen):
    """The figures of one arm on one task; repeats of a sample are averaged first."""

    arm: str
    model: str
    reference: str
    """What the arm is a reference for, such as ``tool ceiling``; empty for arms under study."""
    chosen: int
    n: int
    """Number of samples with a result."""
    subjects: int
    wordings: int
    """Number of wordings drawn for it; 1 if none was drawn."""
    epochs: int
    """Number of epochs for each wording."""
    infrastructure: int
    """Number of results lost to infrastructure, over all wordings and epochs."""
    means: dict[str, Mean]
    effort: Effort
    points: Annotated[tuple[SamplePoint, ...], SkipValidation]
    """One for each sample with a result; not copied, because there are many."""


class Reference(Frozen):
    """The mean scores of a reference that needs no run, such as random boxes, over the samples of a task."""

    name: str
    n: int
    subjects: int
    means: dict[str, Mean]


class TaskData(Frozen):
    """The figures of all arms and references on one task."""

    task: TaskName
    size_unit: str
    arms: tuple[ArmTask, ...]
    references: tuple[Reference, ...]
    not_there: tuple[str, ...]
    """References that are not shown, each with its reason."""


class Spread(Frozen):
    """The parts of the variance of one arm's loss, or of one contrast's difference, on one task."""

    what: str
    """An arm, or a contrast."""
    task: TaskName
    found: Components


class ArmAgreement(Frozen):
    """How well the numbers that one arm states agree with the ground truth, on one task."""

    contrast: str
    """Its samples are those answered in both arms; empty for a lone arm."""
    arm: str
    task: TaskName
    numbers: tuple[Agreement, ...]
    coverage: Coverage


class OverDatasets(Frozen):
    """The mean over datasets of one contrast's difference on one task, for datasets that represent similar ones."""

    contrast: str
    task: TaskName
    found: RandomEffects


class TurnedContrast(Frozen):
    """How many decisions by one rule differ between the arms *a* and *b* of a contrast, in their first epochs."""

    contrast: str
    a: str
    b: str
    found: Turned


class PairedReading(Frozen):
    """The difference of one contrast on one task, by the rule's reading and by the second reader's; first epochs."""

    contrast: str
    a: str
    b: str
    task: TaskName
    found: PairReading


class ReadCost(Frozen):
    """The cost of a second reader's readings of one arm: requests, tokens (``input``, ``output``) and US dollars."""

    read: int
    """Number of responses read; equal ones count once."""
    failed: int
    """Number of requests that got no reply."""
    calls: int
    input: int
    output: int
    unreported: int
    """Number of calls whose reply had no token counts."""
    usd: float | None


class Disagreement(Frozen):
    """A sample whose response the rule and the second reader read differently."""

    arm: str
    task: TaskName
    sample: str
    agreement: str
    rule: str
    """The numbers that the rule read."""
    reader: str
    """The numbers that the reader read, or why there are none."""
    losses: tuple[float, float]
    """By the rule, by the reader."""
    response: str
    """The end of the model's response."""


class ReadBy(Frozen):
    """The readings of one second reader (a language model), compared with the rule's; first epochs of a chapter."""

    reader: str
    versions: tuple[str, ...]
    """The model versions that were served."""
    prompt_sha256: str
    planned: bool
    """Whether the plan named it before the first call."""
    primary: bool
    """Whether all other figures of the chapter use its readings."""
    arms: dict[str, dict[TaskName, ArmReading]]
    pairs: tuple[PairedReading, ...]
    costs: dict[str, ReadCost]
    disagreements: tuple[Disagreement, ...]
    """Examples of disagreements."""


class FirstPrompt(Frozen):
    """The system message and the question of the first sample of a task, as text."""

    task: TaskName
    sample: str
    system: str
    question: str


class RunFacts(Frozen):
    """How one run was made and how it ended."""

    arm: str
    """Includes the wording and the epoch, if there are several."""
    of: str
    """The name of the arm alone."""
    folder: str
    facts: tuple[str, ...]
    identity: Identity
    config: dict[str, Any]
    tool_path: ToolPath | None
    """How far tools were used; None without tools."""
    endings: dict[str, int]
    """Number of samples by how they ended, over all samples of the run."""
    infrastructure: dict[str, int]
    details: tuple[tuple[str, str, str], ...]
    """For each failure: sample, ending, what happened."""
    more_details: int
    """Number of failures that are not listed."""
    failed_tries: int
    superseded: int
    spent_usd: float | None
    asked: tuple[FirstPrompt, ...]


class Published(Frozen):
    """One part of a published table, with the figures of the arms compared with it."""

    title: str
    version: str
    samples: str
    """Number of samples behind the published figures, as stated there."""
    note: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """The published texts, by model."""
    own: tuple[tuple[str, tuple[float | None, ...], int], ...]
    """Arm, figures, n."""
    not_the_same: tuple[str, ...]


class Chapter(Frozen):
    """The results of all arms over one set of samples from one source."""

    name: str
    kind: Literal["runs", "study"]
    source: str
    """Where the samples come from."""
    label: str = ""
    """The name of the source, in a study with several."""
    evidence: Evidence
    note: str
    """The source's own description."""
    samples: int
    subjects: int
    conventions: dict[str, int]
    marks: dict[str, int]
    data_versions: tuple[str, ...]
    arms: tuple[str, ...]
    offline: tuple[str, ...]
    """Arms without a model: scripted policies."""
    findings: Findings
    tasks: tuple[TaskData, ...]
    alpha: float
    family_size: int
    contrasts: tuple[Contrast, ...]
    refused: tuple[Refused, ...]
    published: tuple[Published, ...]
    published_missing: str
    """Why there is no published row; otherwise empty."""
    why: dict[str, dict[TaskName, TaskWhy]]
    """By arm, for its first epoch."""
    places: dict[str, dict[TaskName, TaskPlace]]
    """Where each arm measured in its first epoch."""
    grounded: tuple[GroundedContrast, ...]
    """The contrasts by place, first epochs."""
    parts: dict[str, dict[TaskName, TaskParts]]
    """The loss of each arm's first epoch in parts."""
    parted: tuple[PartedContrast, ...]
    """The differences in loss in parts, first epochs."""
    headroom: dict[str, dict[TaskName, Headroom]]
    """The loss of each arm's first epoch with exact arithmetic and with the true points."""
    decided: dict[str, tuple[Decisions, ...]]
    """The decisions of each arm's first epoch; only arms with samples to which a rule applies."""
    turned: tuple[TurnedContrast, ...]
    readings: tuple[ReadBy, ...]
    """For each second reader with readings stored beside the runs."""
    agreement: tuple[ArmAgreement, ...]
    spread: tuple[Spread, ...]
    """For arms asked in several wordings or epochs, and for their contrasts."""
    models: tuple[Joined, ...]
    datasets: tuple[OverDatasets, ...]
    pictures: tuple[Picture, ...]
    runs: tuple[RunFacts, ...]
    protocol: str
    plan: dict[str, Any]
    """For a study: what was fixed before its first call."""
    plan_sha256: str

    @property
    def coloured(self) -> tuple[str, ...]:
        """The arms in the order that determines their colours (``eval/figures/arms.py``)."""
        return self.arms if self.kind == "study" else tuple(sorted(self.arms))


class Report(Frozen):
    """A report: its chapters, and the version of the program that made it."""

    version: str
    chapters: tuple[Chapter, ...]
