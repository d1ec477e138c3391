"""Stored JSON is read as Python's own reader reads it, strict or not."""

import json

import pytest

from medvision_agent.eval.store.read import parsed

TEXTS = (
    '{"messages": [{"content": "a \\u00b5 \\ud83d\\ude00", "n": 1.10, "m": -0.0, "k": 12345678901234567890123}]}',
    '{"a": 1, "a": 2}',
    "[NaN, Infinity, -Infinity]",
    "[1e999]",
    '["\\ud800"]',
)


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_read_as_pythons_reader_reads_it(text):
    assert repr(parsed(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a": 1} x'])
def test_what_is_no_json_is_refused_by_the_same_error(text):
    with pytest.raises(json.JSONDecodeError):
        parsed(text)
