"""Samples as units of a comparison, with their results in each arm.

The size of a target is its largest number (``Task.target_size``), or for a box its share of the image area. Strata by
size are thirds of the samples of a task.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from medvision_agent.eval.compare.statistics.pairs import Evidence, Result, Unit
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.scorer.labels import label_names
from medvision_agent.eval.scorer.primary import Primary
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore, Score, Scored, sample_scores
from medvision_agent.eval.store.later import kept
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.efforts import with_effort
from medvision_agent.text import significant

__all__ = ["Epochs", "lines_of", "result_of", "results", "scored", "target_size", "units", "with_records"]


def target_size(sample: Sample) -> float:
    """Return the size of a sample's target: its largest number in its own unit, or a box's area in % of the image."""
    if sample.asks.is_box:
        x1, y1, x2, y2 = sample.target
        return abs((x2 - x1) * (y2 - y1)) * 100
    return max(sample.target)


def _thirds(samples: Sequence[Sample]) -> dict[str, str]:
    """Return, for each sample id, the third of the samples that it is in by size of target, as "1: 5 to 12 mm".

    The samples are those of one task; empty without samples.
    """
    if not samples:
        return {}
    sizes = {sample.id: target_size(sample) for sample in samples}
    ordered = sorted(sizes.values())
    low, high = (float(edge) for edge in np.quantile(ordered, (1 / 3, 2 / 3), method="higher"))
    asked = samples[0].asks
    unit = "%" if asked.is_box else asked.quantity.unit
    place = {one: 0 if size < low else 1 if size < high else 2 for one, size in sizes.items()}
    names = {}
    for third in range(3):
        own = [sizes[one] for one, at in place.items() if at == third]
        if own:
            names[third] = f"{third + 1}: {significant(min(own), 3)} to {significant(max(own), 3)} {unit}"
    return {one: names[at] for one, at in place.items()}


def units(samples: Sequence[Sample], evidence: Evidence, rules: Protocol) -> list[Unit]:
    """Return the samples of one task as units of a comparison, with their subjects and strata, in the order given."""
    third = _thirds(samples)
    return [
        Unit(
            sample=sample.id,
            subject=sample.subject,
            evidence=evidence,
            strata=_strata(sample, third, rules),
            target_size=target_size(sample),
        )
        for sample in samples
    ]


def lines_of(sample: Sample) -> str:
    """Return the names of the lines between the landmarks asked for, as "A to B, C to D"; empty without landmarks."""
    ends = zip(sample.landmarks[::2], sample.landmarks[1::2], strict=False)
    return ", ".join(f"{a} to {b}" for a, b in ends)


def _strata(sample: Sample, third: Mapping[str, str], rules: Protocol) -> Mapping[str, str]:
    return _named(sample.dataset, sample.modality, sample.plane, third[sample.id], _group(sample, rules))


@lru_cache(maxsize=1 << 12)
def _named(dataset: str, modality: str, plane: str, third: str, group: str) -> Mapping[str, str]:
    """Return the strata of a sample by name: one object for all samples of equal strata, of which there are few."""
    return {
        "dataset": dataset,
        "modality": modality or "not stated",
        "plane": plane or "not stated",
        "target size": third,
        "label group": group,
    }


def _group(sample: Sample, rules: Protocol) -> str:
    """Return the stratum of a sample by what is asked for: MedVision's group of its label, or the label itself.

    Without a label it is the measurement, or the lines between its landmarks.
    """
    if sample.label is None:
        return sample.measurement or lines_of(sample)
    names = label_names(rules.label_table).get(sample.label) if sample.medvision is not None else None
    return names.group if names is not None else sample.label


Epochs = Sequence[Sequence[SampleScore]]
"""The samples with a record of an arm with their scores, epoch by epoch, in the order of the run's records."""


def scored(arm: ArmIn, rules: Protocol) -> list[list[SampleScore]]:
    """Return the samples of each epoch of an arm with their scores; None is the score of an infrastructure failure.

    The records are read once and not kept.
    """
    for run in arm.runs:
        kept(run.samples)  # the scores share them, and so do the arms
    return [[*sample_scores(with_effort(run), rules)] for run in arm.runs]


def with_records(run: Run, epoch: Sequence[SampleScore]) -> Iterator[Scored]:
    """Yield each record of a run with its score, one at a time; *epoch* holds the run's samples with their scores."""
    return ((record, score) for record, (_, score) in zip(run.each(), epoch, strict=True))


def results(samples: Sequence[Sample], arm: ArmIn, epochs: Epochs, metric: Primary | None = None) -> list[Result]:
    """Return the results of *samples* in every epoch of an arm; a sample that was not asked has none.

    *epochs* are the scored samples of the arm's runs. *metric* is the declared metric; without it, our loss is used.
    """
    wanted = {sample.id for sample in samples}
    return [
        result_of(sample, score, metric, wording)
        for wording, epoch in zip(arm.wordings, epochs, strict=True)
        for sample, score in epoch
        if sample.id in wanted
    ]


def result_of(sample: Sample, score: Score | None, metric: Primary | None, wording: int = 0) -> Result:
    """Return the result of a sample, asked in a *wording*, by the declared *metric*, or without one by our loss.

    A *score* of None is an infrastructure failure, whose result has no loss.
    """
    if score is None:
        return Result(sample.id, None, answered=False, wording=wording)
    if metric is None:
        return Result(sample.id, float(score.loss), answered=score.success, wording=wording)
    loss, answered = metric.of(score, sample.target)
    return Result(sample.id, loss, answered, wording)
