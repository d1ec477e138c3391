"""Samples as units of a comparison, with their results in each arm.

The size of a target is its largest number (``Task.target_size``), or for a box its share of the image area. Strata by
size are thirds of the samples of a task.
"""

from array import array
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from sys import intern

import numpy as np

from medvision_agent.eval.compare.statistics.pairs import Evidence, Result, Unit
from medvision_agent.eval.data.sample import Asked, Group, Question
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.scorer.labels import label_names
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore, Score, Scored, sample_scores
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.efforts import with_effort
from medvision_agent.eval.tasks import Task, TaskName
from medvision_agent.packed_list import PackedList
from medvision_agent.text import significant

__all__ = ["Epochs", "by_sample", "lines_of", "result_of", "results", "scored", "target_size", "units", "with_records"]


def target_size(sample: Asked) -> float:
    """Return the size of a sample's target: its largest number in its own unit, or a box's area in % of the image."""
    if sample.asks.is_box:
        x1, y1, x2, y2 = sample.target
        return abs((x2 - x1) * (y2 - y1)) * 100
    return max(sample.target)


def _thirds(sizes: Sequence[float], task: Task) -> list[str]:
    """Return, for each sample of a task, the third of the samples that it is in by size of target: "1: 5 to 12 mm".

    *sizes* are the sizes of the samples' targets.
    """
    values = np.array(sizes, dtype=np.float64)
    low, high = np.quantile(values, (1 / 3, 2 / 3), method="higher")
    unit = "%" if task.is_box else task.quantity.unit
    place = (values >= low).astype(np.int8) + (values >= high)
    names = {}
    for third in range(3):
        own = values[place == third]
        if own.size:
            least, most = float(own.min()), float(own.max())
            names[third] = f"{third + 1}: {significant(least, 3)} to {significant(most, 3)} {unit}"
    return [names[at] for at in place.tolist()]


def units(samples: Iterable[Asked], evidence: Evidence, rules: Protocol) -> list[Unit]:
    """Return the samples of one task as units of a comparison, with their subjects and strata, in the order given.

    *samples* is read once, and none of them is kept.
    """
    sizes, rows = array("d"), list[tuple[str, str, Group, str]]()
    for one in samples:
        sizes.append(target_size(one))
        task = one.asks
        rows.append((one.id, intern(one.subject), one.group, intern(_label_group(one, rules))))
    thirds = _thirds(sizes, task) if rows else []
    return [
        Unit(name, subject, evidence, _strata(group.dataset, group.modality, group.plane, label, third), size)
        for (name, subject, group, label), third, size in zip(rows, thirds, sizes, strict=True)
    ]


def lines_of(sample: Question) -> str:
    """Return the names of the lines between the landmarks asked for, as "A to B, C to D"; empty without landmarks."""
    ends = zip(sample.landmarks[::2], sample.landmarks[1::2], strict=False)
    return ", ".join(f"{a} to {b}" for a, b in ends)


@lru_cache(maxsize=1 << 12)
def _strata(dataset: str, modality: str, plane: str, group: str, third: str) -> Mapping[str, str]:
    """Return the strata of a sample by name: one object for all samples of equal strata, of which there are few."""
    return {
        "dataset": dataset,
        "modality": modality or "not stated",
        "plane": plane or "not stated",
        "target size": third,
        "label group": group,
    }


def _label_group(sample: Asked, rules: Protocol) -> str:
    """Return the stratum of a sample by what is asked for: MedVision's group of its label, or the label itself.

    Without a label it is the measurement, or the lines between its landmarks.
    """
    if sample.label is None:
        return sample.measurement or lines_of(sample)
    names = label_names(rules.label_table).get(sample.label) if sample.group.annotation_version is not None else None
    return names.group if names is not None else sample.label


Epochs = Sequence[Sequence[SampleScore]]
"""The samples with a record of an arm with their scores, epoch by epoch, in the order of the run's records."""


def scored(arm: ArmIn, rules: Protocol) -> Epochs:
    """Return the samples of each epoch of an arm with their scores; None is the score of an infrastructure failure.

    The records are read once and not kept.
    """
    for run in arm.runs:
        asked_in(run)  # the samples of its records are packed now
    return [PackedList(sample_scores(with_effort(run), rules), f"{run.folder}, scores") for run in arm.runs]


def by_sample(epochs: Epochs, task: TaskName) -> Iterator[list[tuple[Asked, Score]]]:
    """Yield the scored answers to each sample of a task, those of all epochs together; one sample at a time.

    *epochs* are the scored samples of an arm. With several epochs, their answers are held in memory.
    """
    answers = ((one, score) for epoch in epochs for one, score in epoch if score is not None and one.task == task)
    if len(epochs) == 1:
        yield from ([answer] for answer in answers)
        return
    together: dict[str, list[tuple[Asked, Score]]] = {}
    for answer in answers:
        together.setdefault(answer[0].id, []).append(answer)
    yield from together.values()


def with_records(run: Run, epoch: Sequence[SampleScore]) -> Iterator[Scored]:
    """Yield each record of a run with its score, one at a time; *epoch* holds the run's samples with their scores."""
    return ((record, score) for record, (_, score) in zip(run.each(), epoch, strict=True))


def results(wanted: Container[str], arm: ArmIn, epochs: Epochs, metric: Primary | None = None) -> Iterator[Result]:
    """Yield the results of the samples with the ids *wanted* in every epoch of an arm; one not asked has none.

    *epochs* are the scored samples of the arm's runs. *metric* is the declared metric; without it, our loss is used.
    """
    for wording, epoch in zip(arm.wordings, epochs, strict=True):
        for sample, score in epoch:
            if sample.id in wanted:
                yield result_of(sample, score, metric, wording)


def result_of(sample: Asked, score: Score | None, metric: Primary | None, wording: int = 0) -> Result:
    """Return the result of a sample, asked in a *wording*, by the declared *metric*, or without one by our loss.

    A *score* of None is an infrastructure failure, whose result has no loss.
    """
    if score is None:
        return Result(sample.id, None, answered=False, wording=wording)
    if metric is None:
        return Result(sample.id, float(score.loss), answered=score.success, wording=wording)
    loss, answered = metric.of(score, sample.target)
    return Result(sample.id, loss, answered, wording)
