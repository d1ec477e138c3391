"""From folders to the data of a report: the only place where its numbers are computed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medvision_agent.agent.made import RESULT_ONLY
from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.compare import same_answers
from medvision_agent.eval.compare.statistics.family import FamilyOfTests, Looks, Test, family
from medvision_agent.eval.compare.statistics.interaction import interactions
from medvision_agent.eval.compare.statistics.pairs import WORST, Key, Pairs, Price, pair
from medvision_agent.eval.compare.statistics.strata import strata
from medvision_agent.eval.data.sample import Marks
from medvision_agent.eval.parts.summary import summarise_parts
from medvision_agent.eval.place.summary import summarise_place
from medvision_agent.eval.report.agreement import agreements
from medvision_agent.eval.report.figures import Epochs, arm_task, results, scored, units
from medvision_agent.eval.report.how import run_facts
from medvision_agent.eval.report.inputs import ArmIn, ChapterIn, ContrastIn, runs_chapters
from medvision_agent.eval.report.joined import over_datasets, over_models
from medvision_agent.eval.report.model import Chapter, Contrast, PairMeans, Report, TaskData
from medvision_agent.eval.report.pictures import pictures
from medvision_agent.eval.report.places import (
    arm_parts,
    arm_places,
    demonstration,
    grounded_contrasts,
    parted_contrasts,
)
from medvision_agent.eval.report.references import published, references
from medvision_agent.eval.report.spread import spreads, with_noise
from medvision_agent.eval.report.study import is_study, study_chapters, study_protocol
from medvision_agent.eval.report.unseen import picture_notes
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.summary.claims import no_claim, no_claim_line
from medvision_agent.eval.summary.compute import compute_of_pair
from medvision_agent.eval.summary.measures import finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.summary import summarise_why
from medvision_agent.version import VERSION

__all__ = ["PICTURES", "collect"]


PICTURES = 6
"""Samples with a picture, for each contrast."""
_POLICY = (
    "{model} is a scripted policy, not a model: whether and how it calls tools is written in its program, so that a "
    "difference holds by construction of the policy and says nothing of what tools do for a vision-language model"
)
_ORACLE = "The oracle is told the true points: a difference shows what its tool chain does, by construction"


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
    looks: dict[Key, Looks] = {}
    for chapter, own in zip(group, scores, strict=True):
        paired = _paired(chapter, own, rules)
        looks |= _looks(chapter, paired)
        data |= paired
    data |= {key: one.seen[-1] for key, one in looks.items()}
    one = group[0]
    found = family(one.family, data, alpha=one.alpha, primaries=one.primaries, looks=looks, margin=one.margin)
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
    located, parts = arm_places(chapter.arms, rules), arm_parts(chapter.arms, rules)
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
        no_claim=(
            *(no_claim_line(f"{arm.name}: {why}") for arm in chapter.arms for why in no_claim(arm.runs)),
            *(f"{line[:1].upper()}{line[1:]}" for line in chapter.progress),
        ),
        picture_notes=tuple(picture_notes(chapter)),
        tasks=tuple(_task(task, chapter.arms, scores, rules) for task in TASKS if task in asked),
        alpha=chapter.alpha,
        family_size=found.size,
        contrasts=_contrasts(chapter, data, found, rules),
        refused=chapter.refused,
        published=tuple(tables),
        published_missing=not_there,
        why={arm.name: dict(summarise_why(arm.first, rules).tasks) for arm in chapter.arms},
        places={arm.name: summarise_place(arm.first, located[arm.name]) for arm in chapter.arms},
        grounded=grounded_contrasts(chapter, located),
        parts={arm.name: summarise_parts(parts[arm.name], demonstration(chapter)) for arm in chapter.arms},
        parted=parted_contrasts(chapter, parts),
        agreement=tuple(agreements(chapter, scores)),
        spread=tuple(spreads(chapter, scores)),
        models=tuple(over_models(chapter, data)),
        datasets=tuple(over_datasets(chapter, data)),
        pictures=tuple(pictures(chapter, scores, rules, most_pictures)),
        protocol=rules.name,
        plan=dict(chapter.plan),
        plan_sha256=chapter.plan_sha256,
        runs=tuple(facts for arm in chapter.arms for facts in run_facts(arm)),
    )


def _paired(chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol) -> dict[Key, Pairs]:
    """Return the pairs of every contrast and task; *scores* holds every arm's epochs by its name."""
    data: dict[Key, Pairs] = {}
    for one in chapter.contrasts:
        for task in TASKS:
            asked = {sample.id for sample in one.b.first.samples}
            samples = [sample for sample in one.a.first.samples if sample.task == task and sample.id in asked]
            if samples:
                metric = chapter.metrics.get(task)
                a, b = (results(samples, arm, scores[arm.name], metric) for arm in (one.a, one.b))
                price = Price(largest=metric.largest) if metric else WORST
                pairs = pair(units(samples, chapter.evidence, rules), a, b, price)
                data[_key(chapter, one, task)] = replace(pairs, no_claim=one.withheld)
    return data


