"""From folders to contrasts: the pairs of every contrast and task, with tests from one family.

Contract: differences are computed only here, for the terminal, the report and all other output. Chapters whose declared
tests form one family (those of a study) are computed together.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medvision_agent.agent.made import RESULT_ONLY
from medvision_agent.errors import ConfigError
from medvision_agent.eval.compare.compare import same_answers
from medvision_agent.eval.compare.statistics.family import FamilyOfTests, Looks, Test, family
from medvision_agent.eval.compare.statistics.interaction import interactions
from medvision_agent.eval.compare.statistics.pairs import WORST, Key, Pairs, Price, Unit, pair
from medvision_agent.eval.compare.statistics.strata import strata
from medvision_agent.eval.findings.contrast import Contrast, GroundedContrast, PairMeans
from medvision_agent.eval.findings.floor import with_noise
from medvision_agent.eval.findings.inputs import ChapterIn, ContrastIn, runs_chapters
from medvision_agent.eval.findings.models import Joined, over_models
from medvision_agent.eval.findings.places import ArmsLooked, demonstration, grounded_contrasts
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.findings.readings import by_primary_reading
from medvision_agent.eval.findings.scores import Epochs, results, scored, units
from medvision_agent.eval.findings.studies import is_study, study_chapters, study_protocol
from medvision_agent.eval.headroom.answers import of_look
from medvision_agent.eval.headroom.steps import Answered
from medvision_agent.eval.headroom.summary import Headroom, headroom_by_task
from medvision_agent.eval.parts.looked import Looked, look_at, look_closely
from medvision_agent.eval.parts.summary import SampleLoss
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol, protocol
from medvision_agent.eval.summary.compute import compute_of_pair
from medvision_agent.eval.summary.measures import finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.look import Look
from medvision_agent.eval.why.summary import WhySummary
from medvision_agent.packed_list import PackedList

__all__ = ["Group", "Worked", "groups", "work_out"]

Group = tuple[Sequence[ChapterIn], Protocol]
"""Chapters whose declared tests form one family, and the protocol that scores them."""
_POLICY = (
    "{model} is a scripted policy, not a model: whether and how it calls tools is written in its program, so that a "
    "difference holds by construction of the policy and says nothing of what tools do for a vision-language model"
)
_ORACLE = "The oracle is told the true points: a difference shows what its tool chain does, by construction"


@dataclass(frozen=True, eq=False)
class Worked:
    """The results of one chapter: the scores, contrasts and places of all arms over one set of samples."""

    chapter: ChapterIn
    rules: Protocol
    scores: Mapping[str, Epochs]
    """The scored records of each arm by name, by the primary reading."""
    by_rule: Mapping[str, Epochs]
    """The same by the rule's reading."""
    data: Mapping[Key, Pairs]
    """The pairs of the whole group of chapters."""
    family_size: int
    contrasts: tuple[Contrast, ...]
    looked: ArmsLooked
    grounded: tuple[GroundedContrast, ...]
    models: tuple[Joined, ...]
    """The study's contrasts over its models."""
    why: Mapping[str, WhySummary]
    """Why the first epoch of each arm is wrong, by arm name; empty unless requested."""
    headroom: Mapping[str, Mapping[TaskName, Headroom]]
    """What the same answers of that epoch would score with exact arithmetic and with the true points, by arm name and
    task; empty unless *why* was requested."""


