"""Reading result files: whatever is wrong with one is said and counted, and the rest is read."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from medvision_agent.errors import DataError
from medvision_agent.eval.results.build import build_answer
from medvision_agent.eval.results.load import load_answers
from medvision_agent.eval.results.read import AnswerReader
from medvision_agent.eval.scorer.protocol import PROTOCOLS

FILE = "20250101_000000_samples_FeTA24_BiometricsFromLandmarks_Task01_Axial.jsonl"
GOOD: dict[str, Any] = {"doc_id": 0, "target": "10.0", "resps": [["<answer>11</answer>"]], "doc": {}}


def line(**changed: Any) -> str:
    return json.dumps({key: value for key, value in (GOOD | changed).items() if value is not ...}) + "\n"


def read(path: Path, text: str | bytes) -> tuple[int, list[str]]:
    """Write a file and read it; return the number of answers and the notes."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    reader = AnswerReader()
    return sum(map(len, reader.blocks(path))), reader.notes.lines()


@pytest.mark.parametrize(
    ("text", "answers", "note"),
    [
        (
            line() + line(doc_id=1)[:40],
            1,
            "1 files cut off in their last line: it is left out (first: {}, line 2)",
        ),
        (line().rstrip("\n"), 1, None),
        (line() + "\n  \n" + line(doc_id=1), 2, None),
        ("{nonsense}\n" + line(), 1, "1 lines that are not JSON: left out (first: {}, line 1)"),
        (b"\xff\xfe\n" + line().encode(), 1, "1 lines that are not JSON: left out (first: {}, line 1)"),
        ("[" * 100_000 + "\n" + line(), 1, "1 lines that are not JSON: left out (first: {}, line 1)"),
        ("[1]\n" + line(), 1, "1 lines that are not a JSON object: left out (first: {}, line 1)"),
        (
            line() + line(avgMAE=float("nan"), x=[float("inf")]),
            2,
            "2 values NaN or Infinity, which are not JSON",
        ),
        (line() + line(), 2, "1 answers to a question that was answered before (all of them count) (first: FeTA24"),
        (line(resps=["12.5"]), 1, "1 responses not nested in two lists: only the first character is read"),
        (
            line(resps=..., filtered_resps=["11"]),
            1,
            "1 records without a response: the numbers that another parser stored",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str | bytes, answers: int, note: str | None) -> None:
    found, notes = read(tmp_path / FILE, text)
    assert found == answers
    if note is None:
        assert notes == []
    else:
        (only, *_) = notes
        assert note.format(FILE) in only


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"resps": ...}, "there is no response"),
        ({"resps": [[]]}, "resps holds no response"),
        ({"resps": [[{"a": 1}]]}, "the first response in resps is not a text"),
        ({"target": "nan"}, "target 'nan' is not a number or a list of numbers"),
        ({"target": "NaN"}, "target 'NaN' has an infinite number or NaN"),
        ({"target": "1e999"}, "target '1e999' has an infinite number or NaN"),
        ({"target": "9" * 400}, "has an infinite number or NaN"),
        ({"target": "__import__('os').getpid()"}, "is not a number or a list of numbers"),
        ({"target": "[10.0, 20.0]"}, "target has 2 numbers, but 1 are expected"),
        ({"target": "True"}, "is not a number or a list of numbers"),
        ({"target": ...}, "target 'None' is not a number or a list of numbers"),
        ({"doc": "x"}, "doc is not a JSON object"),
        ({"task_type": "Mask"}, "task_type is 'Mask'"),
        ({"task": "CAMUS_MaskSize_Task01_Axial"}, "mask sizes (_MaskSize_) are not scored"),
        ({"nMAE": {"NMAE": "many"}}, "nMAE has no usable numbers"),
    ],
)
def test_a_record_that_cannot_be_scored_is_named(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    found, (note,) = read(tmp_path / FILE, line() + line(doc_id=1, **changed))
    assert found == 1
    assert note.startswith("1 records left out: ")
    assert reason in note
    assert f"{FILE}, line 2" in note


def test_a_thousand_ways_to_be_wrong_are_twenty_lines(tmp_path: Path) -> None:
    found, notes = read(tmp_path / FILE, "".join(line(target=f"x{number}") for number in range(1000)))
    assert found == 0
    assert len(notes) == 21
    assert notes[-1] == "980 of 980 further kinds"


@pytest.mark.parametrize(
    ("text", "bare"),
    [("10", True), ("[10.0]", False), ("(10.0,)", False), (" +10.0 ", True), (10, True), ([1e1], False)],
)
def test_targets(text: Any, bare: bool) -> None:
    answer = build_answer(GOOD | {"target": text}, FILE)
    assert (answer.target, answer.bare_target) == ((10.0,), bare)


def test_a_compressed_file_that_ends_early(tmp_path: Path) -> None:
    whole = gzip.compress("".join(line(doc_id=number, input="x" * number) for number in range(2000)).encode())
    found, notes = read(tmp_path / f"{FILE}.gz", whole[: len(whole) // 2])
    assert 0 < found < 2000
    assert any(note.startswith("1 compressed files that end early or are damaged") for note in notes)
    found, notes = read(tmp_path / "x.jsonl.gz", b"no gzip at all")
    assert found == 0
    assert notes[0].startswith("1 compressed files that end early or are damaged")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: this file cannot be read \(No such file or directory\)"):
        list(AnswerReader().blocks(tmp_path / "none.jsonl"))


def test_no_answer_at_all_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no answer could be read; .*\n1 records left out: there is no response"):
        load_answers(tmp_path / FILE, PROTOCOLS["paper-v1"])


@pytest.mark.parametrize(
    ("protocol", "lines", "doubt"),
    [
        (
            "paper-v1",
            [line(nMAE={"NMAE": 0.1, "success": True})],
            "scored by paper-v1, but the files look like those of v1.2",
        ),
        ("medvision-1.2", [line(task="FeTA24_BiometricsFromLandmarks_Task01_Axial-336x336")], "those of paper-v1"),
        (
            "medvision-1.2",
            [
                line(task="FeTA24_BiometricsFromLandmarks_Task01_Axial-CoT"),
                line(task="a_BiometricsFromLandmarks_-336x336"),
            ],
            "answers of two generations of MedVision's package are together: v1.2 (",
        ),
        ("medvision-1.2", [line(resps=[["11"]]), line(doc_id=1, resps=[["12"]])], "1 of 1 files have no response with"),
        ("paper-v1", [line(resps=[["11"]])], None),
        ("medvision-1.2", [line(resps=[["11"]]), line(doc_id=1)], None),
    ],
)
def test_mixed_protocols_are_said(tmp_path: Path, protocol: str, lines: list[str], doubt: str | None) -> None:
    (tmp_path / FILE).write_text("".join(lines), encoding="utf-8")
    answers, notes = load_answers(tmp_path / FILE, PROTOCOLS[protocol])
    assert sum(map(len, answers)) == len(lines)
    assert notes == [] if doubt is None else any(doubt in note for note in notes)
