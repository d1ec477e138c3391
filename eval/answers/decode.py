"""One line of JSON as a value.

Contract: ``orjson`` reads what is JSON; what it refuses is for ``decode_carefully``, which reads like Python's
``json``: NaN and Infinity as such, lone surrogates, and numbers of any size. Where both read a line they
agree, but for whole numbers beyond 64 bits, which ``orjson`` reads as floats.
"""

import json
import math
from typing import Any

import orjson

__all__ = ["decode_carefully", "decode_quickly"]

decode_quickly = orjson.loads
"""Return the value of a line, or raise ValueError."""

# What MedVision's parser writes for every answer it could not read. Outside of a string no other text looks like this,
# and inside of one its quotes would be escaped.
_NO_NMAE = b'"nMAE": {"NMAE": NaN'
_NULL = b'"nMAE": {"NMAE": null'


def decode_carefully(line: bytes) -> tuple[Any, int]:
    """Return the value of a line, and how many NaN and Infinity tokens it has; ValueError where it is no JSON."""
    if line.count(_NO_NMAE) == 1:
        row = _without_nmae(line)
        if row is not None:
            return row, 1
    tokens: list[str] = []

    def constant(token: str) -> float:
        tokens.append(token)
        return float(token)

    try:
        return json.JSONDecoder(parse_constant=constant).decode(line.decode()), len(tokens)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _without_nmae(line: bytes) -> dict[str, Any] | None:
    """Return a record whose one flaw is that its nMAE is NaN; these are many, and worth the quick reader."""
    try:
        row = decode_quickly(line.replace(_NO_NMAE, _NULL))
    except ValueError:
        return None
    if not isinstance(row, dict):
        return None
    nmae = row.get("nMAE")
    if not isinstance(nmae, dict) or nmae.get("NMAE", 0) is not None:
        return None  # the token stands elsewhere
    nmae["NMAE"] = math.nan
    return row