def groups(folders: Sequence[Path], rules: Protocol | None = None) -> list[Group]:
    """Return stored runs and studies as groups: chapters whose declared tests form one family, with their protocol.

    Without *rules*, a study is scored by its declared protocol, and runs by the default protocol. Raises ConfigError
    for a folder given twice, and another MedVisionAgentError for a folder that cannot be read.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        twice = next(one for at, one in enumerate(folders) if one.resolve() in {two.resolve() for two in folders[:at]})
        raise ConfigError(f"{twice}: this folder is given twice; give each run and each study once")
    found: list[Group] = []
    for folder in filter(is_study, folders):
        own = rules or protocol(study_protocol(folder))
        found.append((study_chapters(folder, own), own))
    runs = [folder for folder in folders if not is_study(folder)]
    return found + [([chapter], rules or protocol(DEFAULT_PROTOCOL)) for chapter in runs_chapters(runs)]


def work_out(group: Sequence[ChapterIn], rules: Protocol, *, why: bool = False) -> list[Worked]:
    """Return the computed results of each chapter of a group, whose declared tests form one family.

    *rules* is the protocol that scores the answers. With *why*, the results also say why answers are wrong.
    """
    by_rule = [{arm.name: scored(arm, rules) for arm in chapter.arms} for chapter in group]
    read = [by_primary_reading(chapter, own, rules) for chapter, own in zip(group, by_rule, strict=True)]
    group, scores = [chapter for chapter, _ in read], [own for _, own in read]
    data: dict[Key, Pairs] = {}
    looks: dict[Key, Looks] = {}
    for chapter, own in zip(group, scores, strict=True):
        paired = _paired(chapter, own, rules)
        looks |= _looks(chapter, paired)
        data |= paired
    data |= {key: one.seen[-1] for key, one in looks.items()}
    one = group[0]
    found = family(one.family, data, alpha=one.alpha, primaries=one.primaries, looks=looks, margin=one.margin)
    worked = []
    for one, own, ruled in zip(group, scores, by_rule, strict=True):
        looked, whys, headroom = _looked(one, own, rules, why=why)
        grounded, contrasts = grounded_contrasts(one, looked), _contrasts(one, data, found, own)
        models = tuple(over_models(one, data))
        worked.append(
            Worked(one, rules, own, ruled, data, found.size, contrasts, looked, grounded, models, whys, headroom)
        )
    return worked


def _looked(
    chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol, *, why: bool
) -> tuple[ArmsLooked, Mapping[str, WhySummary], Mapping[str, Mapping[TaskName, Headroom]]]:
    """Return, by arm, where the answers of the first epoch were measured, with the parts of their losses.

    With *why*, also return why they are wrong, and what they would score if part of them were right; both are empty
    otherwise.
    """
    looked, told, headroom = dict[str, Looked](), dict[str, WhySummary](), dict[str, dict[TaskName, Headroom]]()
    for arm in chapter.arms:
        first, answered = (score for _, score in scores[arm.name][0]), PackedList[Answered]()
        if not why:
            looked[arm.name] = look_at(arm.first, rules, first)
            continue

        def also(look: Look, loss: SampleLoss, own: PackedList[Answered] = answered) -> None:
            own.add(of_look(look, loss.found))

        looked[arm.name], told[arm.name] = look_closely(arm.first, rules, first, also)
        headroom[arm.name] = headroom_by_task(answered, rules, demonstration(chapter))
    return looked, told, headroom


def _paired(chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol) -> dict[Key, Pairs]:
    """Return the pairs of every contrast and task that has a common sample, by contrast and task.

    *scores* holds the scored samples of each arm, by the arm's name.
    """
    data: dict[Key, Pairs] = {}
    made: dict[TaskName, Sequence[Unit]] = {}
    for one in chapter.contrasts:
        asked = {sample.id for sample in asked_in(one.b.first)}
        tasks = {sample.task for sample in asked_in(one.a.first) if sample.id in asked}
        for task in filter(tasks.__contains__, TASKS):
            common = (sample for sample in asked_in(one.a.first) if sample.task == task and sample.id in asked)
            own = units(common, chapter.evidence, rules)
            if made.get(task) != own:  # nearly all contrasts are over the same samples
                made[task] = own
            metric = chapter.metrics.get(task)
            wanted = {unit.sample for unit in own}
            a, b = (results(wanted, arm, scores[arm.name], metric) for arm in (one.a, one.b))
            price = Price(largest=metric.largest) if metric else WORST
            pairs = pair(made[task], a, b, price)
            data[_key(chapter, one, task)] = replace(pairs, no_claim=one.withheld, names=(one.a.name, one.b.name))
    return data


def _looks(chapter: ChapterIn, data: Mapping[Key, Pairs]) -> dict[Key, Looks]:
    """Return the planned looks (interim analyses) that took place, for each contrast and task that has any."""
    found: dict[Key, Looks] = {}
    for one in chapter.contrasts:
        for task, subjects in chapter.looks.items():
            if one.seen and (key := _key(chapter, one, task)) in data:
                fractions = tuple(count / subjects[-1] for count in subjects)
                found[key] = Looks(fractions, tuple(data[key].of_subjects(seen) for seen in one.seen))
    return found


def _contrasts(
    chapter: ChapterIn, data: Mapping[Key, Pairs], found: FamilyOfTests, scores: Mapping[str, Epochs]
) -> tuple[Contrast, ...]:
    """Return all contrasts of a chapter with their tests, from a family that may span several chapters."""
    every = (*found.declared, *found.exploratory)
    tests = {Key(test.contrast, test.task, test.model, test.source): test for test in every}
    return with_noise([_contrast(chapter, one, data, tests, scores) for one in chapter.contrasts])


def _key(chapter: ChapterIn, one: ContrastIn, task: TaskName) -> Key:
    return Key(one.name, task, one.a.model, chapter.source)


def _contrast(
    chapter: ChapterIn,
    one: ContrastIn,
    data: Mapping[Key, Pairs],
    tests: Mapping[Key, Test],
    scores: Mapping[str, Epochs],
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
        of=one.name,
        a=one.a.name,
        b=one.b.name,
        model=one.a.model,
        asks=one.asks,
        control=one.control,
        main=one.name in chapter.primaries,
        declared=one.declared,
        by_construction=text,
        no_claim=one.no_claim,
        early=one.no_verdict,
        tests={task: test for task, (test, _) in by_task.items()},
        means={task: _means(pairs) for task, (_, pairs) in by_task.items()},
        strata={task: strata(pairs) for task, (_, pairs) in by_task.items()},
        interactions={task: interactions(pairs, declared) for task, (_, pairs) in by_task.items()},
        losses={task: pairs.scored.losses for task, (_, pairs) in by_task.items()},
        samples={task: tuple(unit.sample for unit in pairs.scored.units) for task, (_, pairs) in by_task.items()},
        compute=compute_of_pair(one.a.runs, one.b.runs, (one.a.name, one.b.name)),
        same_answers=_same(one, scores),
        metrics={task: str(metric) for task, metric in chapter.metrics.items()},
        card=one.card,
        identical=one.identical,
    )


def _same(one: ContrastIn, scores: Mapping[str, Epochs]) -> tuple[int, int] | None:
    """Return in how many samples both arms gave the same answer, and how many are scored in both.

    None unless one of the arms is shown nothing but results of tools.
    """
    if RESULT_ONLY not in {one.a.first.identity.condition, one.b.first.identity.condition}:
        return None
    return same_answers(zip(scores[one.a.name], scores[one.b.name], strict=False))


def _means(pairs: Pairs) -> PairMeans:
    losses, success = pairs.scored.losses, (array("d"), array("d"))
    for one in pairs.scored:
        for rate, column in zip((one.a.success, one.b.success), success, strict=True):
            if rate is not None:
                column.append(rate)
    (loss_a, loss_b), (success_a, success_b) = (
        (finite_mean(column)[0] for column in both) for both in (losses.T.tolist(), success)
    )
    return PairMeans(
        loss_a=loss_a,
        loss_b=loss_b,
        success_a=success_a,
        success_b=success_b,
        subjects=len({unit.subject for unit in pairs.all.units}),
    )
