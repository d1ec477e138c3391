"""Scores reachable without seeing the image: the model's own prior, and the best constant of the other subjects."""

from array import array
from collections.abc import Iterator, Sequence

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.report.model import Reference
from medvision_agent.eval.scorer.constants import best_constants
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_on_donor, score_texts
from medvision_agent.eval.summary.measures import MEASURES
from medvision_agent.eval.summary.summary import ON_DONOR, Mean
from medvision_agent.eval.tasks import TaskName

__all__ = ["CONSTANT", "OWN_PRIOR", "constant", "is_own_prior", "on_donors"]

OWN_PRIOR = "the model's own prior: asked without an image"
"""What an arm without image and tools is a reference for."""
_TOGETHER = 512
"""Number of answers scored together."""
CONSTANT = "best constant of the other subjects"


def is_own_prior(arm: ArmIn) -> bool:
    """Return whether an arm is a model that got neither an image nor tools."""
    identity = arm.first.identity
    return identity.picture == "none" and identity.condition == "off" and not arm.offline


def constant(task: TaskName, samples: Sequence[Asked], rules: Protocol) -> Reference | None:
    """Return the reference of the best constant answer of the other subjects, over the samples of a task.

    None if there is no other subject.
    """
    found = best_constants(samples)
    known = [one for one in samples if one.id in found]
    if not known:
        return None
    values = {measure.name: array("d") for measure in MEASURES[task]}
    for first in range(0, len(known), _TOGETHER):
        some = known[first : first + _TOGETHER]
        texts = [f"<answer>{', '.join(map(repr, found[one.id].tolist()))}</answer>" for one in some]
        for one, score in zip(some, score_texts(task, texts, [one.target for one in some], rules), strict=True):
            for measure in MEASURES[task]:
                values[measure.name].append(measure.of(one, score))
    means = {name: Mean.of(own) for name, own in values.items()}
    return Reference(name=CONSTANT, n=len(known), subjects=len({one.subject for one in known}), means=means)


def on_donors(task: TaskName, arms: Sequence[ArmIn], rules: Protocol) -> Iterator[Reference]:
    """Yield a reference for each arm with swapped images: its answers scored by the ground truth of the image shown.

    First epochs only.
    """
    for arm in arms:
        if arm.first.identity.picture != "swapped":
            continue
        every = [(one.sample, score_on_donor(one, rules)) for one in arm.first.each() if one.sample.task == task]
        scores = [(sample, found) for sample, found in every if found is not None]
        if scores:
            means = {measure.name: Mean.of([measure.of(*one) for one in scores]) for measure in MEASURES[task]}
            people = len({sample.subject for sample, _ in scores})
            yield Reference(name=f"{arm.name}, {ON_DONOR}", n=len(scores), subjects=people, means=means)
