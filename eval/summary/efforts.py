"""The effort of stored runs by task, from one pass over each run."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from weakref import WeakKeyDictionary

from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.effort import Effort, EffortSum
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["effort_of_runs", "with_effort"]

_KNOWN = WeakKeyDictionary[Run, Mapping[TaskName, EffortSum]]()


def with_effort(run: Run) -> Iterator[Record]:
    """Yield the latest record of each sample of a run, as ``Run.each`` does.

    The first time that all of them are taken, their effort is summed and remembered for ``effort_of_runs``.
    """
    if run in _KNOWN:
        yield from run.each()
        return
    sums = {task: EffortSum() for task in TASKS}
    for record in run.each():
        if not record.outcome.infrastructure:
            sums[record.sample.task].add(record)
        yield record
    _KNOWN[run] = sums


def effort_of_runs(runs: Sequence[Run], tasks: Iterable[TaskName] = TASKS) -> Effort:
    """Return the effort of the scored samples of several runs (the epochs of an arm) together, over *tasks*."""
    asked, found = list(tasks), EffortSum()
    for run in runs:
        if run not in _KNOWN:
            deque(with_effort(run), maxlen=0)
        for task in asked:
            found.take(_KNOWN[run][task])
    return found.effort()
