"""Records that are kept take less memory, equal those that were read, and share their samples."""

import gc
import sys
import tracemalloc

from medvision_agent.eval.data.sample import Marks, PixelSize
from medvision_agent.eval.store.record import ToolUse
from medvision_agent.eval.store.small import smaller_record, smaller_sample
from medvision_agent.frozen import in_less_memory


def copies(record, count=100):
    """Return records as a reader makes them: nothing is shared."""
    text = record.model_dump_json()
    return [type(record).model_validate_json(text) for _ in range(count)]


def in_use(make):
    gc.collect()
    tracemalloc.start()
    kept = make()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept)


def test_a_smaller_record_is_equal_in_all_that_is_asked_of_it(make_record):
    uses = tuple(ToolUse(tool="ruler", ok=True, seconds=number / 7) for number in range(5))
    record = make_record("s1", "size", "20, 10").model_copy(update={"tool_uses": uses})
    small = smaller_record(record)
    assert small == record
    assert small.sample is record.sample
    assert hash(small) == hash(record)
    assert repr(small) == repr(record)
    assert small.model_dump_json() == record.model_dump_json()
    assert small.model_copy(update={"forced": True}) == record.model_copy(update={"forced": True})


def test_it_takes_less_memory(make_record):
    uses = tuple(ToolUse(tool="ruler", ok=True, seconds=number / 7) for number in range(5))
    record = make_record("s2", "size", "20, 10").model_copy(update={"tool_uses": uses})
    plain = in_use(lambda: copies(record))
    small = in_use(lambda: list(map(in_less_memory, copies(record))))
    # From Python 3.13 on, models have a dictionary each: it shares its names, but is an object more.
    assert small < (0.8 if sys.version_info < (3, 13) else 0.85) * plain


def test_equal_samples_are_one_object_and_others_are_not(make_record):
    sample = make_record("s3", "size", "20, 10").sample
    first = smaller_sample(sample)
    again = type(sample).model_validate_json(sample.model_dump_json())
    assert smaller_sample(again) is first
    for update in (
        {"target": (21.0, 10.0)},
        {"marks": Marks(silver=True)},
        {"pixel_size": PixelSize(height_mm=9, width_mm=9)},
    ):
        other = sample.model_copy(update=update)
        assert other != first
        assert smaller_sample(other) == other
    assert smaller_sample(again) is first


def test_different_samples_share_equal_pixel_sizes_and_marks(make_record):
    one, other = (smaller_sample(make_record(name, "size", "20, 10").sample) for name in ("s4", "s5"))
    assert one.pixel_size is other.pixel_size
    assert one.marks is other.marks
    wide = make_record("s6", "size", "20, 10").sample.model_copy(
        update={"pixel_size": PixelSize(height_mm=1, width_mm=7)}
    )
    assert smaller_sample(wide).pixel_size == PixelSize(height_mm=1, width_mm=7)
