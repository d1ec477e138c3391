"""A record as MedVision writes it, and one that is not: read to the same answer, and counted the same."""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medvision_agent.eval.results.build import build_answer
from medvision_agent.eval.results.read import AnswerReader
from medvision_agent.eval.results.record import Record, decode, decode_carefully
from medvision_agent.eval.results.target import read_target
from medvision_agent.eval.scorer.answer import COUNTS, Answer
from medvision_agent.eval.tasks import Family

FILE = "20250101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial.jsonl"
FILES = [
    FILE,
    FILE.replace("TumorLesionSize", "BoxCoordinate"),
    FILE.replace("TumorLesionSize", "BiometricsFromLandmarks"),
]
GOOD: dict[str, Any] = {"doc_id": 0, "target": "[10.0, 5.0]", "resps": [["<answer>11, 5</answer>"]], "doc": {}}
NO_NMAE = {"NMAE": math.nan, "success": False}


def answers_in(reader: AnswerReader, path: Path) -> list[Answer]:
    return [answer for block in reader.blocks(path) for answer in block]


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
values = st.recursive(
    scalars | st.sampled_from(['"nMAE": {"NMAE": NaN', NO_NMAE, {"nMAE": NO_NMAE}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["nMAE", "NMAE", "doc"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(value=values, spaced=st.booleans())
def test_a_line_is_read_as_python_reads_json(value: Any, spaced: bool) -> None:
    line = json.dumps(value, separators=None if spaced else (",", ":"), ensure_ascii=spaced).encode(errors="ignore")
    tokens: list[str] = []
    wanted = json.loads(line, parse_constant=lambda token: tokens.append(token) or float(token))
    found, counted = decode_carefully(line)
    assert counted == len(tokens)
    if line.count(b'"nMAE": {"NMAE": NaN') != 1:  # or else null may stand where no reader of an answer looks
        assert repr(found) == repr(wanted)


@settings(deadline=None)
@given(fields=st.dictionaries(st.sampled_from(["nMAE", "raw_nMAE", "doc", "target", "F1"]), values))
def test_an_answer_is_the_same_by_either_reader(fields: dict[str, Any]) -> None:
    text = json.dumps(GOOD | {"nMAE": NO_NMAE} | fields, ensure_ascii=True)

    def built(row: Any) -> str:
        try:
            return repr(build_answer(row, FILE))
        except ValueError as error:
            return repr(error)

    assert built(decode_carefully(text.encode())[0]) == built(json.loads(text))


@pytest.mark.parametrize("line", [b'"\\ud800"', b"1e999", b"-Infinity"])
def test_what_is_no_json_for_one_reader_is_read_carefully(line: bytes) -> None:
    assert decode([b'{"target": 1, "resps": [["x"]], "unused": %s, "F1": %s}\n' % (line, line)], Record) is None
    found, tokens = decode_carefully(line)
    assert (repr(found), tokens) == (repr(json.loads(line)), int(line == b"-Infinity"))


def test_a_whole_number_beyond_64_bits_is_still_an_id(tmp_path: Path) -> None:
    rows = [GOOD | {"doc_id": 2**64 + number} for number in (1, 2)] + [GOOD | {"id": 10**20}]
    (tmp_path / FILE).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    reader = AnswerReader()
    assert [answer.id.rpartition("/")[2] for answer in answers_in(reader, tmp_path / FILE)] == [
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
    _, answer = answers_in(reader, tmp_path / FILE)
    assert answer.nmae is not None
    assert answer.nmae.value is None
    assert not answer.nmae.success
    assert reader.notes.lines() == [
        f"{tokens} values NaN or Infinity, which are not JSON: read as such numbers (first: {FILE}, line 2)"
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


junk = values | st.sampled_from(
    [[["a"]], [["a", "b"], []], [[["a"], "b"]], ["text"], [""], "AD", {"label": 2**70}, "\ud800"]
)
KEYS = ["doc", "target", "resps", "id", "doc_id", "task", "file", "task_type", "label_name", "image_modality"]
fields = st.dictionaries(
    st.sampled_from(
        [*KEYS, "nMAE", "raw_nMAE", "image_header_zooms", "pixel_size_scale", "raw_pixel_size_scale", "F1", "response"]
    ),
    junk,
    max_size=2,
)
documents = st.dictionaries(
    st.sampled_from(
        ["label", "bounding_boxes", "biometric_profile", "taskID", "slice_dim", "image_size_2d", "image_file"]
    ),
    junk | st.fixed_dictionaries({"metric_type": junk, "metric_key": junk}) | st.just({"dimensions": [[3, 4], [5, 6]]}),
    max_size=3,
)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(fields, st.none() | documents), min_size=1, max_size=4), name=st.sampled_from(FILES))
@example(rows=[({}, {"label": {"nMAE": {"NMAE": float("nan"), "success": False}}})], name=FILES[0])
@example(rows=[({}, {"bounding_boxes": {"dimensions": [{"nMAE": {"NMAE": float("nan")}}]}})], name=FILES[0])
def test_whichever_way_a_record_goes_its_answer_is_the_same(rows: list[Any], name: str) -> None:
    whole = [
        GOOD | {"doc_id": number} | own | ({} if doc is None else {"doc": doc})
        for number, (own, doc) in enumerate(rows)
    ]
    lines = [json.dumps(row).encode() + b"\n" for row in whole]
    wanted = []
    for line in lines:
        try:
            wanted.append(build_answer(json.loads(line), name))
        except ValueError:
            continue
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(b"".join(lines))
        found = answers_in(AnswerReader(), path)
    for family in COUNTS:  # the answers of each stand together
        ours, theirs = ([repr(one) for one in many if one.family == family] for many in (found, wanted))
        assert ours == theirs


def test_the_order_of_lines_is_kept_whichever_way_their_records_go(tmp_path: Path) -> None:
    """Every third goes one by one, every seventh is left out; more than a few blocks of them."""
    rows = [
        GOOD
        | {"doc_id": number, "target": "x" if number % 7 == 3 else "[10.0, 5.0]"}
        | ({"label_name": 5} if number % 3 == 0 else {})
        | ({"resps": ["<answer>"]} if number in {50, 400} else {})
        for number in range(500)
    ]
    (tmp_path / FILE).write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[99]]), encoding="utf-8")
    reader = AnswerReader()
    found = [int(answer.id.rpartition("/")[2]) for answer in answers_in(reader, tmp_path / FILE)]
    assert found == [number for number in range(500) if number % 7 != 3] + [99]
    task = FILE.rpartition("_samples_")[2].removesuffix(".jsonl")
    flat = "2 responses not nested in two lists: only the first character is read, as MedVision's package does"
    assert reader.notes.lines() == [
        f"71 records left out: target 'x' is not a number or a list of numbers (first: {FILE}, line 4)",
        f"{flat} (first: {FILE}, line 51)",
        f"1 answers to a question that was answered before (all of them count) (first: {task}/99, {FILE}, line 501)",
    ]


def test_what_is_skipped_must_be_utf8_too(tmp_path: Path) -> None:
    line = json.dumps(GOOD | {"unused": "x"}).encode()
    (tmp_path / FILE).write_bytes(line + b"\n" + line.replace(b'"x"', b'"\xff"') + b"\n")
    reader = AnswerReader()
    assert len(answers_in(reader, tmp_path / FILE)) == 1
    assert reader.notes.lines() == [f"1 lines that are not JSON: left out (first: {FILE}, line 2)"]
