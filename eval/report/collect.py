"""From folders to the data of a report: the only place where its numbers are computed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.statistics.family import FamilyOfTests, family
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs
from medvision_agent.eval.data.sample import Marks
from medvision_agent.eval.report.contrasts import contrasts, paired
from medvision_agent.eval.report.figures import Epochs, arm_task, scored
from medvision_agent.eval.report.how import run_facts
from medvision_agent.eval.report.inputs import ArmIn, ChapterIn, runs_chapters
from medvision_agent.eval.report.model import Chapter, Report, TaskData
from medvision_agent.eval.report.pictures import pictures
from medvision_agent.eval.report.references import published, references
from medvision_agent.eval.report.study import is_study, study_chapters, study_protocol
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.summary import summarise_why
from medvision_agent.version import VERSION

__all__ = ["PICTURES", "collect"]

PICTURES = 6
"""Samples with a picture, for each contrast."""


def collect(folders: Sequence[Path], rules: Protocol | None = None, *, most_pictures: int = PICTURES) -> Report:
    """Return the data of a report over stored runs and studies; raises a MedVisionAgentError if one is unreadable.

    Without *rules*, a study is scored by the protocol it declared, and runs by the default one.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigError("a folder is given twice; give each run once")
    inputs: list[tuple[list[ChapterIn], Protocol]] = []
    for folder in filter(is_study, folders):
        own = rules or protocol(study_protocol(folder))
        inputs.append((study_chapters(folder, own), own))
    runs = [folder for folder in folders if not is_study(folder)]
    inputs += [([chapter], rules or protocol(DEFAULT_PROTOCOL)) for chapter in runs_chapters(runs)]
    return Report(
        version=VERSION,
        chapters=tuple(chapter for group, own in inputs for chapter in _chapters(group, own, most_pictures)),
    )


def _chapters(group: Sequence[ChapterIn], rules: Protocol, most_pictures: int) -> list[Chapter]:
    """Return chapters whose declared tests are one family: those of a study."""
    scores = [{arm.name: scored(arm, rules) for arm in chapter.arms} for chapter in group]
    data: dict[Key, Pairs] = {}
    for chapter, own in zip(group, scores, strict=True):
        data |= paired(chapter, own, rules)
    found = family(group[0].family, data, alpha=group[0].alpha, seed=group[0].seed)
    return [
        _chapter(one, own, data, found, rules=rules, most_pictures=most_pictures)
        for one, own in zip(group, scores, strict=True)
    ]


def _chapter(
    chapter: ChapterIn,
    scores: Mapping[str, Epochs],
    data: Mapping[Key, Pairs],
    found: FamilyOfTests,
    *,
    rules: Protocol,
    most_pictures: int,
) -> Chapter:
    samples = {sample.id: sample for arm in chapter.arms for sample in arm.first.samples}
    every = list(samples.values())
    asked = {sample.task for sample in every}
    tables, not_there = published(chapter.arms, rules)
    return Chapter(
        name=chapter.name,
        kind=chapter.kind,
        source=str(chapter.arms[0].first.config["source"]["name"]),
        label=chapter.label,
        evidence=chapter.evidence,
        note=chapter.arms[0].first.source_note,
        samples=len(every),
        subjects=len({sample.subject for sample in every}),
        conventions=dict(Counter(sample.convention for sample in every).most_common()),
        marks={name: count for name in Marks.model_fields if (count := sum(getattr(one.marks, name) for one in every))},
        data_versions=tuple(sorted({one.medvision.annotation_version for one in every if one.medvision is not None})),
        arms=tuple(arm.name for arm in chapter.arms),
        offline=tuple(arm.name for arm in chapter.arms if arm.offline),
        tasks=tuple(_task(task, chapter.arms, scores, rules) for task in TASKS if task in asked),
        alpha=chapter.alpha,
        family_size=found.size,
        contrasts=contrasts(chapter, data, found),
        refused=chapter.refused,
        published=tuple(tables),
        published_missing=not_there,
        why={arm.name: dict(summarise_why(arm.first, rules).tasks) for arm in chapter.arms},
        pictures=tuple(pictures(chapter, scores, rules, most_pictures)),
        protocol=rules.name,
        plan=dict(chapter.plan),
        plan_sha256=chapter.plan_sha256,
        runs=tuple(facts for arm in chapter.arms for facts in run_facts(arm)),
    )


def _task(task: TaskName, arms: Sequence[ArmIn], scores: Mapping[str, Epochs], rules: Protocol) -> TaskData:
    found = [one for arm in arms if (one := arm_task(arm, task, scores[arm.name])) is not None]
    free, missing = references(task, arms, rules)
    return TaskData(
        task=task,
        size_unit=TASKS[task].target_size,
        arms=tuple(found),
        references=tuple(free),
        not_there=tuple(missing),
    )
