"""The contrasts of a chapter: paired, tested as a family where declared, with strata and what is missing."""

from collections.abc import Mapping
from dataclasses import replace

from medvision_agent.eval.compare.statistics.family import Family, Key, Test
from medvision_agent.eval.compare.statistics.pairs import Pairs, pair
from medvision_agent.eval.compare.statistics.strata import strata
from medvision_agent.eval.report.figures import Epochs, results
from medvision_agent.eval.report.inputs import ChapterIn, ContrastIn, varied
from medvision_agent.eval.report.model import Contrast, PairMeans
from medvision_agent.eval.report.units import units
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.summary.measures import finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["contrasts", "paired"]

_POLICY = (
    "{model} is a scripted policy, not a model: whether and how it calls tools is written in its program, so that a "
    "difference holds by construction of the policy and says nothing of what tools do for a vision-language model"
)
_ORACLE = "The oracle is told the true points: a difference shows what its tool chain does, by construction"


def paired(chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol) -> dict[Key, Pairs]:
    """Return the pairs of every contrast and task; *scores* holds every arm's epochs by its name."""
    data: dict[Key, Pairs] = {}
    for one in chapter.contrasts:
        data |= {_key(chapter, one, task): pairs for task, pairs in _pairs(chapter, one, scores, rules).items()}
    return data


def contrasts(chapter: ChapterIn, data: Mapping[Key, Pairs], found: Family) -> tuple[Contrast, ...]:
    """Return all contrasts of a chapter, with their tests out of a family that may span several chapters."""
    tests = {Key(test.contrast, test.task, test.model, test.source): test for test in found.declared}
    tests |= {Key(test.contrast, test.task, test.model, test.source): test for test in found.exploratory}
    several = len({one.a.model for one in chapter.contrasts}) > 1
    return tuple(_contrast(chapter, one, data, tests, several=several) for one in chapter.contrasts)


def _pairs(chapter: ChapterIn, one: ContrastIn, scores: Mapping[str, Epochs], rules: Protocol) -> dict[TaskName, Pairs]:
    found: dict[TaskName, Pairs] = {}
    for task in TASKS:
        samples = [sample for sample in one.a.first.samples if sample.task == task]
        if samples:
            ids = {sample.id for sample in samples}
            a, b = (_of_samples(scores[arm.name], ids) for arm in (one.a, one.b))
            own = units(samples, chapter.evidence, rules)
            found[task] = replace(pair(own, results(samples, a), results(samples, b)), no_claim=one.no_claim)
    return found


def _of_samples(epochs: Epochs, ids: set[str]) -> Epochs:
    return [[(record, score) for record, score in epoch if record.sample.id in ids] for epoch in epochs]


def _key(chapter: ChapterIn, one: ContrastIn, task: TaskName) -> Key:
    return Key(one.name, task, one.a.model, chapter.source)


def _contrast(
    chapter: ChapterIn, one: ContrastIn, data: Mapping[Key, Pairs], tests: Mapping[Key, Test], *, several: bool
) -> Contrast:
    by_task: dict[TaskName, tuple[Test, Pairs]] = {
        task: (tests[key], data[key]) for task in TASKS if (key := _key(chapter, one, task)) in data
    }
    name = f"{one.a.model}: {one.name}" if several and one.a.model not in one.name else one.name
    policy = one.a.offline
    text = _ORACLE if policy == "oracle" else _POLICY.format(model=one.a.model) if policy else ""
    return Contrast(
        name=f"{name} ({chapter.label})" if chapter.label else name,
        a=one.a.name,
        b=one.b.name,
        model=one.a.model,
        declared=one.declared,
        by_construction=text,
        no_claim=one.no_claim,
        tests={task: test for task, (test, _) in by_task.items()},
        means={task: _means(pairs) for task, (_, pairs) in by_task.items()},
        strata={task: strata(pairs) for task, (_, pairs) in by_task.items()},
        losses={task: _losses(pairs) for task, (_, pairs) in by_task.items()},
        free=varied(one.a.first, one.b.first),
    )


def _means(pairs: Pairs) -> PairMeans:
    sides = [(one.a, one.b) for one in pairs.scored]
    losses = [[side.loss for side in own if side.loss is not None] for own in zip(*sides, strict=True)] or [[], []]
    rates = [[side.success for side in own if side.success is not None] for own in zip(*sides, strict=True)] or [[], []]
    (loss_a, loss_b), (success_a, success_b) = ([finite_mean(own)[0] for own in both] for both in (losses, rates))
    subjects = len({one.unit.subject for one in pairs.all})
    return PairMeans(loss_a=loss_a, loss_b=loss_b, success_a=success_a, success_b=success_b, subjects=subjects)


def _losses(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    return tuple((one.a.loss, one.b.loss) for one in pairs.scored if one.a.loss is not None is not one.b.loss)
