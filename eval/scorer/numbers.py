"""From a response to numbers: first the stored number string, then float32 values.

Contract: both steps take linear time and raise nothing, whatever the text. The last numbers of the scanned text
are the answer; no unit, percent sign or fraction is understood, and words such as ``nan`` are no numbers.

Source: MedVision's answer extraction and parsing (both versions, see ``protocol``).
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.scorer.protocol import Protocol

__all__ = ["extract", "parse"]

_OPEN, _CLOSE = "<answer>", "</answer>"


def extract(response: str, count: int, protocol: Protocol) -> str:
    """Return the last *count* numbers of the response as written, joined by ``,``; empty where there are fewer.

    The number strings keep their form (``007.50``, ``12.``, ``+5.5``), but lose commas that separate thousands.
    """
    text = _tagged(response) if protocol.answer_tags else response
    last = deque((match.group() for match in protocol.number.finditer(text)), maxlen=count)
    if len(last) < count:
        return ""
    return ",".join(number.replace(",", "") if protocol.thousands_commas else number for number in last)


def parse(extracted: str, count: int) -> NDArray[np.float32] | None:
    """Return the numbers of a joined string as float32, or None unless there are exactly *count*.

    Each is rounded twice, decimal to double to float32, as upstream does; beyond float32's range it is infinite.
    """
    parts = extracted.split(",")
    if len(parts) != count:
        return None
    try:
        doubles = [float(part) for part in parts]
    except ValueError:
        return None
    with np.errstate(over="ignore", under="ignore"):
        return np.array(doubles, dtype=np.float32)


def _tagged(response: str) -> str:
    # Plain searches: the lazy pattern that says the same takes quadratic time on many tags that never close.
    start = response.find(_OPEN)
    end = response.find(_CLOSE, start + len(_OPEN))
    return response[start + len(_OPEN) : end] if start >= 0 and end >= 0 else ""
