"""The summary of a run's records by task: how many were scored, how well, and at what cost.

Contract: every mean has its number of samples, and every task its success rate and number of subjects (the clusters of
all statistics). Infrastructure failures are counted but enter no metric; all other failures are in ``n`` and count as
failures. A summary is strict JSON: a missing value is null.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from pydantic import Field

from medvision_agent.eval.data.sample import Marks
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.random_boxes import NAME, random_boxes
from medvision_agent.eval.scorer.score import Score, score_on_donor, score_records
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.measures import MEASURES, finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["ON_DONOR", "Cost", "Effort", "Mean", "Summary", "TaskSummary", "ToolCount", "effort_of"]
__all__ += ["subject_sizes", "summarise"]


ON_DONOR = "by the ground truth of the image shown"
"""A reference for swapped images: a small loss means that the model read the image it was shown."""


class Mean(Frozen):
    """A mean over the samples with a finite value."""

    mean: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the mean of the finite values among *values*."""
        mean, n = finite_mean(values)
        return cls(mean=mean, n=n)


class ToolCount(Frozen):
    """How often the model called a tool."""

    calls: int
    failed: int
    per_sample: float


class Cost(Frozen):
    """The cost, infrastructure failures included; superseded attempts are not (see ``Run.spent_usd``)."""

    usd: float | None
    """The total in US dollars; None if no record has a cost."""
    n: int
    """Number of records with a cost."""
    incomplete: int
    """Number of records whose cost lacks some model calls, because their usage was not reported."""


class Effort(Frozen):
    """The effort of the scored samples."""

    tools: dict[str, ToolCount]
    tool_calls: Mean
    turns: Mean
    """Replies of the model per sample."""
    pictures: Mean
    """Images shown to the model per sample: the image in every conversation, and those of tools, if recorded."""
    forced_endings: Mean
    """Share of samples in which a limit was reached and one last turn was granted."""
    cost_usd: Mean
    input_tokens: Mean
    output_tokens: Mean
    """Tokens per sample, over samples with reported usage for all model calls."""
    unreported: int
    """Number of scored samples left out of the token means, because a model call did not report its usage."""
    seconds: Mean


class TaskSummary(Frozen):
    """All samples of one task."""

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
    references: dict[str, dict[str, Mean]]
    """Reference scores by name: random boxes, for boxes in images of known size; for swapped images, the same answers
    scored against the ground truth of the image shown."""
    effort: Effort
    cost: Cost


class Summary(Frozen):
    """All samples of a run, by task."""

    protocol: str
    n: int
    infrastructure: int
    subjects: int
    largest_subject: int
    """Number of scored samples of the subject with the most."""
    conventions: dict[str, int]
    """Number of samples by the convention of their targets."""
    marks: dict[str, int]
    """Number of samples by what a reader must know about them (``Marks``)."""
    tasks: dict[TaskName, TaskSummary]
    cost: Cost


def summarise(records: Sequence[Record], protocol: Protocol, scores: Sequence[Score | None] | None = None) -> Summary:
    """Return the summary of records, one per sample, by a protocol; *scores* are the records' scores, if known.

    Means are over finite values: if a mean's ``n`` is below the task's, the other values were not finite (MAE and MRE
    of failures). ``success_rate`` is parsed answers / n, ``MRE<k`` and ``IoU>=0.5`` are fractions of n.
    """
    found = score_records(records, protocol) if scores is None else scores
    by_task: dict[TaskName, list[tuple[Record, Score | None]]] = {task: [] for task in TASKS}
    for record, score in zip(records, found, strict=True):
        by_task[record.sample.task].append((record, score))
    scored = [record for record in records if not record.outcome.infrastructure]
    return Summary(
        protocol=protocol.name,
        n=len(scored),
        infrastructure=len(records) - len(scored),
        subjects=len(subjects := subject_sizes(scored)),
        largest_subject=max(subjects, default=0),
        conventions=_counts(record.sample.convention for record in records),
        marks=_counts(mark for record in records for mark in Marks.model_fields if getattr(record.sample.marks, mark)),
        tasks={task: _summarise_task(task, own, protocol) for task, own in by_task.items() if own},
        cost=_cost(records),
    )


