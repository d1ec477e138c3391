"""The figures of one arm on one task: repeats of a sample are averaged first, then samples."""

import math
from collections.abc import Mapping, Sequence

from medvision_agent.eval.compare.statistics.pairs import Result
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.report.inputs import ArmIn
from medvision_agent.eval.report.model import ArmTask
from medvision_agent.eval.report.units import target_size
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.measures import MEASURES, finite_mean
from medvision_agent.eval.summary.summary import Mean, effort_of
from medvision_agent.eval.tasks import TaskName

__all__ = ["REFERENCES", "Epochs", "Scored", "arm_task", "results", "scored"]

REFERENCES = {
    "oracle": "tool ceiling: told the true points",
    "prior": "no model: usual answers, without looking",
    "cv": "no model: image processing",
}
"""What a scripted policy is a reference for."""

Scored = tuple[Record, Score | None]
Epochs = Sequence[Sequence[Scored]]
"""The scored records of an arm, epoch by epoch."""


def scored(arm: ArmIn, rules: Protocol) -> list[list[Scored]]:
    """Return the records of each epoch with their scores, once."""
    return [[(record, score_record(record, rules)) for record in run.records] for run in arm.runs]


def results(samples: Sequence[Sample], epochs: Epochs) -> list[Result]:
    """Return what came back for the samples in every epoch; what is not finished is lost."""
    found = []
    for epoch in epochs:
        by_id = {record.sample.id: score for record, score in epoch}
        for sample in samples:
            score = by_id.get(sample.id)
            found.append(
                Result(sample.id, None, answered=False)
                if score is None
                else Result(sample.id, float(score.loss), answered=score.success)
            )
    return found


def arm_task(arm: ArmIn, task: TaskName, epochs: Epochs) -> ArmTask | None:
    """Return the figures of an arm; None where it was not to ask any sample of the task."""
    chosen = [sample for sample in arm.first.samples if sample.task == task]
    if not chosen:
        return None
    every = [(record, score) for epoch in epochs for record, score in epoch if record.sample.task == task]
    by_sample: dict[str, list[tuple[Sample, Score]]] = {}
    for record, score in every:
        if score is not None:
            by_sample.setdefault(record.sample.id, []).append((record.sample, score))
    subjects = {sample.subject for sample in chosen if sample.id in by_sample}
    return ArmTask(
        arm=arm.name,
        model=arm.model,
        reference=REFERENCES.get(arm.offline, ""),
        chosen=len(chosen),
        n=len(by_sample),
        subjects=len(subjects),
        epochs=len(epochs),
        infrastructure=sum(score is None for _, score in every),
        means=_means(task, by_sample),
        effort=effort_of([record for record, score in every if score is not None]),
        points=tuple(
            (sample.subject, target_size(sample), math.fsum(score.loss for _, score in own) / len(own))
            for sample in chosen
            if (own := by_sample.get(sample.id))
        ),
    )


def _means(task: TaskName, by_sample: Mapping[str, Sequence[tuple[Sample, Score]]]) -> dict[str, Mean]:
    means = {}
    for measure in MEASURES[task]:
        per_sample = [finite_mean([measure.of(*one) for one in own])[0] for own in by_sample.values()]
        means[measure.name] = Mean.of([value for value in per_sample if value is not None])
    return means