def _looks(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> dict[Key, Looks]:
    """Return the planned looks that took place at each contrast and task."""
    found: dict[Key, Looks] = {}
    for one in chapter.contrasts:
        for task, subjects in chapter.looks.items():
            if one.seen and (key := _key(chapter, one, task)) in data:
                fractions = tuple(count / subjects[-1] for count in subjects)
                found[key] = Looks(fractions, tuple(data[key].of_subjects(seen) for seen in one.seen))
    return found


def _contrasts(
    chapter: ChapterIn, data: Mapping[Key, Pairs], found: FamilyOfTests, rules: Protocol
) -> tuple[Contrast, ...]:
    """Return all contrasts of a chapter, with their tests out of a family that may span several chapters."""
    every = (*found.declared, *found.exploratory)
    tests = {Key(test.contrast, test.task, test.model, test.source): test for test in every}
    return with_noise([_contrast(chapter, one, data, tests, rules) for one in chapter.contrasts])


def _key(chapter: ChapterIn, one: ContrastIn, task: TaskName) -> Key:
    return Key(one.name, task, one.a.model, chapter.source)


def _contrast(
    chapter: ChapterIn, one: ContrastIn, data: Mapping[Key, Pairs], tests: Mapping[Key, Test], rules: Protocol
) -> Contrast:
    by_task: dict[TaskName, tuple[Test, Pairs]] = {
        task: (tests[key], data[key]) for task in TASKS if (key := _key(chapter, one, task)) in data
    }
    tested = one.declared and chapter.at_end(one)
    declared = chapter.plan.get("study", {}).get("strata", ()) if tested else ()
    policy = one.a.offline
    text = _ORACLE if policy == "oracle" else _POLICY.format(model=one.a.model) if policy else ""
    return Contrast(
        name=chapter.name_of(one),
        a=one.a.name,
        b=one.b.name,
        model=one.a.model,
        declared=one.declared,
        by_construction=text,
        no_claim=one.no_claim,
        tests={task: test for task, (test, _) in by_task.items()},
        means={task: _means(pairs) for task, (_, pairs) in by_task.items()},
        strata={task: strata(pairs) for task, (_, pairs) in by_task.items()},
        interactions={task: interactions(pairs, declared) for task, (_, pairs) in by_task.items()},
        losses={task: _losses(pairs) for task, (_, pairs) in by_task.items()},
        compute=compute_of_pair(one.a.runs, one.b.runs, (one.a.name, one.b.name)),
        same_answers=_same(one, rules),
        metrics={task: str(metric) for task, metric in chapter.metrics.items()},
        card=one.card,
        identical=one.identical,
    )


def _same(one: ContrastIn, rules: Protocol) -> tuple[int, int] | None:
    if RESULT_ONLY not in {one.a.first.identity.condition, one.b.first.identity.condition}:
        return None
    return same_answers([(a.records, b.records) for a, b in zip(one.a.runs, one.b.runs, strict=False)], rules)


def _means(pairs: Pairs) -> PairMeans:
    def mean(values: Iterable[float | None]) -> float | None:
        return finite_mean([value for value in values if value is not None])[0]

    return PairMeans(
        loss_a=mean(one.a.loss for one in pairs.scored),
        loss_b=mean(one.b.loss for one in pairs.scored),
        success_a=mean(one.a.success for one in pairs.scored),
        success_b=mean(one.b.success for one in pairs.scored),
        subjects=len({one.unit.subject for one in pairs.all}),
    )


def _losses(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    return tuple((one.a.loss, one.b.loss) for one in pairs.scored if one.a.loss is not None is not one.b.loss)


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
