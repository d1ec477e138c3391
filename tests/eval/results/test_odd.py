"""Odd result files: what is said of them, and every figure, is as it was when a second reader and scorer read them.

The files and what they gave were recorded then (``tests/data/odd_results.json.gz``); floats to 12 digits.
"""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from golden import GOLDEN, rows

from medvision_agent.api.scoring import score_answers
from medvision_agent.errors import DataError
from medvision_agent.eval.scorer.protocol import PROTOCOLS

RECORDED: list[dict[str, Any]] = json.loads(
    gzip.decompress((GOLDEN.parent / "odd_results.json.gz").read_bytes()).decode("ascii")
)
JUNK = [None, [], {}, "x", -1, 1e308, float("nan"), [[]], True, [1, 2, 3], 10**400, 2**70, {"a": 1}, "scaledPS", "TL"]


def scored(path: Path, protocol: str, *, keep: bool) -> Any:
    """Return the summaries, the lines of samples where they are kept, and the notes."""
    try:
        found = score_answers(path, protocol, keep=keep, box_sizes=keep)
    except DataError as error:
        return str(error).replace(str(path.parent), "FOLDER")
    return rounded([found.to_json(), list(found.rows()) if keep else []])


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return list(map(rounded, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("part", range(8))
def test_odd_files_give_what_they_gave(tmp_path: Path, part: int) -> None:
    assert len(RECORDED) >= 100
    for recorded in RECORDED[part::8]:
        path = tmp_path / recorded["name"]
        path.write_bytes(recorded["content"].encode("latin-1"))
        for protocol in PROTOCOLS:
            assert scored(path, protocol, keep=True) == recorded["kept"][protocol]
            assert scored(path, protocol, keep=False) == recorded["summary"][protocol]
        path.unlink()


@pytest.mark.parametrize("family", ["detection", "tl", "ad"])
def test_a_summary_alone_is_that_of_the_answers(tmp_path: Path, family: str) -> None:
    """It reads less of each record, and reads it block by block."""
    chance = random.Random(family)  # noqa: S311 - the same files every time
    whole = rows(GOLDEN / "v1.2" / family / "inputs.jsonl.gz")
    unnamed = [{key: value for key, value in row.items() if key not in {"task", "file"}} for row in whole]
    path = tmp_path / whole[0]["file"].replace("-scaledPS", "")
    for _ in range(15):
        lines = chance.choices(chance.choice([whole, unnamed]), k=700)
        for row in chance.sample(range(700), 20):
            lines[row] = lines[row] | {chance.choice([*whole[0], "task", "nMAE", "doc"]): chance.choice(JUNK)}
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        for protocol in PROTOCOLS:
            lean, kept = (score_answers(path, protocol, keep=keep).to_json() for keep in (False, True))
            assert rounded(lean) == rounded(kept)
