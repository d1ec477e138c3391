"""The questions of all samples of a run, answered or not, in little memory."""

from weakref import WeakKeyDictionary

from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.store.later import Later, streamed
from medvision_agent.eval.store.run import Run
from medvision_agent.packed_list import PackedList

__all__ = ["asked_in"]

_DONE = WeakKeyDictionary[Run, PackedList[Asked]]()


def asked_in(run: Run) -> PackedList[Asked]:
    """Return the questions of all samples of a run in their order; they are kept packed as long as the run exists.

    Where the run's samples are not in memory, they are kept packed too: a comparison reads them several times.
    """
    if run not in _DONE:
        found = PackedList[Asked](what=f"{run.folder}, questions")
        if isinstance(run.samples, Later) and not run.samples.at_hand:
            run.samples.pack(also=lambda sample: found.add(Asked.of(sample)))
        else:
            for sample in streamed(run.samples):
                found.add(Asked.of(sample))
        _DONE[run] = found
    return _DONE[run]
