"""Runs over MedVision samples made without a model: every kind of answer, spread over all samples by a fixed seed."""

import random
from collections.abc import Sequence
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record


def answered(data: Path) -> list[Record]:
    """Return records of all test samples of a data folder: near, far, untagged, unreadable, refused, and no reply."""
    chance = random.Random(7)  # noqa: S311 - the same answers every time
    samples = MedVisionSource(data, Reading()).samples
    return [_record(sample, chance) for sample in samples if sample.medvision.config.endswith("_Test")]


def _record(sample: Sample, chance: random.Random) -> Record:
    numbers = [f"{value * chance.uniform(0.7, 1.3):.4f}" for value in sample.target]
    kind = chance.choices(["near", "short", "untagged", "words", "refused", "cut", "lost"], [80, 4, 4, 4, 3, 3, 2])[0]
    outcomes = {"refused": Outcome.REFUSED, "cut": Outcome.LIMIT_REACHED, "lost": Outcome.TIMEOUT}
    texts = {
        "short": f"<answer>{', '.join(numbers[1:])}</answer>",
        "untagged": ", ".join(numbers),
        "words": "<answer>cannot be said</answer>",
    }
    whole = f"<think>1 of 2</think><answer>{', '.join(numbers)}</answer>"
    return Record(sample=sample, outcome=outcomes.get(kind, Outcome.ANSWERED), response=texts.get(kind, whole))


def kept(records: Sequence[Record]) -> list[Record]:
    """Return the records that are results."""
    return [record for record in records if not record.outcome.infrastructure]
