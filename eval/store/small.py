"""Records and samples in less memory, for those who keep all of a run.

Contract: what is returned equals what is given. Several runs may hold the same samples: equal ones are stored
once, as long as any run holds them.
"""

from typing import Any
from weakref import WeakValueDictionary

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.frozen import Lean, in_less_memory

__all__ = ["smaller_record", "smaller_sample"]

_SAMPLES = WeakValueDictionary[str, Sample]()
"""By id: of several samples with one id, the one that was kept first."""


def smaller_sample(sample: Sample) -> Sample:
    """Return a sample equal to *sample* that takes less memory: one that is kept already, or a new one."""
    known = _SAMPLES.get(sample.id)
    if known is not None and _alike(known, sample):
        return known
    found = in_less_memory(sample)
    return _SAMPLES.setdefault(sample.id, found) if known is None else found


def _alike(a: Any, b: Any) -> bool:
    """Return whether two values are equal.

    ``==`` of models would give each model a dictionary, for as long as the model lives.
    """
    if isinstance(a, Lean):
        return type(a) is type(b) and all(_alike(getattr(a, name), getattr(b, name)) for name in type(a).model_fields)
    if isinstance(a, tuple) and a and isinstance(a[0], Lean):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_alike, a, b))
    return bool(a == b)


def smaller_record(record: Record) -> Record:
    """Return a record equal to *record* in less memory; its ``sample`` stays the same object."""
    return in_less_memory(record, "sample")
