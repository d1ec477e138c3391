"""Two runs of the same samples side by side, paired on sample id *before* anything is dropped.

Contract: if failures were dropped in each run before pairing, different samples would be compared. Here the pairs are
made first. Every pair of scored samples enters loss, success and all fractions. Only MAE and MRE, which a failure does
not have, use the pairs complete in both runs; their number is given. The loss is that of the declared metric
(``primary``), or else the default loss. Samples missing in a run are listed, never guessed. ``parity`` decides whether
the runs may be compared at all. Differences are ``B - A``, without a test of significance.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from types import MappingProxyType

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore, Score
from medvision_agent.eval.summary.measures import MEASURES, finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.side_by_side import joined, paired

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
    found = {task: _Compared(task, metrics.get(task)) for task in TASKS}
    for one, two in joined(scored_a, scored_b, lambda scored: scored[0].id):
        either = one or two
        if either is not None:
            found[either[0].task].add(one, two)
    tasks = {task: own.comparison() for task, own in found.items() if own.samples}
    pairs = sum(task.pairs for task in tasks.values())
    return Comparison(protocol=protocol.name, chosen=chosen, pairs=pairs, tasks=tasks)


def same_answers(pairs: Iterable[tuple[Sequence[SampleScore], Sequence[SampleScore]]]) -> tuple[int, int]:
    """Return the number of answer pairs that state equal numbers in both arms, and the number of pairs scored in both.

    *pairs* holds, for each epoch, the scored samples of both arms. Two failures do not count as equal.
    """
    same = scored = 0
    for own, other in pairs:
        for (_, a), (_, b) in paired(own, other, lambda scored: scored[0].id):
            if a is not None and b is not None:
                scored += 1
                same += a.success and a.values == b.values
    return same, scored


class _Compared:
    """The samples of one task with their scores in both runs, added one by one; only numbers of them are kept."""

    def __init__(self, task: TaskName, metric: Primary | None) -> None:
        self._metric, self._measures = metric, MEASURES[task]
        self._means = {name: _Both() for name in (*(measure.name for measure in self._measures), "loss")}
        self.samples = 0
        """Number of samples in any of the runs."""
        self._subjects = Counter[str]()
        """Number of pairs of each subject."""
        self._losses = _Both()
        self._answered = array("b"), array("b")
        self._only, self._lost, self._unparsable = ((list[str](), list[str]()) for _ in range(3))
        """Ids of samples that only one run has, that it did not score, and whose answer could not be read."""

    def add(self, one: SampleScore | None, two: SampleScore | None) -> None:
        """Add a sample with its scores in run A and in run B, of which one may be missing."""
        self.samples += 1
        if one is None or two is None:
            for scored, only in zip((one, two), self._only, strict=True):
                if scored is not None:
                    only.append(scored[0].id)
            return
        (sample, a), (_, b) = one, two
        if a is None or b is None:
            for score, lost in zip((a, b), self._lost, strict=True):
                if score is None:
                    lost.append(sample.id)
            return
        self._add_pair(sample, a, b)

    def _add_pair(self, sample: Asked, a: Score, b: Score) -> None:
        subject = intern(sample.subject)
        self._subjects[subject] += 1
        losses, answered = (a.loss, b.loss), (a.success, b.success)
        if self._metric is not None:
            (loss_a, read_a), (loss_b, read_b) = (self._metric.of(score, sample.target) for score in (a, b))
            losses, answered = (loss_a, loss_b), (read_a, read_b)
        self._losses.add(*losses, subject)
        for read, column, names in zip(answered, self._answered, self._unparsable, strict=True):
            column.append(read)
            if not read:
                names.append(sample.id)
        for measure in self._measures:
            if measure.name != "loss":
                self._means[measure.name].add(measure.of(sample, a), measure.of(sample, b), subject)

    def comparison(self) -> TaskComparison:
        """Return the comparison of the task's samples."""
        loss, pairs = self._losses.mean(), self._subjects.total()
        both = [all(read) for read in zip(*self._answered, strict=True)]
        every = zip(self._losses.a, self._losses.b, both, strict=True)
        by_answers = finite_mean(b - a if read else 0.0 for a, b, read in every)[0]
        return TaskComparison(
            pairs=pairs,
            subjects=len(self._subjects),
            largest_subject=max(self._subjects.values(), default=0),
            metric=self._metric,
            metrics={name: own.mean() for name, own in self._means.items()} | {"loss": loss},
            by_answers=by_answers,
            by_failures=None if by_answers is None or loss.difference is None else loss.difference - by_answers,
            largest_price=self._at_largest(),
            missing=Unpaired(
                only_in_a=tuple(self._only[0]),
                only_in_b=tuple(self._only[1]),
                infrastructure_a=tuple(self._lost[0]),
                infrastructure_b=tuple(self._lost[1]),
                unparsable_a=tuple(self._unparsable[0]),
                unparsable_b=tuple(self._unparsable[1]),
            ),
        )

    def _at_largest(self) -> float | None:
        """Return the mean difference in loss (B minus A) with failures at the largest loss that the metric allows.

        None if a failure costs at least that much already, without a declared metric, and without pairs.
        """
        metric = self._metric
        if metric is None or metric.largest <= 1:
            return None
        dear_a, dear_b = (
            [loss if read else metric.largest for loss, read in zip(losses, answered, strict=True)]
            for losses, answered in zip((self._losses.a, self._losses.b), self._answered, strict=True)
        )
        return finite_mean(b - a for a, b in zip(dear_a, dear_b, strict=True))[0]


class _Both:
    """One measure in both runs, over the pairs in which it is finite in both."""

    def __init__(self) -> None:
        self.a, self.b = array("d"), array("d")
        self._subjects = set[str]()

    def add(self, a: float, b: float, subject: str) -> None:
        if math.isfinite(a) and math.isfinite(b):
            self.a.append(a)
            self.b.append(b)
            self._subjects.add(subject)

    def mean(self) -> PairedMean:
        return PairedMean(
            a=finite_mean(self.a)[0],
            b=finite_mean(self.b)[0],
            difference=finite_mean(b - a for a, b in zip(self.a, self.b, strict=True))[0],
            n=len(self.a),
            subjects=len(self._subjects),
        )
