"""Records that are not as MedVision writes them, from their objects; and answers from rows of any kind.

Contract: a record that lacks what scoring needs is a ValueError that says what. Texts are unpacked as upstream
unpacks them: of ``resps``, the first repeat of the first request; where ``resps`` is a flat list of texts, that is
the first character of the first one.

Source: the records of MedVision's result files, both generations.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from medvision_agent.eval.results.columns import Block
from medvision_agent.eval.results.heading import read_heading
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Boxes, Doc, Nmae, OddRecord, Profile, Scale
from medvision_agent.eval.results.target import read_target, read_targets
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["build_answer", "build_answers", "odd_record", "unpack"]

Row = Mapping[str, Any]
_Read = TypeVar("_Read")
_MOST = 2**63


def build_answer(row: Row, file: str, plans: Plans | None = None) -> Answer:
    """Return the answer in a record of the file called *file*, with names from *plans* where it has none."""
    return build_answers([row], file, plans)[0]


def build_answers(rows: Sequence[Row], file: str, plans: Plans | None = None) -> Answers:
    """Return the answers in records of one task, of the file called *file*; ValueError where one cannot be used."""
    records = [odd_record(row, file) for row in rows]
    heading = read_heading(records[0].task, records[0].file, records[0].task_type, file)
    targets, bare, _ = read_targets([record.target for record in records], heading.family)
    return Block(records, heading, targets, bare, plans).answers()


def odd_record(row: Row, file: str) -> OddRecord:
    """Return the record in an object, of which nothing is known, in the file called *file*.

    Raises:
        ValueError: It lacks what scoring needs; the message says what.
    """
    try:
        return _record(row, file)
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _record(row: Row, file: str) -> OddRecord:
    # In this order, because the first complaint is the one that is said.
    get = row.get
    family = read_heading(get("task"), get("file"), get("task_type"), file).family
    resps, extracted = (_resps(row["resps"]), None) if "resps" in row else _text(row)
    target: Any = get("target")
    read_target(target, family)
    doc = _doc(row["doc"]) if "doc" in row else Doc()
    zooms = get("image_header_zooms")
    zooms = tuple(map(float, zooms)) if isinstance(zooms, list) else None
    nmae, raw_nmae = (_stored(_nmae, row, name, "raw_nMAE") for name in ("nMAE", "raw_nMAE"))
    scale, raw_scale = (
        _stored(_scale, row, name, "raw_pixel_size_scale") for name in ("pixel_size_scale", "raw_pixel_size_scale")
    )
    return OddRecord(
        target=target,
        resps=resps,
        doc=doc,
        id=get("id", UNSET),
        doc_id=get("doc_id"),
        task=_optional_text(get("task")),
        file=_optional_text(get("file")),
        task_type=get("task_type"),
        label_name=_optional_text(get("label_name")),
        image_modality=_optional_text(get("image_modality")),
        image_header_zooms=zooms,
        nmae=nmae,
        raw_nmae=raw_nmae,
        pixel_size_scale=scale,
        raw_pixel_size_scale=raw_scale,
        f1=get("F1", UNSET),
        subject=_optional_text(get("subject")),
        truth_points=_points(get("truth_points")),
        input=_optional_text(get("input")),
        extracted=extracted,
    )


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


def _resps(resps: Any) -> Any:
    text = unpack(resps)
    flat = isinstance(resps, list) and isinstance(resps[0], str)
    return resps if flat else [[text]]


def _text(row: Row) -> tuple[Any, str | None]:
    if isinstance(row.get("response"), str):
        return [[row["response"]]], None
    parsed = row.get("filtered_resps")
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], str):
        return [[None]], parsed[0]
    raise ValueError("there is no response: resps, response or filtered_resps is needed")


def _doc(doc: Any) -> Doc:
    if not isinstance(doc, dict):
        raise ValueError("doc is no object")
    get, profile = doc.get, doc.get("biometric_profile")
    return Doc(
        label=get("label", ""),
        bounding_boxes=_boxes(doc),
        biometric_profile=(
            Profile(_optional_text(profile.get("metric_type")), profile.get("metric_key"))
            if isinstance(profile, dict)
            else None
        ),
        dataset_name=get("dataset_name"),
        image_file=get("image_file"),
        task_id=get("taskID"),
        slice_dim=get("slice_dim"),
        slice_idx=get("slice_idx"),
        image_size_2d=_size(get("image_size_2d")),
        pixel_size=get("pixel_size"),
        landmark_file=get("landmark_file"),
    )


def _boxes(doc: Row) -> Boxes | None:
    try:
        return Boxes([doc["bounding_boxes"]["dimensions"][0]])
    except (KeyError, IndexError, TypeError):
        return None


def _size(size: Any) -> Any:
    """Return a pair of whole numbers as such, and whatever else as it stands."""
    whole = isinstance(size, list) and len(size) == 2 and all(type(side) is int and abs(side) < _MOST for side in size)
    return tuple(size) if whole else size


def _points(value: Any) -> list[tuple[float, float]] | None:
    if not isinstance(value, list):
        return None
    try:
        return [(float(x), float(y)) for x, y in value]
    except (TypeError, ValueError, OverflowError):
        return None


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _stored(read: Callable[[Row], _Read], row: Row, name: str, preferred: str) -> _Read | UnsetType | None:
    """Return what is under a name; unread where another one is preferred."""
    if name not in row:
        return UNSET
    return read(row[name]) if isinstance(row[name], dict) and (name == preferred or preferred not in row) else None


def _nmae(stored: Row) -> Nmae:
    number = stored.get("NMAE")
    return Nmae(None if number is None else float(number), bool(stored.get("success")))


def _scale(stored: Row) -> Scale:
    return Scale(float(stored["s_h"]), float(stored["s_w"]))
