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

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

__all__ = ["NO_NMAE", "Boxes", "Doc", "Nmae", "OddRecord", "Profile", "Prompted", "Record", "Scale", "Scored"]
__all__ += ["decode_block", "decode_carefully", "decode_line"]

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


_Empty = Annotated[str, Meta(max_length=0)]


class Boxes(Struct, frozen=True, gc=False):
    """Target boxes: rows and columns of each."""

    dimensions: list[list[int]] = []


class Profile(Struct, frozen=True, gc=False):
    """What was measured."""

    metric_type: str | list[str] | None = None
    """A list is a size's, which has no use for it."""
    metric_key: str | int | None = None


class ScoredDoc(Struct, frozen=True, gc=False):
    """What a summary needs of the data set's row."""

    label: int | str | None = ""
    biometric_profile: Profile | None = None
    slice_dim: int | None = None
    image_size_2d: tuple[int, int] | None = None


class Doc(ScoredDoc, frozen=True, gc=False, rename={"task_id": "taskID"}):
    """What is used of the data set's row."""

    image_file: str | None = None
    task_id: str | int | None = None
    slice_idx: int | None = None
    bounding_boxes: Boxes | None = None
    dataset_name: str | None = None
    pixel_size: list[float] | None = None
    landmark_file: str | None = None


class Nmae(Struct, frozen=True, gc=False, rename={"value": "NMAE"}):
    """An nMAE that a file carries."""

    value: float | None = None
    success: bool = False


class Scale(Struct, frozen=True, gc=False):
    """Factors of a stated pixel size."""

    s_h: float
    s_w: float


class Scored(Struct, frozen=True, gc=False, rename={"nmae": "nMAE", "raw_nmae": "raw_nMAE", "f1": "F1"}):
    """What a summary needs of a record that is of no ``scaledPS`` task.

    ``gc``: these hold no cycles, and the collector need not walk them.
    """

    target: str | float | list[float]
    resps: _Requests
    doc: ScoredDoc = ScoredDoc()
    id: str | int | UnsetType = UNSET
    doc_id: str | int | None = None
    task: _Empty | None = None
    file: _Empty | None = None
    """A record that names its task or file may be of a ``scaledPS`` task, and is not one of these."""
    task_type: str | None = None
    label_name: str | None = None
    image_modality: str | None = None
    image_header_zooms: tuple[float, ...] | None = None
    nmae: Nmae | UnsetType | None = UNSET
    raw_nmae: Nmae | UnsetType | None = UNSET
    pixel_size_scale: Scale | UnsetType | None = UNSET
    raw_pixel_size_scale: Scale | UnsetType | None = UNSET
    f1: Any = UNSET


class Record(Scored, frozen=True, gc=False):
    """What is used of a record."""

    doc: Doc = Doc()
    task: str | None = None
    file: str | None = None
    subject: str | None = None
    truth_points: list[tuple[float, float]] | None = None


class Prompted(Record, frozen=True, gc=False):
    """A record with what was asked."""

    input: str | None = None


class OddRecord(Prompted, frozen=True, gc=False):
    """A record that is none as MedVision writes them; never made of a line at once."""

    extracted: str | None = None
    """Numbers that were read by another parser, of which there is no text."""


_DECODERS: dict[type[Scored], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Scored, Record, Prompted)
}


def decode_block(block: Sequence[bytes], kind: type[Scored] = Record) -> tuple[list[Scored], int] | None:
    """Return the records in the lines of a block, one in each, and how many NaN of MedVision's stand in them.

    All are read at once. None: one of them must be looked at by itself.
    """
    # One record in each line and all of it: the reader of many takes white space of any kind for the end of one.
    # No value goes on after a line that ends in a brace if the next one begins with one, so that each line holds at
    # least one, and as many as there are lines are one in each.
    if not all(map(bytes.startswith, block, repeat(b"{"))) or not all(map(bytes.endswith, block, repeat(b"}\n"))):
        return None
    try:
        text, tokens = _readable(b"".join(block))
        records = _DECODERS[kind].decode_lines(text)
    except (ValueError, RecursionError):
        return None
    return (records, tokens) if len(records) == len(block) else None


def decode_line(line: bytes, kind: type[Scored] = Record) -> tuple[Scored, int]:
    """Return the record in a line, and how many NaN of MedVision's are in it; ValueError or RecursionError without."""
    text, tokens = _readable(line)
    return _DECODERS[kind].decode(text), tokens


def _readable(text: bytes) -> tuple[bytes, int]:
    """Return JSON for MedVision's NaN, and how many there were.

    What is no UTF-8 is refused, wherever it stands: what the decoder skips it does not look at.
    """
    if not text.isascii():
        text.decode()
    replaced = text.replace(NO_NMAE, _NULL_NMAE)
    return replaced, len(replaced) - len(text)  # each is longer by one
