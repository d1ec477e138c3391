"""A block of lines read at once: the same answers and notes as of its lines one by one, whatever is in them."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from golden import GOLDEN, rows

from medvision_agent.eval.results import read as module
from medvision_agent.eval.results.read import AnswerReader
from medvision_agent.eval.results.record import NO_NMAE, Record, decode

FILE = "20250101_000000_samples_KiTS23_TumorLesionSize_Task01_Axial.jsonl"
GOOD: dict[str, Any] = {"doc_id": 0, "target": "[10.0, 5.0]", "resps": [["<answer>11, 5</answer>"]], "doc": {}}
LINE = json.dumps(GOOD).encode()
Damage = Callable[[bytes, random.Random], bytes]

DAMAGE: dict[str, Damage] = {
    "cut off": lambda line, chance: line[: chance.randrange(len(line))],
    "cut off in its line": lambda line, chance: line[: chance.randrange(len(line))] + b"\n",
    "broken in two": lambda line, chance: (at := chance.randrange(len(line))) and line[:at] + b"\n" + line[at:],
    "two in a line": lambda line, _: line.rstrip() + line,
    "a blank line": lambda line, _: line + b"\n",
    "two and a blank line": lambda line, _: line.rstrip() + line + b"\n",
    "carriage return": lambda line, _: line.rstrip() + b"\r" + line,
    "no UTF-8": lambda line, _: line.replace(b"doc_id", b"doc\xff"),
    "surrogate": lambda line, _: line.replace(b"doc_id", b"\\ud800"),
    "more than ASCII": lambda line, _: line.replace(b"<answer>", "\u00e4<answer>\u0661".encode()),
    "NaN": lambda line, _: line.replace(b'"doc":', b'"nMAE": {"NMAE": NaN, "success": false}, "doc":'),
    "NaN twice": lambda line, _: line.replace(b'"doc":', b'"nMAE": {"NMAE": NaN}, "nMAE": {"NMAE": NaN}, "doc":'),
    "NaN elsewhere": lambda line, _: line.replace(b'"doc":', b'"x": NaN, "doc":'),
    "an array": lambda line, _: b"[" + line.rstrip() + b"]\n",
}


def read(path: Path) -> tuple[list[str], list[str], dict[str, str], set[str]]:
    reader = AnswerReader()
    answers = [repr(answer) for block in reader.blocks(path) for answer in block]
    return answers, reader.notes.lines(), reader.signs.first(), reader.tagged


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    at_once = read(path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "decode", lambda *_: None)
        return at_once, read(path)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_line_among_whole_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - the same damage every time
    for place in (0, 3, 9):
        lines = [json.dumps(GOOD | {"doc_id": number}).encode() + b"\n" for number in range(10)]
        lines[place] = DAMAGE[name](lines[place], chance)
        (tmp_path / FILE).write_bytes(b"".join(lines))
        at_once, by_line = both(tmp_path / FILE, monkeypatch)
        assert at_once == by_line
        assert len(at_once[0]) >= 8


def test_damage_of_all_kinds_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(0)  # noqa: S311
    for family in ("detection", "tl", "ad"):
        whole = rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")
        lines = [json.dumps(row).encode() + b"\n" for row in whole]
        for share in (0.01, 0.3):
            spoilt = [chance.choice(list(DAMAGE.values()))(x, chance) if chance.random() < share else x for x in lines]
            (tmp_path / FILE).write_bytes(b"".join(spoilt))
            at_once, by_line = both(tmp_path / FILE, monkeypatch)
            assert at_once == by_line
            assert at_once[0]


@pytest.mark.parametrize(
    "block",
    [
        [LINE + LINE + b"\n", b"\n"],
        [LINE + b"\r" + LINE + b"\n", b"{\n", LINE[1:] + b"\n"],
        [LINE + LINE + b"\n", LINE[:-1] + b"\n", b', "more": 1}\n'],
        [LINE + LINE + b"\n", LINE[:-1] + b', "more": {}\n', b"}\n"],
        [LINE + LINE + b"\n", LINE[:-1] + b', "more": {\n', b"}}\n"],
    ],
)
def test_as_many_records_as_lines_but_not_one_in_each_are_not_read_at_once(block: list[bytes]) -> None:
    assert decode(block, Record) is None


def test_what_is_as_it_should_be_is_read_at_once() -> None:
    nan = json.dumps(GOOD | {"nMAE": {"NMAE": math.nan, "success": False}}).encode() + b"\n"
    assert NO_NMAE in nan
    found = decode([LINE + b"\n", nan, LINE + b"\n", nan], Record)
    assert found is not None
    assert (len(found[0]), found[1]) == (4, 2)
