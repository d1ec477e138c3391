"""The figures of one arm on one task: repeats of a sample are averaged first, then samples."""

import math
from array import array
from collections.abc import Sequence
from sys import intern

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.findings.scores import Epochs, by_sample, lines_of, target_size
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
    chosen = [sample.id for sample in asked_in(arm.first) if sample.task == task]
    if not chosen:
        return None
    values, points = {measure.name: array("d") for measure in MEASURES[task]}, dict[str, SamplePoint]()
    for own in by_sample(epochs, task):
        points[own[0][0].id] = _point(own)
        for measure in MEASURES[task]:
            if (value := _value(measure, own)) is not None:
                values[measure.name].append(value)
    wordings = len(set(arm.wordings))
    return ArmTask(
        arm=arm.name,
        model=arm.model,
        reference=OWN_PRIOR if is_own_prior(arm) else REFERENCES.get(arm.offline, ""),
        chosen=len(chosen),
        n=len(points),
        subjects=len({point.subject for point in points.values()}),
        wordings=wordings,
        epochs=len(epochs) // wordings,
        infrastructure=sum(score is None for epoch in epochs for sample, score in epoch if sample.task == task),
        means={name: Mean.of(own) for name, own in values.items()},
        effort=effort_of_runs(arm.runs, [task]),
        points=tuple(point for name in chosen if (point := points.get(name)) is not None),
    )


def _point(own: Sequence[tuple[Asked, Score]]) -> SamplePoint:
    """Return one sample, whose scored answers are *own*, as a point of a figure."""
    sample = own[0][0]
    loss = math.fsum(score.loss for _, score in own) / len(own)
    asked = sample.label or sample.measurement or lines_of(sample)
    return SamplePoint(sample.id, intern(sample.subject), target_size(sample), loss, intern(asked))


def _value(measure: Measure, own: Sequence[tuple[Asked, Score]]) -> float | None:
    """Return the mean of a measure over the repeats of one sample; None if no repeat has a finite value."""
    return measure.of(*own[0]) if len(own) == 1 else finite_mean([measure.of(*one) for one in own])[0]
