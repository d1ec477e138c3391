"""Canaries: whether a service changed in the course of a study, by the same questions asked again and again.

The test: were nothing changed, the losses of a subject at each moment could be exchanged. The statistic is the
variance of the mean losses of the moments; ``p`` is the share of seeded permutations within subjects that reach it,
the observed one counted among them (Phipson and Smyth 2010, "Permutation p-values should never be zero"). So it is at
most at its level where nothing changed, for any number of subjects.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medvision_agent.eval.compare.statistics.jackknife import Floats, by_subject
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import CANARIES
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen

__all__ = ["MOMENTS", "Drift", "canary_folder", "drift"]

MOMENTS = ("start", "middle", "end")
"""When canaries are asked, in the course of their source."""
_PERMUTATIONS = 9999
_ROUNDING = 1e-12


class Drift(Frozen):
    """The canaries of one task."""

    task: TaskName
    losses: tuple[float, ...]
    """Mean loss at each moment."""
    n: int
    """Samples scored at every moment."""
    subjects: int
    p: float
    """Of the hypothesis that nothing changed."""


def canary_folder(study: Path, cell: Path, moment: str) -> Path:
    """Return where the canaries of a moment are kept that are asked as the run of a cell is."""
    return study / CANARIES / f"{cell.name}--{moment}"


def drift(runs: Sequence[Run], rules: Protocol) -> tuple[Drift, ...]:
    """Return what the canaries of a model over a source show, task by task; *runs* are those of the moments."""
    scores = [{record.sample.id: score_record(record, rules) for record in run.records} for run in runs]
    losses = [{name: one.loss for name, one in own.items() if one is not None} for own in scores]
    samples = [sample for sample in runs[0].samples if all(sample.id in own for own in losses)]
    found = []
    for task in TASKS:
        if asked := [sample for sample in samples if sample.task == task]:
            columns = [[own[one.id] for one in asked] for own in losses]
            sizes, *sums = by_subject([one.subject for one in asked], *columns)
            means = tuple(float(one.sum() / sizes.sum()) for one in sums)
            p = _p(np.stack(sums, axis=-1))
            found.append(Drift(task=task, losses=means, n=len(asked), subjects=len(sizes), p=p))
    return tuple(found)


def _p(sums: Floats) -> float:
    """Return the p-value; *sums* holds the summed losses, (subjects, moments)."""
    random = np.random.default_rng(0)
    permuted = random.permuted(np.broadcast_to(sums, (_PERMUTATIONS, *sums.shape)), axis=-1)
    reached = permuted.mean(axis=1).var(axis=-1) >= sums.mean(axis=0).var() - _ROUNDING
    return float((1 + reached.sum()) / (1 + _PERMUTATIONS))
