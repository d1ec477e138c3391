"""From responses to numbers: first the numbers as written, then float32 values. One response is the case n = 1.

Contract: both steps take linear time and raise no error for any text. The last numbers of the scanned text are the
answer. Units, percent signs and fractions are not understood, and words such as ``nan`` are not numbers.

Source: MedVision's answer extraction and parsing (both versions, see ``protocol``).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import chain, compress

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["Found", "extract", "find_numbers", "parse", "parse_numbers", "scanned_text", "written_out"]

_OPEN, _CLOSE = "<answer>", "</answer>"

Found = Sequence[str]
"""The numbers of one answer as written; empty if there were too few."""


def extract(response: str, count: int, protocol: Protocol) -> str:
    """Return the last *count* numbers of the response as written, joined by ``,``; empty if there are fewer.

    The number strings keep their form (``007.50``, ``12.``, ``+5.5``), but lose commas that separate thousands.
    """
    return written_out(find_numbers([response], count, protocol))[0]


def find_numbers(responses: Iterable[str], count: int, protocol: Protocol) -> list[Found]:
    """Return the last *count* numbers of each response as strings, with the commas that separate thousands.

    A response with fewer numbers gives an empty sequence.
    """
    texts = _tagged(responses) if protocol.answer_tags else responses
    findall = protocol.number.findall
    return [own[-count:] if text and len(own := findall(text)) >= count else () for text in texts]


def written_out(found: Iterable[Found]) -> list[str]:
    """Return the numbers of each answer as one text, joined by commas and without those that separate thousands."""
    return [",".join([number.replace(",", "") for number in own]) for own in found]


def scanned_text(response: str, protocol: Protocol) -> str:
    """Return the part of a response in which a protocol looks for numbers.

    It is the text between answer tags (empty without tags), or the whole response for a protocol without tags.
    """
    return _tagged([response])[0] if protocol.answer_tags else response


def parse(extracted: str, count: int) -> NDArray[np.float32] | None:
    """Return the numbers of a text joined by commas as float32 (count,); None unless there are exactly *count*."""
    values, parsed = parse_numbers([extracted.split(",")], count)
    return values[0] if parsed[0] else None


def parse_numbers(found: Sequence[Found], count: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the numbers (answers, count), and a flag for each answer that parsed; the other rows are NaN.

    Each number is rounded twice, decimal to double to float32, as upstream does; beyond float32's range it is
    infinite.
    """
    values = np.full((len(found), count), math.nan, dtype=np.float32)
    parsed = np.fromiter(map(count.__eq__, map(len, found)), np.bool_, len(found))
    try:
        doubles = _doubles(compress(found, parsed.tolist()))
    except ValueError:  # a stored text without numbers
        parsed &= np.fromiter(map(_are_numbers, found), np.bool_, len(found))
        doubles = _doubles(compress(found, parsed.tolist()))
    with np.errstate(over="ignore", under="ignore"):
        values[parsed] = doubles.reshape(-1, count)
    return values, parsed


def _doubles(found: Iterable[Found]) -> NDArray[np.float64]:
    numbers = list(chain.from_iterable(found))
    together = " ".join(numbers)
    if "," in together:
        plain = together.replace(",", "").split(" ")
        # A stored text may contain spaces.
        numbers = plain if len(plain) == len(numbers) else [number.replace(",", "") for number in numbers]
    return np.fromiter(map(float, numbers), np.float64, len(numbers))


def _are_numbers(found: Found) -> bool:
    try:
        return _doubles([found]).size > 0
    except ValueError:
        return False


def _tagged(responses: Iterable[str]) -> list[str]:
    # Plain searches: an equivalent lazy pattern takes quadratic time on many tags that are never closed.
    skipped = len(_OPEN)
    return [
        text[start + skipped : end]
        if (start := text.find(_OPEN)) >= 0 and (end := text.find(_CLOSE, start + skipped)) >= 0
        else ""
        for text in responses
    ]
