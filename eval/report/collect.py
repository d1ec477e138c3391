"""From folders to the data of a report."""

from collections.abc import Sequence
from pathlib import Path

from medvision_agent.eval.data.shared import shared_name, shared_note
from medvision_agent.eval.decisions.rules import Rule, shipped_rules
from medvision_agent.eval.findings.asked import asked_of
from medvision_agent.eval.findings.contrasts import Worked, groups, work_out
from medvision_agent.eval.findings.find import findings_of
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.places import demonstration, parted_contrasts
from medvision_agent.eval.parts.summary import summarise_parts
from medvision_agent.eval.place.summary import places_by_task
from medvision_agent.eval.report.agreement import agreements
from medvision_agent.eval.report.arm_task import arm_task
from medvision_agent.eval.report.deciding import cases_of, decided, turned_contrasts
from medvision_agent.eval.report.how import run_facts
from medvision_agent.eval.report.joined import over_datasets
from medvision_agent.eval.report.model import Chapter, Report, TaskData
from medvision_agent.eval.report.pictures import pictures
from medvision_agent.eval.report.reading import readings
from medvision_agent.eval.report.references import published, references
from medvision_agent.eval.report.spread import spreads
from medvision_agent.eval.results.load import without_collector
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.version import VERSION

__all__ = ["PICTURES", "chapters", "collect"]


PICTURES = 6
"""Number of samples shown with an image, for each contrast."""


def collect(
    folders: Sequence[Path],
    rules: Protocol | None = None,
    *,
    most_pictures: int = PICTURES,
    decisions: Sequence[Rule] | None = None,
) -> Report:
    """Return the data of a report over stored runs and studies.

    Without *rules*, a study is scored by its declared protocol, and runs by the default protocol. At most
    *most_pictures* samples are shown with their image for each contrast. Without *decisions*, the shipped decision
    rules are used. Raises a MedVisionAgentError if a folder cannot be read, or is given twice.
    """
    with without_collector():  # runs are millions of objects, none of them in a cycle
        found = [work_out(group, own, why=True) for group, own in groups(folders, rules)]
        made = tuple(one for group in found for one in chapters(group, most_pictures, decisions))
        return Report(version=VERSION, chapters=made)


def chapters(group: Sequence[Worked], most_pictures: int, decisions: Sequence[Rule] | None = None) -> list[Chapter]:
    """Return the chapters of a report from the computed results of a group (``work_out`` with *why*).

    At most *most_pictures* samples are shown with their image for each contrast. Without *decisions*, the shipped
    decision rules are used.
    """
    given = shipped_rules() if decisions is None else decisions
    return [_chapter(one, most_pictures, given) for one in group]


def _chapter(one: Worked, most_pictures: int, decisions: Sequence[Rule]) -> Chapter:
    chapter, rules, scores = one.chapter, one.rules, one.scores
    every, source = asked_of(chapter), str(chapter.arms[0].first.config["source"]["name"])
    tables, not_there = published(chapter.arms, rules)
    cases = cases_of(one, decisions)
    return Chapter(
        name=chapter.name,
        kind=chapter.kind,
        source=chapter.label or shared_name(source),
        label=chapter.label,
        evidence=chapter.evidence,
        note=shared_note(chapter.arms[0].first.source_note, source),
        samples=every.samples,
        subjects=every.subjects,
        conventions=every.conventions,
        marks=every.marks,
        data_versions=every.annotation_versions,
        arms=tuple(arm.name for arm in chapter.arms),
        offline=tuple(arm.name for arm in chapter.arms if arm.offline),
        findings=findings_of(one),
        tasks=tuple(_task(task, one) for task in TASKS if task in every.tasks),
        alpha=chapter.alpha,
        family_size=one.family_size,
        contrasts=one.contrasts,
        refused=chapter.refused,
        published=tuple(tables),
        published_missing=not_there,
        why={name: dict(told.tasks) for name, told in one.why.items()},
        places={name: places_by_task(own.located, own.without_place) for name, own in one.looked.items()},
        grounded=one.grounded,
        parts={name: summarise_parts(own.losses, demonstration(chapter)) for name, own in one.looked.items()},
        parted=parted_contrasts(chapter, one.looked),
        headroom={name: dict(own) for name, own in one.headroom.items()},
        decided=decided(one, cases, decisions),
        turned=tuple(turned_contrasts(one, cases, decisions)),
        readings=tuple(readings(one)),
        agreement=tuple(agreements(chapter, scores)),
        spread=tuple(spreads(chapter, scores)),
        models=one.models,
        datasets=tuple(over_datasets(chapter, one.data)),
        pictures=tuple(pictures(chapter, scores, rules, most_pictures)),
        protocol=rules.name,
        plan=dict(chapter.plan),
        plan_sha256=chapter.plan_sha256,
        runs=tuple(facts for arm in chapter.arms for facts in run_facts(arm)),
    )


def _task(task: TaskName, one: Worked) -> TaskData:
    arms: Sequence[ArmIn] = one.chapter.arms
    found = [data for arm in arms if (data := arm_task(arm, task, one.scores[arm.name])) is not None]
    free, missing = references(task, arms, one.rules)
    return TaskData(
        task=task,
        size_unit=TASKS[task].target_size,
        arms=tuple(found),
        references=tuple(free),
        not_there=tuple(missing),
    )