def subject_sizes(records: Iterable[Record]) -> list[int]:
    """Return the number of records of each subject."""
    return list(Counter(record.sample.subject for record in records).values())


def _summarise_task(task: TaskName, own: Sequence[tuple[Record, Score | None]], protocol: Protocol) -> TaskSummary:
    records = [record for record, _ in own]
    pairs = [(record, score) for record, score in own if score is not None]
    scored = [record for record, _ in pairs]
    return TaskSummary(
        own_rule=TASKS[task].own_rule,
        n=len(scored),
        subjects=len(subjects := subject_sizes(scored)),
        largest_subject=max(subjects, default=0),
        parsed=sum(score.success for _, score in pairs),
        forced=sum(record.forced for record in scored),
        outcomes=_counts(record.outcome.value for record in scored),
        infrastructure=_counts(record.outcome.value for record in records if record.outcome.infrastructure),
        metrics=_metrics(task, pairs),
        references={
            **(_references(scored, protocol) if TASKS[task].is_box else {}),
            **_on_donors(task, scored, protocol),
        },
        effort=effort_of(scored),
        cost=_cost(records),
    )


def _metrics(task: TaskName, pairs: Sequence[tuple[Record, Score]]) -> dict[str, Mean]:
    return {
        measure.name: Mean.of([measure.of(record.sample, score) for record, score in pairs])
        for measure in MEASURES[task]
    }


def _on_donors(task: TaskName, scored: Sequence[Record], protocol: Protocol) -> dict[str, dict[str, Mean]]:
    """Return the scores of answers to swapped images against the ground truth of the image shown; may be empty."""
    pairs = [(record, score) for record in scored if (score := score_on_donor(record, protocol)) is not None]
    return {ON_DONOR: _metrics(task, pairs)} if pairs else {}


def _references(scored: Sequence[Record], protocol: Protocol) -> dict[str, dict[str, Mean]]:
    """Return the scores of random boxes on the same samples; only MedVision's samples state the size of their image."""
    known = [
        (record.sample, record.sample.medvision.image_size_2d)
        for record in scored
        if record.sample.medvision is not None
    ]
    if not known:
        return {}
    targets = np.array([sample.target for sample, _ in known], dtype=np.float64)
    figures = random_boxes([sample.id for sample, _ in known], targets, [size for _, size in known], protocol)
    return {NAME: {name: Mean.of(values.tolist()) for name, values in figures.items()}}


def effort_of(scored: Sequence[Record]) -> Effort:
    """Return the effort of scored records."""
    uses = [use for record in scored for use in record.tool_uses]
    calls = Counter(use.tool for use in uses)
    failed = Counter(use.tool for use in uses if not use.ok)
    reported = [record.usage for record in scored if not record.usage.unreported]
    return Effort(
        tools={
            tool: ToolCount(calls=count, failed=failed[tool], per_sample=count / len(scored))
            for tool, count in calls.most_common()
        },
        tool_calls=Mean.of([len(record.tool_uses) for record in scored]),
        turns=Mean.of([record.usage.model_calls for record in scored]),
        pictures=Mean.of([record.pictures for record in scored]),
        forced_endings=Mean.of([record.forced for record in scored]),
        cost_usd=Mean.of([record.cost_usd for record in scored if record.cost_usd is not None]),
        input_tokens=Mean.of([usage.input for usage in reported]),
        output_tokens=Mean.of([usage.output for usage in reported]),
        unreported=len(scored) - len(reported),
        seconds=Mean.of([record.seconds for record in scored]),
    )


def _cost(records: Sequence[Record]) -> Cost:
    priced = [record for record in records if record.cost_usd is not None]
    return Cost(
        usd=sum(record.cost_usd or 0.0 for record in priced) if priced else None,
        n=len(priced),
        incomplete=sum(record.usage.unreported > 0 for record in priced),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
