"""A record of a result file as MedVision writes it, from the bytes of its line.

Contract: a line is taken only if what is declared here has the declared types. Every other line is refused, and left to
``decode_carefully`` and ``build``, which make the same record of whatever can be in one and know what to say about it.
Nothing undeclared is kept, nor even made into an object. ``msgspec`` reads what is JSON; ``decode_carefully`` reads
like Python's ``json``: NaN and Infinity as such, lone surrogates, and numbers of any size. Where both read a line they
agree.
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

# What MedVision's parser writes for every answer it could not read. Outside of a string no other text looks like this,
# and inside of one its quotes would be escaped; no declared value but this one can hold it.
NO_NMAE = b'"nMAE": {"NMAE": NaN'
_NULL_NMAE = b'"nMAE": {"NMAE": null'


def decode_carefully(line: bytes) -> tuple[Any, int]:
    """Return the value of a line, and how many NaN and Infinity tokens it has; ValueError where it is no JSON."""
    tokens: list[str] = []

    def constant(token: str) -> float:
        tokens.append(token)
        return float(token)

    try:
        return json.JSONDecoder(parse_constant=constant).decode(line.decode()), len(tokens)
    except RecursionError:
        raise ValueError("nested too deeply") from None


# Of each request all repeats, of each repeat a text or (MedVision takes the first) several; a text that stands for a
# whole request is read as its first character. None is empty.
_Texts = Annotated[list[str], Meta(min_length=1)]
_Repeats = Annotated[list[str | _Texts], Meta(min_length=1)]
_Requests = Annotated[list[_Repeats | Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class Scale(Struct, frozen=True, gc=False):
    """Factors of a stated pixel size."""

    s_h: float
    s_w: float


_NAMES = {"nmae": "nMAE", "raw_nmae": "raw_nMAE", "scale": "pixel_size_scale", "raw_scale": "raw_pixel_size_scale"}
_NAMES |= {"f1": "F1", "modality": "image_modality", "zooms": "image_header_zooms"}


class Scored(Struct, frozen=True, gc=False, rename=_NAMES):
    """What a summary needs of a record."""

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
    """What is used of a record."""

    doc: Doc = Doc()
    subject: str | None = None
    points: tuple[tuple[float, float], ...] | None = None


class Prompted(Record, frozen=True, gc=False, rename={"prompt": "input"}):
    """A record with what was asked."""

    prompt: str | None = None


class OddRecord(Prompted, frozen=True, gc=False):
    """A record that is none as MedVision writes them; never made of a line at once."""

    resps: Any
    extracted: str | None = None
    """Numbers that were read by another parser, of which there is no text."""


_DECODERS: dict[type[Scored], Decoder[Any]] = {kind: Decoder(kind) for kind in (Scored, Record, Prompted)}
_ENDS = (b"}\n", b"}\r\n")


def decode(lines: Sequence[bytes], kind: type[Scored]) -> tuple[list[Scored], int] | None:
    """Return the records in lines, one in each, and how many NaN of MedVision's stand in them.

    All are read at once. None: one of them is not as declared.
    """
    # One record in each line and all of it: the reader of many takes white space of any kind for the end of one.
    # No value goes on after a line that ends in a brace if the next one begins with one, so that each line holds at
    # least one, and as many as there are lines are one in each.
    if not all(map(bytes.startswith, lines, repeat(b"{"))) or not all(map(bytes.endswith, lines, repeat(_ENDS))):
        return None
    text = b"".join(lines)
    replaced = text.replace(NO_NMAE, _NULL_NMAE)  # each is longer by one
    try:
        if not text.isascii():
            text.decode()  # what a decoder skips it does not look at
        records = _DECODERS[kind].decode_lines(replaced)
    except (ValueError, RecursionError):
        return None
    count = len(replaced) - len(text)
    if len(records) != len(lines) or (count and any(map(_holds_object, records))):
        return None
    return records, count


def _holds_object(record: Scored) -> bool:
    """Return whether a value of no declared type is an object: what was replaced may have stood in it."""
    return any(map(_is_object, (record.id, record.doc_id, record.f1, record.doc)))


def _is_object(value: Any) -> bool:
    if isinstance(value, Struct):
        return any(map(_is_object, astuple(value)))
    return type(value) is dict or (type(value) is list and any(map(_is_object, value)))
