"""The reader of plans against the standard decoder, at every place where a chunk can end."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.errors import DataError
from medvision_agent.eval.data.medvision import jsonstream
from medvision_agent.eval.data.medvision.jsonstream import JsonStream

PATH = Path("plan.json.gz")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["NaN", '"', "\\", "µ"])
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
documents = st.dictionaries(st.text(), st.lists(values, max_size=4), max_size=4)


class Chunks(io.BytesIO):
    """A file that gives at most so many bytes at once, whatever is asked for."""

    def __init__(self, data, size):
        super().__init__(data)
        self.most = size

    def read(self, size=-1):
        return super().read(self.most)


def walk(data, size):
    """Return an object of lists, read element by element."""
    stream = JsonStream(PATH, Chunks(data, size))
    found = {}
    for key in stream.members():
        found[key] = [stream.value() for _ in stream.elements()]
    stream.end()
    return found


@settings(max_examples=40)
@given(documents, st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_it_reads_what_the_standard_decoder_reads(document, size, indent, ascii_only):
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    # Compared as text, for NaN is not equal to itself.
    assert repr(walk(text.encode("utf-8", "surrogatepass"), size)) == repr(json.loads(text))


@settings(max_examples=40)
@given(documents, st.integers(1, 9), st.data())
def test_a_document_cut_short_is_an_error_wherever_it_ends(document, size, data):
    text = json.dumps(document).encode()
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(
        DataError,
        match=r"^plan\.json\.gz: is not a readable annotation plan of MedVision, .* \(.*\); download the file again$",
    ):
        walk(text[:end], size)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "-0.0", "12345678901234567890"])
@pytest.mark.parametrize("size", range(1, 12))
def test_numbers_are_whole_at_the_end_of_a_chunk(constant, size):
    """Python writes NaN and Infinity bare, and an angle of a plan may be NaN."""
    assert repr(walk(f'{{"a": [{constant}, "NaN"]}}'.encode(), size)) == repr({"a": [json.loads(constant), "NaN"]})


def test_the_last_of_two_equal_keys_counts_as_in_the_standard_decoder():
    assert walk(b'{"a": [{"b": 1, "b": 2}], "a": [3]}', 5) == {"a": [3]}
    assert walk(b'{"a": [{"b": 1, "b": 2}]}', 5) == {"a": [{"b": 2}]}


def test_the_length_of_one_value_is_bounded(monkeypatch):
    monkeypatch.setattr(jsonstream, "MAX_VALUE", 1 << 20)
    endless = b'{"a": ["' + b"x" * (3 << 20)
    with pytest.raises(DataError, match=r"one value is longer than 1 MB"):
        walk(endless, 1 << 16)
