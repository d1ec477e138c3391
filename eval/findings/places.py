"""Where the arms of a chapter measured, and the parts of their losses: first epochs, and comparisons of these."""

from array import array
from collections.abc import Mapping
from sys import intern

from medvision_agent.eval.compare.statistics.estimate import Estimate, estimate
from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION
from medvision_agent.eval.findings.contrast import GroundedContrast, PartedContrast
from medvision_agent.eval.findings.inputs import ChapterIn, ContrastIn
from medvision_agent.eval.parts.compare import compare_parts
from medvision_agent.eval.parts.looked import Looked
from medvision_agent.eval.place.compare import compare_places, paired_places
from medvision_agent.eval.tasks import TaskName

__all__ = ["ArmsLooked", "demonstration", "grounded_contrasts", "parted_contrasts"]

ArmsLooked = Mapping[str, Looked]
"""What is known about the scored samples of each arm's first epoch, by arm name."""


def grounded_contrasts(chapter: ChapterIn, looked: ArmsLooked) -> tuple[GroundedContrast, ...]:
    """Return each contrast of a chapter by where its answers were measured, task by task.

    *looked* has the located answers of each arm's first epoch. A task is left out if no ground truth has a place.
    """
    return tuple(
        GroundedContrast(
            contrast=chapter.name_of(one),
            a=one.a.name,
            b=one.b.name,
            task=task,
            found=found,
            grounded=None if found.grounded_difference is None else _estimate(chapter, one, task, looked),
        )
        for one in chapter.contrasts
        for task, found in compare_places(looked[one.a.name].located, looked[one.b.name].located).items()
    )


def demonstration(chapter: ChapterIn) -> list[str]:
    """Return the reason why nothing in a chapter of demonstration data has an interval; empty for other data."""
    return [DEMONSTRATION] if chapter.evidence == "demonstration" else []


def parted_contrasts(chapter: ChapterIn, looked: ArmsLooked) -> tuple[PartedContrast, ...]:
    """Return the difference in loss of each contrast of a chapter, split into parts, task by task."""
    no_claim = demonstration(chapter)
    return tuple(
        PartedContrast(contrast=chapter.name_of(one), a=one.a.name, b=one.b.name, task=task, found=found)
        for one in chapter.contrasts
        for task, found in compare_parts(
            looked[one.a.name].losses, looked[one.b.name].losses, [*no_claim, *one.no_claim]
        ).items()
    )


def _estimate(chapter: ChapterIn, one: ContrastIn, task: TaskName, looked: ArmsLooked) -> Estimate:
    differences, subjects = array("d"), list[str]()
    for a, b in paired_places(looked[one.a.name].located, looked[one.b.name].located):
        if a.sample.task == task:
            differences.append(b.lowest_loss - a.lowest_loss)
            subjects.append(intern(a.sample.subject))
    return estimate(
        differences,
        subjects,
        evidence=chapter.evidence,
        role="exploratory",
        no_claim=one.withheld,
    )
