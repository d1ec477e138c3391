"""Two runs of the same samples side by side, paired on sample id *before* anything is dropped.

Contract: dropping failures in each run first and pairing what is left compares different samples; here the pairs
are made first, every pair of scored samples enters loss, success and all fractions, and only MAE and MRE, which a
failure does not have, use the pairs complete in both runs and say how many. What a run lacks is listed, never
guessed. Whether the runs may be compared at all is ``parity``'s question. Differences are ``B - A``, without a
test of significance.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.measures import MEASURES, Measure, finite_mean
from medvision_agent.eval.summary.summary import subject_sizes
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["Comparison", "PairedMean", "TaskComparison", "Unpaired", "compare", "same_answers"]


class PairedMean(Frozen):
    """A measure over the pairs for which it is finite in both runs; None without such a pair."""

    a: float | None
    b: float | None
    difference: float | None
    """``b - a``."""
    n: int
    """Pairs that entered."""
    subjects: int
    """Distinct subjects among them."""


class Unpaired(Frozen):
    """Sample ids that could not be paired, or that count as failures in their pair."""

    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    infrastructure_a: tuple[str, ...]
    infrastructure_b: tuple[str, ...]
    """Present in both runs, but not scored in this one (or in either)."""
    unparsable_a: tuple[str, ...]
    unparsable_b: tuple[str, ...]
    """Scored pairs whose answer failed in this run: they stay in the pairs."""


class TaskComparison(Frozen):
    """All pairs of one task."""

    pairs: int
    """Samples scored in both runs."""
    subjects: int
    """Distinct subjects among them."""
    largest_subject: int
    """Pairs of the subject with most of them."""
    metrics: dict[str, PairedMean]
    missing: Unpaired


class Comparison(Frozen):
    """Two runs, by task."""

    protocol: str
    chosen: int
    """Samples the runs were to ask."""
    pairs: int
    """Samples scored in both runs."""
    tasks: dict[TaskName, TaskComparison]


@dataclass(frozen=True, slots=True)
class _Pair:
    sample: Sample
    a: Score
    b: Score


def compare(records_a: Sequence[Record], records_b: Sequence[Record], protocol: Protocol, *, chosen: int) -> Comparison:
    """Return run B beside run A, scored by a protocol: means over common pairs and their differences ``B - A``.

    *chosen* is the number of samples the runs were to ask.
    """
    tasks = {
        task: _compare_task(task, own_a, own_b, protocol)
        for task in TASKS
        if (own_a := _of_task(task, records_a)) | (own_b := _of_task(task, records_b))
    }
    pairs = sum(task.pairs for task in tasks.values())
    return Comparison(protocol=protocol.name, chosen=chosen, pairs=pairs, tasks=tasks)


def same_answers(pairs: Iterable[tuple[Sequence[Record], Sequence[Record]]], protocol: Protocol) -> tuple[int, int]:
    """Return how many samples have the same answer in both of two runs, and how many were scored in both.

    *pairs* are the records of both, for each epoch. Two failures are no same answer.
    """
    same = scored = 0
    for records_a, records_b in pairs:
        others = {record.sample.id: score_record(record, protocol) for record in records_b}
        for record in records_a:
            a, b = score_record(record, protocol), others.get(record.sample.id)
            if a is not None and b is not None:
                scored += 1
                same += a.success and a.values == b.values
    return same, scored


def _of_task(task: TaskName, records: Sequence[Record]) -> dict[str, Record]:
    return {record.sample.id: record for record in records if record.sample.task == task}


def _compare_task(
    task: TaskName, records_a: dict[str, Record], records_b: dict[str, Record], protocol: Protocol
) -> TaskComparison:
    common = [sample_id for sample_id in records_a if sample_id in records_b]
    scores_a = {sample_id: score_record(records_a[sample_id], protocol) for sample_id in common}
    scores_b = {sample_id: score_record(records_b[sample_id], protocol) for sample_id in common}
    pairs = {
        sample_id: _Pair(records_a[sample_id].sample, a, b)
        for sample_id in common
        if (a := scores_a[sample_id]) is not None and (b := scores_b[sample_id]) is not None
    }
    return TaskComparison(
        pairs=len(pairs),
        subjects=len(subjects := subject_sizes(records_a[sample_id] for sample_id in pairs)),
        largest_subject=max(subjects, default=0),
        metrics={measure.name: _paired(measure, list(pairs.values())) for measure in MEASURES[task]},
        missing=Unpaired(
            only_in_a=tuple(sample_id for sample_id in records_a if sample_id not in records_b),
            only_in_b=tuple(sample_id for sample_id in records_b if sample_id not in records_a),
            infrastructure_a=tuple(sample_id for sample_id in common if scores_a[sample_id] is None),
            infrastructure_b=tuple(sample_id for sample_id in common if scores_b[sample_id] is None),
            unparsable_a=tuple(sample_id for sample_id, pair in pairs.items() if not pair.a.success),
            unparsable_b=tuple(sample_id for sample_id, pair in pairs.items() if not pair.b.success),
        ),
    )


def _paired(measure: Measure, pairs: Sequence[_Pair]) -> PairedMean:
    both = [(one.sample.subject, measure.of(one.sample, one.a), measure.of(one.sample, one.b)) for one in pairs]
    complete = [(subject, a, b) for subject, a, b in both if math.isfinite(a) and math.isfinite(b)]
    return PairedMean(
        a=finite_mean([a for _, a, _ in complete])[0],
        b=finite_mean([b for _, _, b in complete])[0],
        difference=finite_mean([b - a for _, a, b in complete])[0],
        n=len(complete),
        subjects=len({subject for subject, _, _ in complete}),
    )
