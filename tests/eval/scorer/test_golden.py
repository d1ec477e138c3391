"""The golden vectors: what MedVision's own code gave, under NumPy 2. NaN is null, infinity a string."""

import ast
import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medvision_agent.eval.scorer.metrics import mean_absolute_error, mean_relative_error, overlap
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import Score, score
from medvision_agent.eval.tasks import TaskName

DATA = Path(__file__).parents[2] / "data" / "golden"
FOLDERS = {"paper-v1": "paper-v1", "medvision-1.2": "v1.2"}
COUNTS = {"detection": 438, "tl": 304, "ad": 316}
NAMES = {"MAE": "mae", "MRE": "mre", "IoU": "iou", "F1": "f1", "Precision": "precision", "Recall": "recall"}
QUIRKS: list[dict[str, Any]] = json.loads((DATA / "quirks.json").read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def same(ours: float, golden: float | str | None) -> bool:
    theirs = math.nan if golden is None else float(golden)
    if math.isnan(theirs) or math.isnan(ours):
        return math.isnan(theirs) and math.isnan(ours)
    return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=0.0)


def task_of(row: dict[str, Any]) -> TaskName:
    if row["task_type"] == "Detection":
        return "detection"
    if row["task_type"] == "TL":
        return "size"
    return "angle" if row["doc"]["biometric_profile"]["metric_type"] == "angle" else "distance"


def target_of(text: str) -> tuple[float, ...]:
    target = ast.literal_eval(text)
    return tuple(target) if isinstance(target, list | tuple) else (target,)


def differences(ours: Score, golden: dict[str, Any]) -> list[str]:
    found = [name for name in ("extracted", "success") if getattr(ours, name) != golden[name]]
    return found + [
        f"{name}: {getattr(ours, field)!r}, golden {golden[name]!r}"
        for name, field in NAMES.items()
        if name in golden and not same(getattr(ours, field), golden[name])
    ]


@pytest.mark.parametrize("family", COUNTS)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_golden_sample(name: str, family: str) -> None:
    folder = DATA / FOLDERS[name] / family
    expected = {row["id"]: row for row in rows(folder / "expected_samples.jsonl.gz")}
    inputs = rows(folder / "inputs.jsonl.gz")
    assert len(inputs) == len(expected) == COUNTS[family]
    wrong = {}
    for row in inputs:
        ours = score(task_of(row), row["response"], target_of(row["target"]), PROTOCOLS[name])
        if found := differences(ours, expected[row["id"]]):
            wrong[row["id"]] = found
    assert not wrong


def quirks(prefix: str) -> list[Any]:
    """Return (protocol, input, result) of the quirks whose name starts with *prefix* and whose result is data."""
    return [
        pytest.param(name, quirk["input"], quirk[folder]["result"], id=f"{name}: {quirk['name']}")
        for quirk in QUIRKS
        if quirk["name"].startswith(prefix)
        for name, folder in FOLDERS.items()
        if isinstance(quirk.get(folder, {}).get("result"), str | dict)
    ]


@pytest.mark.parametrize(("name", "given", "result"), quirks("extract: "))
def test_extraction_quirks(name: str, given: dict[str, Any], result: str) -> None:
    assert extract(given["text"], given["k"], PROTOCOLS[name]) == result


@pytest.mark.parametrize(("name", "given", "result"), [q for q in quirks("detection: ") if "MAE" in q.values[2]])
def test_detection_quirks(name: str, given: dict[str, Any], result: dict[str, Any]) -> None:
    target = np.array(target_of(given["target"]))
    values = parse(given["extracted"], 4)
    assert (values is not None) == result["success"]
    found = (0.0, 0.0, 0.0, 0.0) if values is None else overlap(values, target, PROTOCOLS[name])
    mae = math.nan if values is None else mean_absolute_error(values, target)
    ours = dict(zip(("MAE", "IoU", "F1", "Precision", "Recall"), (mae, *found), strict=True))
    assert [key for key in ours if not same(ours[key], result[key])] == []


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_length_and_angle_quirks(name: str, count: int) -> None:
    family = "metric: AD" if count == 1 else "metric: TL"
    tried = [quirk.values[1:] for quirk in quirks(family) if quirk.values[0] == name and "avgMAE" in quirk.values[2]]
    assert len(tried) == {1: 8, 2: 4}[count]
    for given, result in tried:
        target = np.array(target_of(given["target"]))
        values = parse(given["extracted"], count)
        assert [values is not None] == result["SuccessRate"], given
        assert same(math.nan if values is None else mean_absolute_error(values, target), result["avgMAE"][0]), given
        assert same(math.nan if values is None else mean_relative_error(values, target), result["avgMRE"][0]), given
