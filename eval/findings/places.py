"""Where the arms of a chapter measured, and what their losses are made of: first epochs, and the comparisons."""

from collections.abc import Mapping, Sequence

from medvision_agent.eval.compare.statistics.estimate import Estimate, estimate
from medvision_agent.eval.findings.contrast import GroundedContrast, PartedContrast
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn, ContrastIn
from medvision_agent.eval.parts.compare import compare_parts
from medvision_agent.eval.parts.summary import SampleLoss, parts_of_run
from medvision_agent.eval.place.compare import compare_places, paired_places
from medvision_agent.eval.place.located import Located, located_run
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import TaskName

__all__ = [
    "ArmParts",
    "ArmPlaces",
    "arm_parts",
    "arm_places",
    "demonstration",
    "grounded_contrasts",
    "parted_contrasts",
]

ArmParts = Mapping[str, Sequence[SampleLoss]]
"""The scored samples of each arm's first epoch with the parts of their losses, by the name of the arm."""
ArmPlaces = Mapping[str, Sequence[Located]]
"""The located samples of each arm's first epoch, by the name of the arm."""


def arm_places(arms: Sequence[ArmIn], rules: Protocol) -> ArmPlaces:
    """Return where every arm measured, sample by sample."""
    return {arm.name: list(located_run(arm.first, rules)) for arm in arms}


def grounded_contrasts(chapter: ChapterIn, places: ArmPlaces) -> tuple[GroundedContrast, ...]:
    """Return every contrast of a chapter by place, task by task."""
    return tuple(
        GroundedContrast(
            contrast=chapter.name_of(one),
            a=one.a.name,
            b=one.b.name,
            task=task,
            found=found,
            grounded=None if found.grounded_difference is None else _estimate(chapter, one, task, places),
        )
        for one in chapter.contrasts
        for task, found in compare_places(places[one.a.name], places[one.b.name]).items()
    )


def arm_parts(arms: Sequence[ArmIn], rules: Protocol) -> ArmParts:
    """Return the loss of every arm in parts, sample by sample."""
    return {arm.name: list(parts_of_run(arm.first, rules)) for arm in arms}


def demonstration(chapter: ChapterIn) -> list[str]:
    """Return why nothing in a chapter of demonstration data has an interval; empty for other data."""
    return ["demonstration data support no claim"] if chapter.evidence == "demonstration" else []


def parted_contrasts(chapter: ChapterIn, parts: ArmParts) -> tuple[PartedContrast, ...]:
    """Return the difference in loss of every contrast of a chapter in parts, task by task."""
    no_claim = demonstration(chapter)
    return tuple(
        PartedContrast(contrast=chapter.name_of(one), a=one.a.name, b=one.b.name, task=task, found=found)
        for one in chapter.contrasts
        for task, found in compare_parts(parts[one.a.name], parts[one.b.name], [*no_claim, *one.no_claim]).items()
    )


def _estimate(chapter: ChapterIn, one: ContrastIn, task: TaskName, places: ArmPlaces) -> Estimate:
    pairs = paired_places(places[one.a.name], places[one.b.name])
    own = [(a, b) for a, b in pairs if a.sample.task == task]
    return estimate(
        [b.lowest_loss - a.lowest_loss for a, b in own],
        [a.sample.subject for a, _ in own],
        evidence=chapter.evidence,
        role="exploratory",
        no_claim=one.withheld,
    )
