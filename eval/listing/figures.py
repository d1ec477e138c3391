"""The figures of one run: its loss and success rate, by task and over all samples."""

from collections.abc import Sequence
from pathlib import Path

from medvision_agent.eval.listing.kept import Kept, keep, kept, mark_of
from medvision_agent.eval.listing.row import Figures
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score_record
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.tasks import TASKS

__all__ = ["figures"]


def figures(folder: Path, rules: Protocol) -> Kept:
    """Return loss and success rate of a stored run by a protocol, from the cache beside the run or from its records.

    Kept figures are used only if the run is unchanged (``mark_of``). Reading records checks the hash of each; raises
    StorageError if they cannot be read, and DamageError if they differ from what was stored.
    """
    mark = mark_of(folder)
    if (known := kept(folder, rules, mark)) is not None:
        return known
    scores = ((record, score_record(record, rules)) for record in open_run(folder).each())
    pairs = [(record, score) for record, score in scores if score is not None]
    by_task = {task: [pair for pair in pairs if pair[0].sample.task == task] for task in TASKS}
    tasks = {task: _means(own) for task, own in by_task.items() if own}
    found = Kept(tasks=tasks, overall=_means(pairs) if pairs else None)
    keep(folder, rules, mark, found)
    return found


def _means(pairs: Sequence[tuple[Record, Score]]) -> Figures:
    return Figures(
        scored=len(pairs),
        subjects=len({record.sample.subject for record, _ in pairs}),
        success_rate=sum(score.success for _, score in pairs) / len(pairs),
        loss=sum(score.loss for _, score in pairs) / len(pairs),
    )
