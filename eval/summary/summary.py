"""The summary of a run's records by task: how many were scored, how well, and at what cost.

Contract: every mean has its number of samples, and every task its success rate and number of subjects (the clusters of
all statistics). Infrastructure failures are counted but enter no metric; all other failures are in ``n`` and count as
failures. A summary is strict JSON: a missing value is null. Records are added one by one, and none is kept.
"""

from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np
from pydantic import Field

from medvision_agent.eval.data.sample import Marks, Sample
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.random_boxes import AT_ONCE, NAME, random_boxes
from medvision_agent.eval.scorer.score import Score, score_on_donor, scored_one_by_one
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.effort import Cost, CostSum, Effort, EffortSum, Mean, ToolCount
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ON_DONOR", "Cost", "Effort", "Mean", "Summary", "Summing", "TaskSummary", "ToolCount"]
__all__ += ["summarise"]


ON_DONOR = "by the ground truth of the image shown"
"""A reference for swapped images: a small loss means that the model read the image it was shown."""


class TaskSummary(Frozen):
    """The summary of all samples of one task: counts, means of the measures, effort and cost."""

    own_rule: str = Field(default="", exclude_if=lambda rule: not rule)
    """Name of our own rule that scores the answers, if the protocol has none; otherwise left out."""
    n: int
    """Number of scored samples: all but infrastructure failures."""
    subjects: int
    """Number of distinct subjects among the scored samples."""
    largest_subject: int
    """Number of scored samples of the subject with the most."""
    parsed: int
    """Number of parsed answers; ``success_rate`` is ``parsed / n``."""
    forced: int
    """Number of scored samples in which a limit was reached and one last turn was granted."""
    outcomes: dict[str, int]
    """Number of scored samples by how they ended."""
    infrastructure: dict[str, int]
    """Number of infrastructure failures by type."""
    metrics: dict[str, Mean]
    """Mean of each measure of the task (``MEASURES``), by its name."""
    references: dict[str, dict[str, Mean]]
    """Reference scores by name: random boxes, for boxes in images of known size; for swapped images, the same answers
    scored against the ground truth of the image shown."""
    effort: Effort
    cost: Cost


class Summary(Frozen):
    """The summary of a run: its counts, its cost, and a summary for each task."""

    protocol: str
    n: int
    """Number of scored samples: all but infrastructure failures."""
    infrastructure: int
    """Number of infrastructure failures."""
    subjects: int
    """Number of distinct subjects among the scored samples."""
    largest_subject: int
    """Number of scored samples of the subject with the most."""
    conventions: dict[str, int]
    """Number of samples by the convention of their targets."""
    marks: dict[str, int]
    """Number of samples by what a reader must know about them (``Marks``)."""
    tasks: dict[TaskName, TaskSummary]
    cost: Cost


def summarise(records: Iterable[Record], protocol: Protocol, scores: Iterable[Score | None] | None = None) -> Summary:
    """Return the summary of records, one per sample, scored by *protocol*.

    *scores* are the records' scores, if known. Means are over finite values: if a mean's ``n`` is below the task's, the
    other values were not finite (MAE and MRE of failures). ``success_rate`` is parsed answers / n, ``MRE<k`` and
    ``IoU>=0.5`` are fractions of n.
    """
    found = Summing(protocol)
    for record, score in scored_one_by_one(records, protocol) if scores is None else zip(records, scores, strict=True):
        found.add(record, score)
    return found.summary()


