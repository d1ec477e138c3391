"""One line of JSON as a value.

Contract: ``msgspec`` reads what is JSON; what it refuses is for ``decode_carefully``, which reads like Python's
``json``: NaN and Infinity as such, lone surrogates, and numbers of any size. Where both read a line they agree.
"""

import json
import math
from typing import Any

import msgspec

__all__ = ["NO_NMAE", "NULL_NMAE", "decode_carefully", "decode_quickly", "without_nan"]

decode_quickly = msgspec.json.decode
"""Return the value of a line, or raise ValueError or RecursionError."""

# What MedVision's parser writes for every answer it could not read. Outside of a string no other text looks like this,
# and inside of one its quotes would be escaped.
NO_NMAE = b'"nMAE": {"NMAE": NaN'
NULL_NMAE = b'"nMAE": {"NMAE": null'


def without_nan(line: bytes) -> bytes:
    """Return a line with null for the NaN that MedVision writes into it; the line itself unless it has just one."""
    return line.replace(NO_NMAE, NULL_NMAE) if line.count(NO_NMAE) == 1 else line


def decode_carefully(line: bytes) -> tuple[Any, int]:
    """Return the value of a line, and how many NaN and Infinity tokens it has; ValueError where it is no JSON."""
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
    changed = without_nan(line)
    if changed is line:
        return None
    try:
        row = decode_quickly(changed)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    nmae = row.get("nMAE")
    if not isinstance(nmae, dict) or nmae.get("NMAE", 0) is not None:
        return None  # the token stands elsewhere
    nmae["NMAE"] = math.nan
    return row
