"""Records and samples in less memory, for those who keep all of a run.

Contract: what is returned equals what is given. The arms of a comparison hold the same samples: equal ones are stored
once, as long as any run holds them.
"""

from weakref import WeakValueDictionary

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.record import Record
from medvision_agent.frozen import in_less_memory

__all__ = ["smaller_record", "smaller_sample"]

_SAMPLES = WeakValueDictionary[str, Sample]()
"""By id: of several samples with one id, the one that was kept first."""


def smaller_sample(sample: Sample) -> Sample:
    """Return a sample that is kept already and equals *sample*, or one in less memory."""
    known = _SAMPLES.get(sample.id)
    if known is not None and known == sample:
        return known
    found = in_less_memory(sample)
    return _SAMPLES.setdefault(sample.id, found) if known is None else found


def smaller_record(record: Record) -> Record:
    """Return a record in less memory; its sample stays the object that it is."""
    return in_less_memory(record, "sample")
