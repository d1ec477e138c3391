"""Coordinate frames of a sample file: the key ``frame`` says in which frame its points and its box are written.

Contract: ``pixels`` are pixels from the top left corner, x to the right and y down; ``medvision`` is MedVision's own,
0 to 1 from the lower left corner, y up. A file without the key has boxes in the latter and points in the former. A
``Sample`` always holds them in this older way, for any frame of its file.
"""

import math
from collections.abc import Callable
from typing import Any

from medvision_agent.errors import DataError, nearest
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Sized, Source
from medvision_agent.eval.tasks import DETECTION

__all__ = ["FRAME", "in_one_frame", "read_frame", "size_of"]

FRAME = "frame"
"""The key."""
_FRAMES = ("pixels", "medvision")
_DIGITS = 9
"""Decimals of a pixel to which points are read from MedVision's frame, so that a point is the same after an export."""
_SHORT, _NOISE = 12, 4e-16
"""Decimals of a relative coordinate that is written short, and the error that division may add."""

_Size = Callable[[], tuple[int, int] | None]


def read_frame(fields: dict[str, Any], size: _Size, place: str) -> dict[str, Any]:
    """Return the fields of a sample without ``frame``, with box and points in the frames that a ``Sample`` uses.

    *size* returns the height and width of the image in pixels, or None if the sample names no valid image; it is called
    only if they are needed. Fields of a wrong form are left to the parser of samples. Raises DataError, beginning with
    *place*, for an unknown frame, and for a box or a point outside the image.
    """
    found = {name: value for name, value in fields.items() if name != FRAME}
    frame = fields.get(FRAME)
    if frame is None:
        return found
    if frame not in _FRAMES:
        hint = nearest(frame, _FRAMES) if isinstance(frame, str) else ""
        raise DataError(f"{place}: {FRAME}: is {str(frame)[:80]!r}; expected 'pixels' or 'medvision'.{hint}")
    if frame == "pixels" and found.get("task") == DETECTION.name and _numbers(found.get("target"), 4):
        if (sides := size()) is not None:
            found["target"] = _relative(found["target"], *sides, place)
    elif frame == "medvision" and found.get("truth_points") and (sides := size()) is not None:
        found["truth_points"] = _in_pixels(found["truth_points"], *sides, place)
    return found


def in_one_frame(sample: Sample, size: _Size) -> dict[str, Any]:
    """Return the fields of a sample as JSON data, with its box and its points in pixels; defaults are left out.

    The points of a sample are in pixels already; its box is converted from MedVision's frame. ``read_frame`` gives the
    same box back, except for the last bit of a few boxes that no number of pixels gives exactly. *size* returns the
    height and the width of the image in pixels, and is called only for a sample with a box.
    """
    fields = sample.model_dump(mode="json", exclude_defaults=True) | {FRAME: "pixels"}
    if sample.asks.is_box and (sides := size()) is not None:
        height, width = sides
        x1, y1, x2, y2 = sample.target
        fields["target"] = [
            _part(x1, width),
            _part(y2, height, from_above=True),
            _part(x2, width),
            _part(y1, height, from_above=True),
        ]
    return fields


def size_of(source: Source, sample: Sample) -> tuple[int, int]:
    """Return height and width of a sample's image in pixels; raises DataError where a needed image is unreadable."""
    if sample.medvision is not None:
        return sample.medvision.image_size_2d
    if isinstance(source, Sized):
        return source.size(sample)
    height, width = source.load(sample).values.shape
    return height, width


def _ratio(part: float, whole: int) -> float:
    """Return *part* / *whole*; a quotient close to a number with few decimals is rounded to that number."""
    value = part / whole
    short = round(value, _SHORT)
    return short if abs(short - value) < _NOISE else value


def _part(ratio: float, whole: int, *, from_above: bool = False) -> float:
    """Return the number of pixels, with as few decimals as possible, from which ``_ratio`` gives *ratio* of *whole*.

    *from_above*: the ratio counts from below, the pixels from above.
    """
    pixels = whole - ratio * whole if from_above else ratio * whole
    near = (pixels, math.nextafter(pixels, math.inf), math.nextafter(pixels, -math.inf))
    for one in (*(round(pixels, digits) for digits in range(13)), *near):
        if _ratio(whole - one if from_above else one, whole) == ratio:
            return one
    return pixels


def _relative(target: list[float], height: int, width: int, place: str) -> list[float]:
    x1, y1, x2, y2 = target
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise DataError(
            f"{place}: target: {target} is not a box in pixels; expected x1, y1, x2, y2 with x1 < x2 and y1 < y2 in "
            f"the image of {width} x {height} px, from its top left corner, y down"
        )
    return [_ratio(x1, width), _ratio(height - y2, height), _ratio(x2, width), _ratio(height - y1, height)]


def _in_pixels(points: Any, height: int, width: int, place: str) -> Any:
    if not isinstance(points, list):
        return points
    found = []
    for point in points:
        if not isinstance(point, dict) or not _numbers([point.get("x"), point.get("y")], 2):
            return points
        x, y = point["x"], point["y"]
        if not (0 <= x <= 1 and 0 <= y <= 1):
            name = str(point.get("name"))[:80]
            raise DataError(
                f"{place}: truth_points: {name!r} ({x:g}, {y:g}) lies outside the image; expected x and y from 0 to 1, "
                "from the lower left corner, y up, because the sample's frame is 'medvision'"
            )
        found.append(point | {"x": round(x * width, _DIGITS), "y": round(height - y * height, _DIGITS)})
    return found


def _numbers(value: Any, count: int) -> bool:
    """Return whether *value* is a list of exactly *count* numbers."""
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
