"""The contrasts of a chapter: paired, tested as a family where declared, with strata and what is missing."""

from collections.abc import Iterable, Mapping

from medvision_agent.eval.compare.statistics.family import FamilyOfTests, Test
from medvision_agent.eval.compare.statistics.pairs import Key, Pairs, pair
from medvision_agent.eval.compare.statistics.strata import strata
from medvision_agent.eval.report.figures import Epochs, results, units
from medvision_agent.eval.report.inputs import ChapterIn, ContrastIn, varied
from medvision_agent.eval.report.model import Contrast, PairMeans
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
        for task in TASKS:
            samples = [sample for sample in one.a.first.samples if sample.task == task]
            if samples:
                a, b = (results(samples, scores[arm.name]) for arm in (one.a, one.b))
                data[_key(chapter, one, task)] = pair(units(samples, chapter.evidence, rules), a, b)
    return data


def contrasts(chapter: ChapterIn, data: Mapping[Key, Pairs], found: FamilyOfTests) -> tuple[Contrast, ...]:
    """Return all contrasts of a chapter, with their tests out of a family that may span several chapters."""
    every = (*found.declared, *found.exploratory)
    tests = {Key(test.contrast, test.task, test.model, test.source): test for test in every}
    several = len({one.a.model for one in chapter.contrasts}) > 1
    return tuple(_contrast(chapter, one, data, tests, several=several) for one in chapter.contrasts)


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
        tests={task: test for task, (test, _) in by_task.items()},
        means={task: _means(pairs) for task, (_, pairs) in by_task.items()},
        strata={task: strata(pairs) for task, (_, pairs) in by_task.items()},
        losses={task: _losses(pairs) for task, (_, pairs) in by_task.items()},
        free=varied(one.a.first, one.b.first),
    )


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
