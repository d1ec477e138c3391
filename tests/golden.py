"""Reading golden vectors and comparing with them: NaN is null, infinity a string."""

import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "data" / "golden"
VERSIONS = {"paper-v1": "paper-v1", "medvision-1.2": "v1.2"}
"""Folders of the golden vectors by protocol."""

_COUNTED = re.compile(r"/(groups|parse_stage_results|per_boxImgRatio)/.*/([^/]*\d*[<>][^/]*|SuccessRate[^/]*)")
"""A fraction of samples."""


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def quirks() -> dict[str, list[dict[str, Any]]]:
    """Return the quirks by name; some names are there several times."""
    found: dict[str, list[dict[str, Any]]] = {}
    for quirk in json.loads((GOLDEN / "quirks.json").read_text(encoding="utf-8")):
        found.setdefault(quirk["name"], []).append(quirk)
    return found


def differences(ours: Any, golden: Any, tolerance: float, place: str = "") -> list[str]:
    """Return where *ours* is not *golden*: floats within the relative tolerance, all else (and fractions) the same."""
    if isinstance(golden, dict):
        if not isinstance(ours, dict) or ours.keys() != golden.keys():
            return [f"{place}: {list(ours)} instead of {list(golden)}"]
        return [one for key in golden for one in differences(ours[key], golden[key], tolerance, f"{place}/{key}")]
    if isinstance(golden, list):
        if not isinstance(ours, list) or len(ours) != len(golden):
            return [f"{place}: {ours} instead of {golden}"]
        pairs = enumerate(zip(ours, golden, strict=True))
        return [one for row, (a, b) in pairs for one in differences(a, b, tolerance, f"{place}[{row}]")]
    # Means of a parsed file are strings of numbers.
    close = not _COUNTED.fullmatch(place) and _number(ours) and _number(golden)
    same = type(ours) is type(golden) and ours == golden
    if same or (close and math.isclose(float(ours), float(golden), rel_tol=tolerance)):
        return []
    return [f"{place}: {ours!r} instead of {golden!r}"]


def _number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
