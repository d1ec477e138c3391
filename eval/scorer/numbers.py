"""From a response to numbers: first the stored number string, then float32 values.

Contract: both steps take linear time and raise nothing, whatever the text. The last numbers of the scanned text
are the answer; no unit, percent sign or fraction is understood, and words such as ``nan`` are no numbers.

Source: MedVision's answer extraction and parsing (both versions, see ``protocol``).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["extract", "extract_all", "parse", "parse_all", "scanned_text"]

_OPEN, _CLOSE = "<answer>", "</answer>"


def extract(response: str, count: int, protocol: Protocol) -> str:
    """Return the last *count* numbers of the response as written, joined by ``,``; empty where there are fewer.

    The number strings keep their form (``007.50``, ``12.``, ``+5.5``), but lose commas that separate thousands.
    """
    return extract_all([response], count, protocol)[0]


def extract_all(responses: Iterable[str], count: int, protocol: Protocol) -> list[str]:
    """Return what ``extract`` returns of each response."""
    texts = _tagged(responses) if protocol.answer_tags else responses
    numbers = map(protocol.number.findall, texts)
    joined = [" ".join(found[-count:]) if len(found) >= count else "" for found in numbers]
    everything = "\n".join(joined)  # no number has a space or an end of line in it
    if protocol.thousands_commas:
        everything = everything.replace(",", "")
    return everything.replace(" ", ",").split("\n") if joined else []


def scanned_text(response: str, protocol: Protocol) -> str:
    """Return the part of a response that is read: what the answer tags enclose, or the whole."""
    return _tagged([response])[0] if protocol.answer_tags else response


def parse(extracted: str, count: int) -> NDArray[np.float32] | None:
    """Return the numbers of a joined string as float32, or None unless there are exactly *count*."""
    values, parsed = parse_all([extracted], count)
    return values[0] if parsed[0] else None


def parse_all(extracted: Sequence[str], count: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return one row of *count* numbers per joined string, and which strings parsed; the other rows are NaN.

    Each number is rounded twice, decimal to double to float32, as upstream does; beyond float32's range it is
    infinite.
    """
    values = np.full((len(extracted), count), math.nan, dtype=np.float32)
    parsed = np.array([joined != "" and joined.count(",") == count - 1 for joined in extracted], dtype=np.bool_)
    whole = list(compress(extracted, parsed.tolist()))
    try:
        doubles = _doubles(whole)
    except ValueError:  # never of numbers that were extracted here: one text at a time tells which it is
        parsed[parsed] = list(map(_is_numbers, whole))
        doubles = _doubles(list(filter(_is_numbers, whole)))
    with np.errstate(over="ignore", under="ignore"):
        values[parsed] = doubles.reshape(-1, count)
    return values, parsed


def _doubles(joined: list[str]) -> NDArray[np.float64]:
    return np.fromiter(map(float, ",".join(joined).split(",") if joined else ()), np.float64)


def _is_numbers(joined: str) -> bool:
    try:
        return _doubles([joined]).size > 0
    except ValueError:
        return False


def _tagged(responses: Iterable[str]) -> list[str]:
    # Plain searches: the lazy pattern that says the same takes quadratic time on many tags that never close.
    skipped = len(_OPEN)
    return [
        text[start + skipped : end]
        if (start := text.find(_OPEN)) >= 0 and (end := text.find(_CLOSE, start + skipped)) >= 0
        else ""
        for text in responses
    ]
