"""From folders to the data of a report: the only place where its numbers are computed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.statistics.family import Family, Key, family
from medvision_agent.eval.compare.statistics.pairs import Pairs
from medvision_agent.eval.data.sample import Marks, Sample
from medvision_agent.eval.report.contrasts import contrasts, paired
from medvision_agent.eval.report.figures import Epochs, arm_task, scored
from medvision_agent.eval.report.how import run_facts
from medvision_agent.eval.report.inputs import ArmIn, ChapterIn, runs_chapters
from medvision_agent.eval.report.model import Chapter, Report, TaskData
from medvision_agent.eval.report.pictures import pictures
from medvision_agent.eval.report.references import published, references
from medvision_agent.eval.report.study import is_study, study_chapters, study_protocol
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.summary.claims import no_claim, no_claim_line
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
    found: Family,
    *,
    rules: Protocol,
    most_pictures: int,
) -> Chapter:
    samples = {sample.id: sample for arm in chapter.arms for sample in arm.first.samples}
    tables, not_there = published(chapter.arms, rules)
    return Chapter(
        name=chapter.name,
        kind=chapter.kind,
        source=str(chapter.arms[0].first.config["source"]["name"]),
        label=chapter.label,
        evidence=chapter.evidence,
        note=chapter.arms[0].first.source_note,
        samples=len(samples),
        subjects=len({sample.subject for sample in samples.values()}),
        conventions=dict(Counter(sample.convention for sample in samples.values()).most_common()),
        marks={name: count for name in Marks.model_fields if (count := _marked(name, samples.values()))},
        data_versions=tuple(sorted({v for sample in samples.values() if (v := _version(sample))})),
        arms=tuple(arm.name for arm in chapter.arms),
        offline=tuple(arm.name for arm in chapter.arms if arm.offline),
        no_claim=tuple(no_claim_line(f"{arm.name}: {why}") for arm in chapter.arms for why in no_claim(arm.runs)),
        tasks=tuple(_task(task, chapter.arms, scores, rules) for task in TASKS if _asked(task, samples.values())),
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


def _asked(task: TaskName, samples: Collection[Sample]) -> bool:
    return any(sample.task == task for sample in samples)


def _marked(name: str, samples: Collection[Sample]) -> int:
    return sum(bool(getattr(sample.marks, name)) for sample in samples)


def _version(sample: Sample) -> str:
    return sample.medvision.annotation_version if sample.medvision is not None else ""
