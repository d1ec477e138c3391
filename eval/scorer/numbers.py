"""From a response to numbers: first the stored number string, then float32 values.

Contract: both steps take linear time and raise nothing, whatever the text. The last numbers of the scanned text
are the answer; no unit, percent sign or fraction is understood, and words such as ``nan`` are no numbers.

Source: MedVision's answer extraction and parsing (both versions, see ``protocol``).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["extract", "parse", "parse_all"]

_OPEN, _CLOSE = "<answer>", "</answer>"


def extract(response: str, count: int, protocol: Protocol) -> str:
    """Return the last *count* numbers of the response as written, joined by ``,``; empty where there are fewer.

    The number strings keep their form (``007.50``, ``12.``, ``+5.5``), but lose commas that separate thousands.
    """
    text = _tagged(response) if protocol.answer_tags else response
    found = protocol.number.findall(text)[-count:]
    if len(found) < count:
        return ""
    return ",".join(number.replace(",", "") if protocol.thousands_commas else number for number in found)


def parse(extracted: str, count: int) -> NDArray[np.float32] | None:
    """Return the numbers of a joined string as float32, or None unless there are exactly *count*."""
    values, parsed = parse_all([extracted], count)
    return values[0] if parsed[0] else None


def parse_all(extracted: Sequence[str], count: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return one row of *count* numbers per joined string, and which strings parsed; the other rows are NaN.

    Each number is rounded twice, decimal to double to float32, as upstream does; beyond float32's range it is
    infinite.
    """
    rows = [_doubles(joined, count) for joined in extracted]
    missing = [math.nan] * count
    doubles = np.array([missing if row is None else row for row in rows], dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        values = doubles.reshape(-1, count).astype(np.float32)
    return values, np.array([row is not None for row in rows], dtype=np.bool_)


def _doubles(extracted: str, count: int) -> list[float] | None:
    parts = extracted.split(",")
    if len(parts) != count:
        return None
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


def _tagged(response: str) -> str:
    # Plain searches: the lazy pattern that says the same takes quadratic time on many tags that never close.
    start = response.find(_OPEN)
    end = response.find(_CLOSE, start + len(_OPEN))
    return response[start + len(_OPEN) : end] if start >= 0 and end >= 0 else ""
