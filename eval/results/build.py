"""Records that differ from MedVision's own format, and answers from rows of any form.

Contract: a record without something that scoring needs is a ValueError that names it. Texts are unpacked as upstream
does: from ``resps``, the first repeat of the first request; if ``resps`` is a flat list of texts, this is the first
character of the first text.

Source: the records of MedVision's result files, both generations.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, convert
from msgspec.structs import fields

from medvision_agent.eval.results.columns import RecordAnswers
from medvision_agent.eval.results.heading import read_heading
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import OddRecord, Scale
from medvision_agent.eval.results.target import read_target, read_targets
from medvision_agent.eval.scorer.answer import Answer, Doc, Stored

__all__ = ["build_answer", "build_answers", "odd_record", "unpack"]

Row = Mapping[str, Any]
_DOC = fields(Doc)


def build_answer(row: Row, file: str, plans: Plans | None = None) -> Answer:
    """Return the answer in *row*, one record of the result file named *file*; *plans* supplies names that it lacks.

    Raises ValueError, which says what is wrong, if the record cannot be used.
    """
    return build_answers([row], file, plans)[0]


def build_answers(rows: Sequence[Row], file: str, plans: Plans | None = None) -> RecordAnswers:
    """Return the answers in *rows*, at least one record, all of one task, from the result file named *file*.

    *plans* supplies names that the records lack. Raises ValueError if the first record has no known task, or if one
    lacks what scoring needs.
    """
    records = [odd_record(row, file) for row in rows]
    heading = read_heading(records[0].task, records[0].file, records[0].task_type, file)
    targets, bare, _ = read_targets([record.target for record in records], heading.family)
    return RecordAnswers(records, [heading] * len(records), targets, bare, plans)


def odd_record(row: Row, file: str) -> OddRecord:
    """Return a record with the fields that are used, from *row*, one JSON object of a result file in any form.

    *file* is the name of that file; it gives the task where the row does not.

    Raises:
        ValueError: The row lacks what scoring needs; the message says what.
    """
    try:
        return _record(row, file)
    except (TypeError, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _record(row: Row, file: str) -> OddRecord:
    # In this order, because only the first complaint is reported.
    get = row.get
    family = read_heading(get("task"), get("file"), get("task_type"), file).family
    resps, extracted = (_resps(row["resps"]), None) if "resps" in row else _text(row)
    target: Any = get("target")
    read_target(target, family)
    doc = _doc(row.get("doc", {}))
    zooms = get("image_header_zooms")
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
        modality=_optional_text(get("image_modality")),
        zooms=_zooms(zooms) if isinstance(zooms, list) else None,
        nmae=_stored(_nmae, row, "nMAE", "raw_nMAE"),
        raw_nmae=_stored(_nmae, row, "raw_nMAE", "raw_nMAE"),
        scale=_stored(_scale, row, "pixel_size_scale", "raw_pixel_size_scale"),
        raw_scale=_stored(_scale, row, "raw_pixel_size_scale", "raw_pixel_size_scale"),
        f1=get("F1", UNSET),
        subject=_optional_text(get("subject")),
        points=_points(get("truth_points")),
        prompt=_optional_text(get("input")),
        extracted=extracted,
    )


def _zooms(sizes: list[Any]) -> tuple[float, ...]:
    try:
        return tuple(map(float, sizes))
    except (TypeError, ValueError, OverflowError):
        raise ValueError("image_header_zooms is not a list of numbers (mm)") from None


def unpack(resps: Any) -> str:
    """Return the text of the response in a record's ``resps``; raises ValueError if it holds no text."""
    try:
        first = resps[0][0]
        text = first[0] if isinstance(first, list) else first
    except (IndexError, KeyError, TypeError):
        raise ValueError("resps holds no response; expected a list with a list of texts") from None
    if not isinstance(text, str):
        raise ValueError("the first response in resps is not a text; expected a list with a list of texts")
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
    raise ValueError("there is no response; expected one of the keys resps, response and filtered_resps")


def _doc(doc: Any) -> Doc:
    """Return the data set's row in a record's ``doc``; values of another type than declared are kept unchanged.

    Raises ValueError if ``doc`` is not a JSON object.
    """
    if not isinstance(doc, dict):
        raise ValueError("doc is not a JSON object")
    return Doc(**{one.name: _fitting(doc[one.encode_name], one.type) for one in _DOC if one.encode_name in doc})


def _fitting(value: Any, kind: Any) -> Any:
    try:
        return convert(value, kind)
    except ValueError:
        return value


def _points(value: Any) -> Any:
    if not isinstance(value, list):
        return None
    try:
        return tuple((float(x), float(y)) for x, y in value)
    except (TypeError, ValueError, OverflowError):
        return None


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _stored(read: Callable[[Row], Any], row: Row, name: str, preferred: str) -> Any:
    """Return what *read* makes of the object that *row* has under the key *name*; UNSET if the row lacks the key.

    None if the value is not an object, or if the row also has *preferred*, another key, which is used instead. Raises
    ValueError that names the key if *read* fails.
    """
    if name not in row:
        return UNSET
    if not isinstance(row[name], dict) or (name != preferred and preferred in row):
        return None
    try:
        return read(row[name])
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ValueError(f"{name} has no usable numbers") from None


def _nmae(stored: Row) -> Stored:
    number = stored.get("NMAE")
    value = math.nan if number is None else float(number)
    return Stored(None if math.isnan(value) else value, bool(stored.get("success")))


def _scale(stored: Row) -> Scale:
    return Scale(float(stored["s_h"]), float(stored["s_w"]))
