"""The figures of one arm on one task: repeats of a sample are averaged first, then samples."""

import math
from collections.abc import Mapping, Sequence

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.scores import Epochs, lines_of, target_size
from medvision_agent.eval.report.model import ArmTask, SamplePoint
from medvision_agent.eval.report.unseen import OWN_PRIOR, is_own_prior
from medvision_agent.eval.scorer.score import Score
from medvision_agent.eval.summary.effort import Mean
from medvision_agent.eval.summary.efforts import effort_of_runs
from medvision_agent.eval.summary.measures import MEASURES, Measure, finite_mean
from medvision_agent.eval.tasks import TaskName

__all__ = ["REFERENCES", "arm_task"]

REFERENCES = {
    "oracle": "tool ceiling: told the true points",
    "prior": "no model: usual answers, without looking",
    "cv": "no model: image processing",
}
"""What each scripted policy is a reference for."""


def arm_task(arm: ArmIn, task: TaskName, epochs: Epochs) -> ArmTask | None:
    """Return the figures of an arm on one task; None if the arm has no sample of the task, asked or not.

    *epochs* are the scored samples of the arm's runs.
    """
    chosen = [sample for sample in arm.first.samples if sample.task == task]
    if not chosen:
        return None
    every = [(sample, score) for epoch in epochs for sample, score in epoch if sample.task == task]
    by_sample: dict[str, list[tuple[Sample, Score]]] = {}
    for sample, score in every:
        if score is not None:
            by_sample.setdefault(sample.id, []).append((sample, score))
    subjects = {sample.subject for sample in chosen if sample.id in by_sample}
    wordings = len(set(arm.wordings))
    return ArmTask(
        arm=arm.name,
        model=arm.model,
        reference=OWN_PRIOR if is_own_prior(arm) else REFERENCES.get(arm.offline, ""),
        chosen=len(chosen),
        n=len(by_sample),
        subjects=len(subjects),
        wordings=wordings,
        epochs=len(epochs) // wordings,
        infrastructure=sum(score is None for _, score in every),
        means=_means(task, by_sample),
        effort=effort_of_runs(arm.runs, [task]),
        points=tuple(
            SamplePoint(
                sample.id,
                sample.subject,
                target_size(sample),
                math.fsum(score.loss for _, score in own) / len(own),
                sample.label or sample.measurement or lines_of(sample),
            )
            for sample in chosen
            if (own := by_sample.get(sample.id))
        ),
    )


def _means(task: TaskName, by_sample: Mapping[str, Sequence[tuple[Sample, Score]]]) -> dict[str, Mean]:
    means = {}
    for measure in MEASURES[task]:
        per_sample = [_value(measure, own) for own in by_sample.values()]
        means[measure.name] = Mean.of([value for value in per_sample if value is not None])
    return means


def _value(measure: Measure, own: Sequence[tuple[Sample, Score]]) -> float | None:
    """Return the mean of a measure over the repeats of one sample; None if no repeat has a finite value."""
    return measure.of(*own[0]) if len(own) == 1 else finite_mean([measure.of(*one) for one in own])[0]
