"""Final boxes that models write in one of our conventions; boxes in MedVision's convention follow MedVision's rule.

Contract: takes linear time and raises no error for any text. A box is written in one of three forms; surrounding text
(brackets, JSON, tags, code fences, words) does not matter:

- four numbers in a row, between them nothing but commas, semicolons or spaces: ``[398,699,512,801]``;
- two points in brackets, between them nothing but a comma, a dash, "and", "to" or the name of a corner:
  ``(179,102),(205,131)``;
- four numbers by name: ``x0, y0, x1, y1``, ``x1, y1, x2, y2``, ``xmin, ymin, xmax, ymax`` or ``left, top, right,
  bottom``, in any order.

A comma separates numbers and is never part of one. Numbers with a unit, a percent sign or letters attached (``v0``,
``bbox_2d``), ranges, fractions and dates are not coordinates. More than four numbers in one of the forms are not a box,
because it is unclear which four are meant.

Which part of a reply is read is the protocol's rule. Between answer tags, all boxes must have the same four numbers,
and nothing unclear may be present; otherwise no box is read. In a whole reply, where nothing marks the answer, the last
box is read.
"""

import re
from collections.abc import Iterator

from medvision_agent.eval.scorer.numbers import scanned_text
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.tools.view.frames import Frame

__all__ = ["Written", "written_box"]

Written = tuple[str, str, str, str]
"""The four numbers of a box as written, in the order of the frame."""

_ASCII = str.maketrans("，；、：（）−–—→", ",;,:()----")  # noqa: RUF001
"""Replacements for Chinese punctuation, and for typographic signs and dashes."""
# Every part is possessive or stops at the first character that does not fit, so that no search takes quadratic time.
_VALUE = (
    r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
    r"(?![A-Za-z_\d²³]|[-:/.]\d|\s?(?:[%‰°]|[mc]m(?![A-Za-z])))"
)
_NUMBER = rf"(?<![A-Za-z_\d./+-])(?<!\d:){_VALUE}"
_BETWEEN = r"(?:\s*+[,;]\s*+|\s++)"
_CORNER = r"(?:the\s)?(?:top|upper|bottom|lower)[-_\s]?(?:left|right)(?:[-_\s]corner)?"
_JOINED = rf"\s*+(?:[,;]|and\b|to\b|->?)?\s*+[\"']?(?:{_CORNER})?[\"']?\s*+[:=]?\s*+"
_POINT = rf"[\[(]\s*+{_NUMBER}{_BETWEEN}{_NUMBER}\s*+[\])]"
_NAMED = rf"(?<![A-Za-z_\d])[\"']?(?:[xy](?:[012]|_?m(?:in|ax))|left|top|right|bottom)[\"']?\s*+[:=]\s*+{_VALUE}"
_FORMS = re.compile(
    rf"(?P<named>{_NAMED}(?:[\s,;]*+{_NAMED}){{3,}})"
    rf"|(?P<points>{_POINT}(?:{_JOINED}{_POINT})+)"
    rf"|(?P<row>{_NUMBER}(?:{_BETWEEN}{_NUMBER}){{3,}})",
    re.IGNORECASE,
)
_EACH = re.compile(_NUMBER)
_EACH_NAMED = re.compile(rf"([a-z_]+[012]?)[\"']?\s*+[:=]\s*+({_VALUE})", re.IGNORECASE)
_PIXELS = re.compile(r"(?<=\d)\s?(?:px|pixels?)\b", re.IGNORECASE)
_NAMES = (
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
)


def written_box(response: str, frame: Frame, protocol: Protocol) -> Written | None:
    """Return the four numbers of the box in a response, as written in *frame*.

    They are looked for in the part that *protocol* reads. Of several boxes, the last one is returned; None without one.
    Where *protocol* reads between answer tags, None also where there are boxes that differ.
    """
    text = scanned_text(response, protocol).translate(_ASCII)
    found = list(_boxes(_PIXELS.sub("", text) if frame.in_pixels else text, frame))
    if not protocol.answer_tags:
        return next((box for box in reversed(found) if box is not None), None)
    different = {box and tuple(map(float, box)) for box in found}
    return found[0] if len(different) == 1 else None


def _boxes(text: str, frame: Frame) -> Iterator[Written | None]:
    """Yield each place in *text* that has the form of a box, as four numbers; None if there are not exactly four."""
    for match in _FORMS.finditer(text):
        yield _by_name(match[0], frame) if match["named"] else _four(_EACH.findall(match[0]))


def _four(numbers: list[str]) -> Written | None:
    """Return the numbers as a box if they are four; None if there are more or fewer."""
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None


def _by_name(form: str, frame: Frame) -> Written | None:
    """Return the four named numbers of *form* in the order of *frame*; None if the names are not of two corners."""
    pairs = [(name.lower().replace("_", ""), number) for name, number in _EACH_NAMED.findall(form)]
    values = dict(pairs)
    for x0, y0, x1, y1 in _NAMES:
        if len(pairs) == 4 and values.keys() == {x0, y0, x1, y1}:
            names = (y0, x0, y1, x1) if frame.y_first else (x0, y0, x1, y1)
            return _four([values[name] for name in names])
    return None
