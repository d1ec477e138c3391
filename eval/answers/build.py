"""From a record of a result file to an answer.

Contract: a record that lacks what scoring needs is a ValueError that says what. Texts are unpacked as upstream
unpacks them: of ``resps``, the first repeat of the first request; where ``resps`` is a flat list of texts, that is
the first character of the first one.

Source: the records of MedVision's result files, both generations.
"""

import ast
import json
import math
from collections.abc import Mapping
from typing import Any

from medvision_agent.eval.scorer.answer import COUNTS, FAMILIES, Answer, Family, Stored

__all__ = ["build_answer", "family_of", "task_of", "unpack"]

Row = Mapping[str, Any]
_FAMILY_WORDS: dict[str, Family] = {
    "_BoxCoordinate_": "Detection",
    "_TumorLesionSize_": "TL",
    "_BiometricsFromLandmarks_": "AD",
}


def build_answer(row: Row, file: str) -> Answer:
    """Return the answer in a record of the file called *file*."""
    task = _optional_text(row, "task") or task_of(file)
    family = family_of(row, task)
    response, extracted = _text(row)
    target, bare = _target(row.get("target"), family)
    doc = row.get("doc", {})
    if not isinstance(doc, dict):
        raise ValueError("doc is no object")
    return Answer(
        id=str(row["id"]) if "id" in row else f"{task}/{row.get('doc_id')}",
        family=family,
        task=task,
        file=_optional_text(row, "file") or (file if "samples_" in file else f"samples_{task}.jsonl"),
        response=response,
        extracted=extracted,
        target=target,
        bare_target=bare,
        doc=doc,
        label_name=_optional_text(row, "label_name"),
        modality=_optional_text(row, "image_modality"),
        zooms=_zooms(row.get("image_header_zooms")),
        nmae=_nmae(row.get("raw_nMAE", row.get("nMAE"))),
        pixel_scale=_scale(row.get("raw_pixel_size_scale", row.get("pixel_size_scale"))),
    )


def task_of(file: str) -> str:
    """Return the task in a result file's name (``<stamp>_samples_<task>.jsonl``); empty if there is none."""
    _, found, task = file.rpartition("_samples_")
    return task.removesuffix(".gz").removesuffix(".jsonl") if found else ""


def family_of(row: Row, task: str) -> Family:
    """Return what a record is about, as it says itself or by the name of its task."""
    said = row.get("task_type")
    for family in FAMILIES:
        if said == family:
            return family
    for word, family in _FAMILY_WORDS.items():
        if said is None and word in task:
            return family
    if "_MaskSize_" in task:
        raise ValueError("mask sizes are not scored")
    raise ValueError(f"task_type is {said!r} and task {task!r}; expected one of {', '.join(FAMILIES)}")


def unpack(resps: Any) -> str:
    """Return the response in ``resps``."""
    try:
        first = resps[0][0]
        text = first[0] if isinstance(first, list) else first
    except (IndexError, KeyError, TypeError):
        raise ValueError("resps holds no response") from None
    if not isinstance(text, str):
        raise ValueError("the response in resps is no text")
    return text


def _text(row: Row) -> tuple[str | None, str | None]:
    if "resps" in row:
        return unpack(row["resps"]), None
    if isinstance(row.get("response"), str):
        return row["response"], None
    parsed = row.get("filtered_resps")
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], str):
        return None, parsed[0]
    raise ValueError("there is no response: resps, response or filtered_resps is needed")


def _target(target: Any, family: Family) -> tuple[tuple[float, ...], bool]:
    value = _literal(target) if isinstance(target, str) else target
    bare = not isinstance(value, list | tuple)
    numbers = (value,) if bare else tuple(value)
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise ValueError(f"target {str(target)[:60]!r} is not made of numbers")
    if len(numbers) != COUNTS[family]:
        raise ValueError(f"target has {len(numbers)} numbers, expected {COUNTS[family]}")
    try:
        found = tuple(map(float, numbers))
    except OverflowError:
        found = (math.inf,)
    if not all(map(math.isfinite, found)):
        raise ValueError(f"target {str(target)[:60]!r} is not finite")
    return found, bare


def _literal(text: str) -> Any:
    try:
        return json.loads(text)  # the usual case, and much faster; NaN and Infinity are refused with what is not finite
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"target {text[:60]!r} is not a number or a list of numbers") from None


def _optional_text(row: Row, key: str) -> str | None:
    value = row.get(key)
    return value if isinstance(value, str) else None


def _zooms(value: Any) -> tuple[float, ...] | None:
    return tuple(map(float, value)) if isinstance(value, list) else None


def _nmae(value: Any) -> Stored | None:
    if not isinstance(value, dict):
        return None
    number = value.get("NMAE")
    return Stored(math.nan if number is None else float(number), bool(value.get("success")))


def _scale(value: Any) -> tuple[float, float] | None:
    return (float(value["s_h"]), float(value["s_w"])) if isinstance(value, dict) else None