class Summing:
    """Makes the summary of a run from records that are added one by one."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._n = self._infrastructure = 0
        self._subjects, self._conventions, self._marks = Counter[str](), Counter[str](), Counter[str]()
        self._tasks = {task: _TaskSum(task, protocol) for task in TASKS}
        self._cost = CostSum()

    def add(self, record: Record, score: Score | None) -> None:
        """Add a record with its score, which is None for an infrastructure failure."""
        sample = record.sample
        if record.outcome.infrastructure:
            self._infrastructure += 1
        else:
            self._n += 1
            self._subjects[sample.subject] += 1
        self._conventions[sample.convention] += 1
        self._marks.update(mark for mark in Marks.model_fields if getattr(sample.marks, mark))
        self._tasks[sample.task].add(record, score)
        self._cost.add(record)

    def summary(self) -> Summary:
        """Return the summary of the records added so far."""
        return Summary(
            protocol=self._protocol.name,
            n=self._n,
            infrastructure=self._infrastructure,
            subjects=len(self._subjects),
            largest_subject=max(self._subjects.values(), default=0),
            conventions=dict(self._conventions.most_common()),
            marks=dict(self._marks.most_common()),
            tasks={task: own.summary() for task, own in self._tasks.items() if own.records},
            cost=self._cost.cost(),
        )


class _Metrics:
    """The values of a task's measures, collected sample by sample."""

    def __init__(self, task: TaskName) -> None:
        self._values = [(measure, array("d")) for measure in MEASURES[task]]
        self.n = 0

    def add(self, sample: Sample, score: Score) -> None:
        self.n += 1
        for measure, values in self._values:
            values.append(measure.of(sample, score))

    def means(self) -> dict[str, Mean]:
        return {measure.name: Mean.of(values) for measure, values in self._values}


class _TaskSum:
    """Makes the summary of one task from records that are added one by one."""

    def __init__(self, task: TaskName, protocol: Protocol) -> None:
        self._task, self._protocol = task, protocol
        self.records = self._parsed = self._forced = 0
        self._subjects, self._outcomes, self._infrastructure = Counter[str](), Counter[str](), Counter[str]()
        self._metrics, self._on_donor = _Metrics(task), _Metrics(task)
        self._boxes = _RandomBoxes(protocol)
        self._effort, self._cost = EffortSum(), CostSum()

    def add(self, record: Record, score: Score | None) -> None:
        self.records += 1
        self._cost.add(record)
        if record.outcome.infrastructure:
            self._infrastructure[record.outcome.value] += 1
        if score is None:
            return
        sample = record.sample
        self._subjects[sample.subject] += 1
        self._parsed += score.success
        self._forced += record.forced
        self._outcomes[record.outcome.value] += 1
        self._metrics.add(sample, score)
        self._effort.add(record)
        if (donor := score_on_donor(record, self._protocol)) is not None:
            self._on_donor.add(sample, donor)
        if TASKS[self._task].is_box:
            self._boxes.add(sample)

    def summary(self) -> TaskSummary:
        boxes = self._boxes.means()
        return TaskSummary(
            own_rule=TASKS[self._task].own_rule,
            n=self._metrics.n,
            subjects=len(self._subjects),
            largest_subject=max(self._subjects.values(), default=0),
            parsed=self._parsed,
            forced=self._forced,
            outcomes=dict(self._outcomes.most_common()),
            infrastructure=dict(self._infrastructure.most_common()),
            metrics=self._metrics.means(),
            references={
                **({NAME: boxes} if boxes else {}),
                **({ON_DONOR: self._on_donor.means()} if self._on_donor.n else {}),
            },
            effort=self._effort.effort(),
            cost=self._cost.cost(),
        )


class _RandomBoxes:
    """Collects the scores of random boxes on the same samples.

    Only samples of MedVision are used, because they alone state the size of their image.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._waiting = list[Sample]()
        self._figures: dict[str, array[float]] = {}

    def add(self, sample: Sample) -> None:
        if sample.medvision is not None:
            self._waiting.append(sample)
        if len(self._waiting) == AT_ONCE:
            self._draw()

    def _draw(self) -> None:
        ids, targets = [one.id for one in self._waiting], [one.target for one in self._waiting]
        sizes = [one.medvision.image_size_2d for one in self._waiting if one.medvision is not None]
        found = random_boxes(ids, np.array(targets, dtype=np.float64), sizes, self._protocol)
        for name, values in found.items():
            self._figures.setdefault(name, array("d")).extend(values.tolist())
        self._waiting.clear()

    def means(self) -> dict[str, Mean]:
        if self._waiting:
            self._draw()
        return {name: Mean.of(values) for name, values in self._figures.items()}
