"""Canaries: detect whether a service changed during a study, by asking the same questions several times.

The test: if nothing changed, a subject's losses at different moments are exchangeable. The statistic is the variance of
the mean losses of the moments; ``p`` is the share of seeded permutations within subjects that reach it, including the
observed one (Phipson and Smyth 2010, "Permutation p-values should never be zero"). So if nothing changed, the test
keeps its level for any number of subjects.
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
"""When canaries are asked, relative to the run over their source."""
_PERMUTATIONS = 9999
_ROUNDING = 1e-12


class Drift(Frozen):
    """The canary results of one task: its mean loss at the start, in the middle and at the end of a study."""

    task: TaskName
    losses: tuple[float, ...]
    """Mean loss at each moment."""
    n: int
    """Number of samples scored at every moment."""
    subjects: int
    p: float
    """p-value of the hypothesis that the service did not change between the moments."""


def canary_folder(study: Path, cell: Path, moment: str) -> Path:
    """Return the folder of the canary run of one *moment* (of ``MOMENTS``) in the folder of a study.

    Its samples are asked with the settings of the run in the folder *cell*.
    """
    return study / CANARIES / f"{cell.name}--{moment}"


def drift(runs: Sequence[Run], rules: Protocol) -> tuple[Drift, ...]:
    """Return the canary results of one model over one source, one for each task that has samples; scored by *rules*.

    *runs* holds the canary run of each moment, in the order of ``MOMENTS``. Only samples scored in all of them count.
    """
    scores = [{record.sample.id: score_record(record, rules) for record in run.each()} for run in runs]
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
    """Return the permutation p-value, above 0 to 1, that nothing changed between the moments.

    *sums* holds the summed losses, (subjects, moments).
    """
    random = np.random.default_rng(0)
    permuted = random.permuted(np.broadcast_to(sums, (_PERMUTATIONS, *sums.shape)), axis=-1)
    reached = permuted.mean(axis=1).var(axis=-1) >= sums.mean(axis=0).var() - _ROUNDING
    return float((1 + reached.sum()) / (1 + _PERMUTATIONS))
