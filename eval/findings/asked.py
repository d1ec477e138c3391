"""Counts over the samples of a chapter, asked or not."""

from collections import Counter
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from medvision_agent.eval.data.sample import Group, Marks
from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.tasks import TaskName

__all__ = ["AskedSamples", "asked_of"]


@dataclass(frozen=True, eq=False)
class AskedSamples:
    """Facts about the samples of a chapter; a sample that several arms have counts once."""

    samples: int
    subjects: int
    tasks: frozenset[TaskName]
    conventions: dict[str, int]
    """Number of samples by the convention of their boxes, the most frequent first."""
    marks: dict[str, int]
    """Number of samples by mark (``Marks``), without marks that no sample has."""
    annotation_versions: tuple[str, ...]
    """The versions of MedVision's annotations; empty for other data."""


_DONE = WeakKeyDictionary[ChapterIn, AskedSamples]()


def asked_of(chapter: ChapterIn) -> AskedSamples:
    """Return the facts about all samples of a chapter; they are kept as long as the chapter exists."""
    if chapter not in _DONE:
        _DONE[chapter] = _counted(chapter)
    return _DONE[chapter]


def _counted(chapter: ChapterIn) -> AskedSamples:
    seen, subjects, tasks, groups = set[str](), set[str](), set[TaskName](), Counter[Group]()
    for arm in chapter.arms:
        for sample in asked_in(arm.first):
            if sample.id in seen:
                continue
            seen.add(sample.id)
            subjects.add(sample.subject)
            tasks.add(sample.task)
            groups[sample.group] += 1
    conventions, marks = Counter[str](), Counter[str]()
    for group, count in groups.items():
        conventions[group.convention] += count
        marks.update({name: count for name in Marks.model_fields if getattr(group.marks, name)})
    versions = {group.annotation_version for group in groups if group.annotation_version is not None}
    return AskedSamples(
        samples=len(seen),
        subjects=len(subjects),
        tasks=frozenset(tasks),
        conventions=dict(conventions.most_common()),
        marks={name: marks[name] for name in Marks.model_fields if marks[name]},
        annotation_versions=tuple(sorted(versions)),
    )
