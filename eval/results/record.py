"""A record of a result file as MedVision writes it, from the bytes of its line.

Contract: a line is accepted only if the fields declared here have the declared types. All other lines are left to
``decode_carefully`` and ``build``, which make the same record from any possible content and report problems. Undeclared
fields are skipped, without creating objects. ``msgspec`` reads what is JSON; ``decode_carefully`` reads like Python's
``json``: NaN and Infinity, lone surrogates, and numbers of any size. If both can read a line, the results are equal.
"""

import json
from collections.abc import Sequence
from itertools import repeat
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import Decoder
from msgspec.structs import astuple

from medvision_agent.eval.scorer.answer import Doc, ScoredDoc, Stored

__all__ = ["NO_NMAE", "OddRecord", "Prompted", "Record", "Scale", "Scored", "decode", "decode_carefully"]

# MedVision's parser writes this for every answer it could not read. Outside of a string no other text looks like this,
# and inside one its quotes would be escaped; only this declared value can contain it.
NO_NMAE = b'"nMAE": {"NMAE": NaN'
_NULL_NMAE = b'"nMAE": {"NMAE": null'


def decode_carefully(line: bytes) -> tuple[Any, int]:
    """Return the JSON value in a line, and how many NaN and Infinity tokens it has; ValueError if it is not JSON."""
    tokens: list[str] = []

    def constant(token: str) -> float:
        tokens.append(token)
        return float(token)

    try:
        return json.JSONDecoder(parse_constant=constant).decode(line.decode()), len(tokens)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None


# All repeats for each request; a repeat is one text or several, of which MedVision takes the first. A text in place of
# a whole request is read as its first character. None means empty.
_Texts = Annotated[list[str], Meta(min_length=1)]
_Repeats = Annotated[list[str | _Texts], Meta(min_length=1)]
_Requests = Annotated[list[_Repeats | Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class Scale(Struct, frozen=True, gc=False):
    """The stored factors by which a task scaled the stated pixel size: height (``s_h``) and width (``s_w``)."""

    s_h: float
    s_w: float


_NAMES = {"nmae": "nMAE", "raw_nmae": "raw_nMAE", "scale": "pixel_size_scale", "raw_scale": "raw_pixel_size_scale"}
_NAMES |= {"f1": "F1", "modality": "image_modality", "zooms": "image_header_zooms"}


class Scored(Struct, frozen=True, gc=False, rename=_NAMES):
    """A record of a result file, with only the fields that a summary needs."""

    target: str | float | list[float]
    resps: _Requests
    doc: ScoredDoc = ScoredDoc()
    id: Any = UNSET
    doc_id: Any = None
    task: str | None = None
    file: str | None = None
    task_type: str | None = None
    label_name: str | None = None
    modality: str | None = None
    zooms: tuple[float, ...] | None = None
    nmae: Stored | UnsetType | None = UNSET
    raw_nmae: Stored | UnsetType | None = UNSET
    scale: Scale | UnsetType | None = UNSET
    raw_scale: Scale | UnsetType | None = UNSET
    f1: Any = UNSET


class Record(Scored, frozen=True, gc=False, rename={"points": "truth_points"}):
    """A record of a result file, with all fields that are used except the question."""

    doc: Doc = Doc()
    subject: str | None = None
    points: tuple[tuple[float, float], ...] | None = None


class Prompted(Record, frozen=True, gc=False, rename={"prompt": "input"}):
    """A record of a result file, with all fields that are used, and with its question (``input``)."""

    prompt: str | None = None


class OddRecord(Prompted, frozen=True, gc=False):
    """A record of a result file in another form than MedVision's; ``build.odd_record`` makes it from a JSON object."""

    resps: Any
    extracted: str | None = None
    """Numbers that another parser read from a text that is not stored."""


_DECODERS: dict[type[Scored], Decoder[Any]] = {kind: Decoder(kind) for kind in (Scored, Record, Prompted)}
_ENDS = (b"}\n", b"}\r\n")


def decode(lines: Sequence[bytes], kind: type[Scored]) -> tuple[list[Scored], int] | None:
    """Return the records in *lines*, one for each line and of type *kind*, and how many nMAE values in them are NaN.

    Returns None if any of the lines is not a record in exactly the declared form.
    """
    # Checks that each line is exactly one record: the decoder of many records accepts any white space as a line end. No
    # value continues after a line that ends in a brace if the next one begins with a brace. So each line holds at least
    # one record, and if there are as many records as lines, exactly one.
    if not all(map(bytes.startswith, lines, repeat(b"{"))) or not all(map(bytes.endswith, lines, repeat(_ENDS))):
        return None
    text = b"".join(lines)
    replaced = text.replace(NO_NMAE, _NULL_NMAE)  # each value is longer by one character
    try:
        if not text.isascii():
            text.decode()  # a decoder does not check what it skips
        records = _DECODERS[kind].decode_lines(replaced)
    except (ValueError, RecursionError):
        return None
    count = len(replaced) - len(text)
    if len(records) != len(lines) or (count and any(map(_holds_object, records))):
        return None
    return records, count


def _holds_object(record: Scored) -> bool:
    """Return whether an undeclared value is an object, in which the replaced text may have been."""
    return any(map(_is_object, (record.id, record.doc_id, record.f1, record.doc)))


def _is_object(value: Any) -> bool:
    if isinstance(value, Struct):
        return any(map(_is_object, astuple(value)))
    return type(value) is dict or (type(value) is list and any(map(_is_object, value)))
