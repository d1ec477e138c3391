"""Two runs of the same samples side by side, paired on sample id *before* anything is dropped.

Contract: if failures were dropped in each run before pairing, different samples would be compared. Here the pairs are
made first. Every pair of scored samples enters loss, success and all fractions. Only MAE and MRE, which a failure does
not have, use the pairs complete in both runs; their number is given. The loss is that of the declared metric
(``primary``), or else the default loss. Samples missing in a run are listed, never guessed. ``parity`` decides whether
the runs may be compared at all. Differences are ``B - A``, without a test of significance.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore, Score
from medvision_agent.eval.summary.measures import MEASURES, Measure, finite_mean
from medvision_agent.eval.summary.summary import subject_sizes
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["Comparison", "PairedMean", "TaskComparison", "Unpaired", "compare", "same_answers"]


class PairedMean(Frozen):
    """The mean of one measure in both runs, over the pairs in which it is finite in both.

    ``a``, ``b`` and ``difference`` are None if there is no such pair. The unit is that of the measure (``MEASURES``).
    """

    a: float | None
    b: float | None
    difference: float | None
    """``b - a``."""
    n: int
    """Number of pairs used."""
    subjects: int
    """Number of distinct subjects in these pairs."""


class Unpaired(Frozen):
    """The ids of samples that are missing from one run, were not scored in one, or failed in one."""

    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    infrastructure_a: tuple[str, ...]
    """Samples with a record in both runs that A did not score, because of an infrastructure failure."""
    infrastructure_b: tuple[str, ...]
    """The same for B; a sample may be in both lists."""
    unparsable_a: tuple[str, ...]
    """Samples scored in both runs whose answer in A could not be read; they remain in the pairs."""
    unparsable_b: tuple[str, ...]
    """The same for B."""


class TaskComparison(Frozen):
    """The comparison of two runs over the samples of one task: paired means, and what is missing from the pairs."""

    pairs: int
    """Samples scored in both runs."""
    subjects: int
    """Number of distinct subjects in the pairs."""
    largest_subject: int
    """Number of pairs of the subject with the most pairs."""
    metric: Primary | None = None
    """The declared metric; None for the default loss."""
    metrics: dict[str, PairedMean]
    """By the name of the measure (``MEASURES``)."""
    by_answers: float | None
    """The part of the difference in loss (B minus A) that comes from pairs answered in both runs."""
    by_failures: float | None
    """The rest of the difference, which comes from all other pairs; both parts are None without a pair."""
    largest_price: float | None = None
    """The difference in loss if a failure cost as much as the worst answer; given only if failures cost less."""
    missing: Unpaired


class Comparison(Frozen):
    """Two runs over the same samples compared, task by task."""

    protocol: str
    chosen: int
    """Number of samples selected for each run, asked or not."""
    pairs: int
    """Samples scored in both runs."""
    tasks: dict[TaskName, TaskComparison]


@dataclass(frozen=True, slots=True)
class _Pair:
    sample: Sample
    a: Score
    b: Score
    loss_a: float
    loss_b: float
    answered: tuple[bool, bool]


def compare(
    scored_a: Sequence[SampleScore],
    scored_b: Sequence[SampleScore],
    protocol: Protocol,
    *,
    chosen: int,
    metrics: Mapping[TaskName, Primary] = MappingProxyType({}),
) -> Comparison:
    """Return the comparison of two runs scored by a protocol: means over common pairs and differences ``B - A``.

    *scored_a* and *scored_b* are the samples of each run with their scores. *chosen* is the number of samples selected
    for each run, asked or not. *metrics* are the declared metrics by task; other tasks use the default loss.
    """
    tasks = {
        task: _compare_task(task, own_a, own_b, metrics.get(task))
        for task in TASKS
        if (own_a := _of_task(task, scored_a)) | (own_b := _of_task(task, scored_b))
    }
    pairs = sum(task.pairs for task in tasks.values())
    return Comparison(protocol=protocol.name, chosen=chosen, pairs=pairs, tasks=tasks)


def same_answers(pairs: Iterable[tuple[Sequence[SampleScore], Sequence[SampleScore]]]) -> tuple[int, int]:
    """Return the number of answer pairs that state equal numbers in both arms, and the number of pairs scored in both.

    *pairs* holds, for each epoch, the scored samples of both arms. Two failures do not count as equal.
    """
    same = scored = 0
    for own, other in pairs:
        others = {sample.id: score for sample, score in other}
        for sample, a in own:
            b = others.get(sample.id)
            if a is not None and b is not None:
                scored += 1
                same += a.success and a.values == b.values
    return same, scored


def _of_task(task: TaskName, scored: Sequence[SampleScore]) -> dict[str, SampleScore]:
    return {one[0].id: one for one in scored if one[0].task == task}


def _compare_task(
    task: TaskName, own_a: Mapping[str, SampleScore], own_b: Mapping[str, SampleScore], metric: Primary | None
) -> TaskComparison:
    common = [sample_id for sample_id in own_a if sample_id in own_b]
    pairs = {
        sample_id: _pair(own_a[sample_id][0], a, b, metric)
        for sample_id in common
        if (a := own_a[sample_id][1]) is not None and (b := own_b[sample_id][1]) is not None
    }
    loss = _mean_of(pairs.values(), lambda one: (one.loss_a, one.loss_b))
    by_answers = finite_mean(one.loss_b - one.loss_a if all(one.answered) else 0.0 for one in pairs.values())[0]
    return TaskComparison(
        pairs=len(pairs),
        subjects=len(subjects := subject_sizes(own_a[sample_id][0] for sample_id in pairs)),
        largest_subject=max(subjects, default=0),
        metric=metric,
        metrics={measure.name: _paired(measure, pairs.values()) for measure in MEASURES[task]} | {"loss": loss},
        by_answers=by_answers,
        by_failures=None if by_answers is None or loss.difference is None else loss.difference - by_answers,
        largest_price=_at_largest(pairs.values(), metric),
        missing=Unpaired(
            only_in_a=tuple(sample_id for sample_id in own_a if sample_id not in own_b),
            only_in_b=tuple(sample_id for sample_id in own_b if sample_id not in own_a),
            infrastructure_a=tuple(sample_id for sample_id in common if own_a[sample_id][1] is None),
            infrastructure_b=tuple(sample_id for sample_id in common if own_b[sample_id][1] is None),
            unparsable_a=tuple(sample_id for sample_id, pair in pairs.items() if not pair.answered[0]),
            unparsable_b=tuple(sample_id for sample_id, pair in pairs.items() if not pair.answered[1]),
        ),
    )


def _pair(sample: Sample, a: Score, b: Score, metric: Primary | None) -> _Pair:
    if metric is None:
        return _Pair(sample, a, b, a.loss, b.loss, (a.success, b.success))
    (loss_a, read_a), (loss_b, read_b) = metric.of(a, sample.target), metric.of(b, sample.target)
    return _Pair(sample, a, b, loss_a, loss_b, (read_a, read_b))


def _at_largest(pairs: Iterable[_Pair], metric: Primary | None) -> float | None:
    """Return the mean difference in loss (B minus A) with failures at the largest loss that *metric* allows.

    None if a failure costs at least that much already, without a declared metric, and without pairs.
    """
    if metric is None or metric.largest <= 1:
        return None

    def dear(loss: float, *, answered: bool) -> float:
        return loss if answered else metric.largest

    return finite_mean(
        [dear(one.loss_b, answered=one.answered[1]) - dear(one.loss_a, answered=one.answered[0]) for one in pairs]
    )[0]


def _paired(measure: Measure, pairs: Iterable[_Pair]) -> PairedMean:
    return _mean_of(pairs, lambda one: (measure.of(one.sample, one.a), measure.of(one.sample, one.b)))


def _mean_of(pairs: Iterable[_Pair], values: Callable[[_Pair], tuple[float, float]]) -> PairedMean:
    of_a, of_b, subjects = array("d"), array("d"), set[str]()
    for one in pairs:
        a, b = values(one)
        if math.isfinite(a) and math.isfinite(b):
            of_a.append(a)
            of_b.append(b)
            subjects.add(one.sample.subject)
    return PairedMean(
        a=finite_mean(of_a)[0],
        b=finite_mean(of_b)[0],
        difference=finite_mean(b - a for a, b in zip(of_a, of_b, strict=True))[0],
        n=len(of_a),
        subjects=len(subjects),
    )
