"""The quick and the careful reader of a line: they agree, and what only one of them reads is counted the same."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.eval.answers.build import build_answer
from medvision_agent.eval.answers.decode import decode_carefully, decode_quickly
from medvision_agent.eval.answers.read import AnswerReader
from medvision_agent.eval.answers.target import read_target
from medvision_agent.eval.scorer.answer import COUNTS, Family

FILE = "20250101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial.jsonl"
GOOD: dict[str, Any] = {"doc_id": 0, "target": "[10.0, 5.0]", "resps": [["<answer>11, 5</answer>"]], "doc": {}}
NO_NMAE = {"NMAE": math.nan, "success": False}

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
values = st.recursive(
    scalars | st.sampled_from(['"nMAE": {"NMAE": NaN', NO_NMAE, {"nMAE": NO_NMAE}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["nMAE", "NMAE", "doc"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=values, spaced=st.booleans())
def test_both_readers_agree(value: Any, spaced: bool) -> None:
    line = json.dumps(value, separators=None if spaced else (",", ":"), ensure_ascii=spaced).encode(errors="ignore")
    tokens: list[str] = []
    wanted = json.loads(line, parse_constant=lambda token: tokens.append(token) or float(token))
    found, counted = decode_carefully(line)
    assert counted == len(tokens)
    if line.count(b'"nMAE": {"NMAE": NaN') != 1:  # or else null may stand where no reader of an answer looks
        assert repr(found) == repr(wanted)
    try:
        quick = decode_quickly(line)
    except ValueError:
        return
    assert tokens == []
    assert repr(quick) == repr(wanted)


@given(fields=st.dictionaries(st.sampled_from(["nMAE", "raw_nMAE", "doc", "target", "F1"]), values))
def test_an_answer_is_the_same_by_either_reader(fields: dict[str, Any]) -> None:
    text = json.dumps(GOOD | {"nMAE": NO_NMAE} | fields, ensure_ascii=True)

    def built(row: Any) -> str:
        try:
            return repr(build_answer(row, FILE))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            return repr(error)

    assert built(decode_carefully(text.encode())[0]) == built(json.loads(text))


@pytest.mark.parametrize("line", [b'"\\ud800"', b"9" * 400, b"-Infinity"])
def test_what_the_quick_reader_refuses_is_read_carefully(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_quickly(line)
    found, tokens = decode_carefully(line)
    assert (repr(found), tokens) == (repr(json.loads(line)), int(line == b"-Infinity"))


def test_a_whole_number_beyond_64_bits_is_still_an_id(tmp_path: Path) -> None:
    rows = [GOOD | {"doc_id": 2**64 + number} for number in (1, 2)] + [GOOD | {"id": 10**20}]
    (tmp_path / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    reader = AnswerReader()
    assert [answer.id.rpartition("/")[2] for answer in reader.read(tmp_path / FILE)] == [
        "18446744073709551617", "18446744073709551618", "100000000000000000000",
    ]  # fmt: skip
    assert reader.notes.lines() == []


@pytest.mark.parametrize(
    ("more", "tokens"),
    [({}, 1), ({"other": math.inf}, 2), ({"doc": {"x": math.nan}}, 2), ({"nMAE": {"x": 1, "NMAE": math.nan}}, 1)],
)
def test_records_with_tokens_are_counted_and_read(tmp_path: Path, more: dict[str, Any], tokens: int) -> None:
    row = GOOD | {"nMAE": NO_NMAE} | more
    (tmp_path / FILE).write_text(json.dumps(GOOD | {"doc_id": 1}) + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    reader = AnswerReader()
    _, answer = reader.read(tmp_path / FILE)
    assert answer.nmae is not None
    assert math.isnan(answer.nmae.value)
    assert not answer.nmae.success
    assert reader.notes.lines() == [
        f"{tokens} NaN or Infinity tokens, which are no JSON; read as such (first: {FILE}, line 2)"
    ]


@given(family=st.sampled_from(sorted(COUNTS)), data=st.data())
def test_targets_as_text_and_as_numbers(family: Family, data: st.DataObject) -> None:
    count = COUNTS[family]
    number = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
    numbers = data.draw(st.lists(number, min_size=count, max_size=count))
    wanted = (tuple(map(float, numbers)), False)
    assert read_target(numbers, family) == read_target(json.dumps(numbers), family) == wanted
    assert read_target(repr(tuple(numbers)), family) == wanted
    if count == 1:
        assert read_target(numbers[0], family) == read_target(str(numbers[0]), family) == (wanted[0], True)


def test_a_sum_that_is_infinite_is_no_flaw() -> None:
    assert read_target([1e308, 1e308], "TL") == ((1e308, 1e308), False)


@pytest.mark.parametrize("target", [[1.0, math.inf], [math.nan, 1.0], [True, 1.0], [1.0], "[1.0, null]", 1.0])
def test_targets_that_are_not_finite_numbers(target: Any) -> None:
    with pytest.raises(ValueError, match="target"):
        read_target(target, "TL")
