"""From a record of a result file to an answer.

Contract: a record that lacks what scoring needs is a ValueError that says what. Texts are unpacked as upstream
unpacks them: of ``resps``, the first repeat of the first request; where ``resps`` is a flat list of texts, that is
the first character of the first one.

Source: the records of MedVision's result files, both generations.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.target import read_target
from medvision_agent.eval.scorer.answer import FAMILIES, Answer, Doc, Stored
from medvision_agent.eval.tasks import Family

__all__ = ["Heading", "build_answer", "form_of", "read_heading", "task_of", "unpack"]

Row = Mapping[str, Any]
_FORM = re.compile(r"^.*?_Task\d+(_(Sagittal|Coronal|Axial))?-?|^.*")
_FAMILY_WORDS: dict[str, Family] = {
    "_BoxCoordinate_": "Detection",
    "_TumorLesionSize_": "TL",
    "_BiometricsFromLandmarks_": "AD",
}
# In the order of Doc, whose last fields these are.
_KEYS = (
    "dataset_name",
    "image_file",
    "taskID",
    "slice_dim",
    "slice_idx",
    "image_size_2d",
    "pixel_size",
    "landmark_file",
)


class Heading(NamedTuple):
    """What all records of a file have in common."""

    task: str
    family: Family
    file: str


def build_answer(row: Row, file: str, plans: Plans | None = None) -> Answer:
    """Return the answer in a record of the file called *file*, with names from *plans* where it has none."""
    get = row.get
    task, family, own_file = read_heading(get("task"), get("file"), get("task_type"), file)
    response: str | None
    extracted: str | None
    if "resps" in row:
        response, extracted = unpack(row["resps"]), None
    else:
        response, extracted = _text(row)
    target, bare = read_target(get("target"), family)
    doc = _doc(row["doc"], family) if "doc" in row else Doc()
    label, modality = get("label_name"), get("image_modality")
    label = label if isinstance(label, str) else None
    modality = modality if isinstance(modality, str) else None
    zooms = get("image_header_zooms")
    zooms = tuple(map(float, zooms)) if isinstance(zooms, list) else None
    nmae = row["raw_nMAE"] if "raw_nMAE" in row else get("nMAE")
    nmae = _nmae(nmae) if isinstance(nmae, dict) else None
    scale = row["raw_pixel_size_scale"] if "raw_pixel_size_scale" in row else get("pixel_size_scale")
    scale = (float(scale["s_h"]), float(scale["s_w"])) if isinstance(scale, dict) else None
    if plans is not None:
        label, modality = plans.names(task, family, doc.label, label, modality)
        if zooms is None and nmae is None and family != "Detection":
            zooms = plans.zooms(doc.image)
    identity = str(row["id"]) if "id" in row else f"{task}/{get('doc_id')}"
    answer = Answer(
        identity, family, task, own_file, response, extracted, target, bare, doc, label, modality, zooms, nmae, scale
    )
    subject, prompt = _optional_text(get("subject")), _optional_text(get("input"))
    return answer._replace(subject=subject, points=_points(get("truth_points")), prompt=prompt)


def task_of(file: str) -> str:
    """Return the task in a result file's name (``<stamp>_samples_<task>.jsonl``); empty if there is none."""
    _, found, task = file.rpartition("_samples_")
    return task.removesuffix(".gz").removesuffix(".jsonl") if found else ""


def form_of(task: str) -> str:
    """Return in which form a task was asked, by what its name has after the plane: ``CoT``, ``336x336``, ``direct``."""
    return _FORM.sub("", task) or "direct"


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


def read_heading(task: Any, own_file: Any, said: Any, file: str) -> Heading:
    """Return the heading of a record by its own task, file and task type, or by the *file* it is in."""
    task = _optional_text(task) or task_of(file)
    own_file = _optional_text(own_file) or (file if "samples_" in file else f"samples_{task}.jsonl")
    return Heading(task, _family(said, task), own_file)


def _family(said: Any, task: str) -> Family:
    for family in FAMILIES:
        if said == family:
            return family
    for word, family in _FAMILY_WORDS.items():
        if said is None and word in task:
            return family
    if "_MaskSize_" in task:
        raise ValueError("mask sizes are not scored")
    raise ValueError(f"task_type is {said!r} and task {task!r}; expected one of {', '.join(FAMILIES)}")


def _text(row: Row) -> tuple[str | None, str | None]:
    if isinstance(row.get("response"), str):
        return row["response"], None
    parsed = row.get("filtered_resps")
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], str):
        return None, parsed[0]
    raise ValueError("there is no response: resps, response or filtered_resps is needed")


def _doc(doc: Any, family: Family) -> Doc:
    if not isinstance(doc, dict):
        raise ValueError("doc is no object")
    get = doc.get
    box = kind = key = None
    if family == "Detection":
        box = _box(doc)
    elif family == "AD":
        profile = get("biometric_profile")
        if isinstance(profile, dict):
            kind, key = _optional_text(profile.get("metric_type")), profile.get("metric_key")
    return Doc(get("label", ""), box, kind, key, *map(get, _KEYS))


def _box(doc: Row) -> Any:
    try:
        return doc["bounding_boxes"]["dimensions"][0]
    except (KeyError, IndexError, TypeError):
        return None


def _points(value: Any) -> tuple[tuple[float, float], ...] | None:
    if not isinstance(value, list):
        return None
    try:
        return tuple((float(x), float(y)) for x, y in value)
    except (TypeError, ValueError, OverflowError):
        return None


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _nmae(stored: Row) -> Stored:
    number = stored.get("NMAE")
    return Stored(math.nan if number is None else float(number), bool(stored.get("success")))
