"""The ground truth points: their names and order, and whether they give the target.

Contract: points are taken to be given to a whole pixel each, and a target that agrees with them within 1.5 px or 5% is
right. Beyond that they contradict it. MedVision's own points and targets are measured by MedVision, before version
1.1.1 with the two spacings exchanged: there it is a warning.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.checking.slips import slip
from medvision_agent.eval.data.sample import Landmark, Sample
from medvision_agent.eval.data.sources.checks import outside
from medvision_agent.quantity import ANGLE_DEG, AREA_MM2, LENGTH_MM
from medvision_agent.text import significant

__all__ = ["AXES", "CORNERS", "agree", "contradiction", "name_faults", "point_faults"]

AXES = ("major 1", "major 2", "minor 1", "minor 2")
CORNERS = ("lower left", "upper right")
_PIXELS = 1.5
"""Pixels by which a length may differ because points are rounded to whole pixels."""
_PART = 0.05
_Numbers = tuple[float, ...]


def name_faults(sample: Sample) -> Iterator[Fault]:
    """Yield a problem if a sample's ground truth points have other names, or another order, than its task needs."""
    names = tuple(point.name for point in sample.truth_points)
    expected = CORNERS if sample.asks.is_box else AXES if not sample.asks.landmarks else sample.landmarks
    if not names or names == expected:
        return
    said = "this order" if sorted(names) == sorted(expected) else "these names"
    yield Fault(
        "points-names",
        "truth_points",
        f"the points are named {', '.join(names)[:200]}; expected {said}: {', '.join(expected)[:300]}",
    )


def point_faults(sample: Sample, height: int, width: int) -> Iterator[Fault]:
    """Yield a problem for each ground truth point outside the image; if none is, one if they contradict the target.

    The image has *height* x *width* pixels. A sample without points has no problem.
    """
    away = [Fault("points-outside", "truth_points", wrong) for wrong in outside(sample, (height, width))]
    yield from away
    if away or not sample.truth_points or any(name_faults(sample)):
        return
    measured = _measured(sample, height, width)
    if told := contradiction(sample, measured, height, width, by="truth_points"):
        yield Fault("points-target", "target", told, refused=sample.medvision is None)


def contradiction(sample: Sample, measured: Sequence[float], height: int, width: int, *, by: str) -> str:
    """Return a sentence if a sample's target disagrees with the *measured* numbers, with a likely cause; else empty.

    *measured* is in the unit of the target. *by* is the field that gives these numbers, ``mask`` or ``truth_points``,
    which the user may leave out. The image has *height* x *width* pixels.
    """
    if _agrees(sample, sample.target, measured, height, width):
        return ""
    why = _why(sample, tuple(measured), height, width)
    remedy = f"{why} Correct the sample" if why else f"correct target or {by}"
    gives = "the mask gives" if by == "mask" else f"{by} give"
    return f"{_written(sample, sample.target)}, but {gives} {_written(sample, measured)}; {remedy}, or leave {by} out"


def agree(sample: Sample) -> bool:
    """Return whether the points of a length or an angle give its target; False without points."""
    if not sample.truth_points or any(name_faults(sample)) or sample.asks.is_box:
        return False
    return _agrees(sample, sample.target, _measured(sample, 1, 1), 1, 1)


def _measured(sample: Sample, height: int, width: int) -> _Numbers:
    """Return the target in its unit, computed from the sample's points and pixel size."""
    down, across = sample.pixel_size.height_mm, sample.pixel_size.width_mm
    return _of_points(sample, down, across, height, width)


def _of_points(sample: Sample, down: float, across: float, height: int, width: int) -> _Numbers:
    points = sample.truth_points
    if sample.asks.is_box:
        low, high = points
        return low.x / width, (height - low.y) / height, high.x / width, (height - high.y) / height
    lines = [_line(a, b, down, across) for a, b in zip(points[::2], points[1::2], strict=True)]
    if sample.asks.quantity == ANGLE_DEG:
        one, other = (math.atan2(y, x) for x, y in lines)
        between = abs(math.degrees(one - other)) % 180
        return (min(between, 180 - between),)
    return tuple(math.hypot(*line) for line in lines)


def _line(a: Landmark, b: Landmark, down: float, across: float) -> tuple[float, float]:
    return (b.x - a.x) * across, (b.y - a.y) * down


def _agrees(sample: Sample, stated: Sequence[float], measured: Sequence[float], height: int, width: int) -> bool:
    """Return whether *stated* and *measured* numbers of a target agree, if points are rounded to whole pixels."""
    down, across = sample.pixel_size.height_mm, sample.pixel_size.width_mm
    if sample.asks.is_box:
        allowed = [_PIXELS / side for side in (width, height, width, height)]
    elif sample.asks.quantity == ANGLE_DEG:
        allowed = [max(2.0, _turn(sample, max(down, across)))]
    else:
        allowed = [max(_PART * one, _PIXELS * max(down, across)) for one in measured]
    return all(abs(one - other) <= most for one, other, most in zip(stated, measured, allowed, strict=True))


def _turn(sample: Sample, pixel: float) -> float:
    """Return the degrees by which a sample's angle may change if points move by 1.5 pixels of *pixel* mm."""
    points, size = sample.truth_points, sample.pixel_size
    lines = zip(points[::2], points[1::2], strict=True)
    lengths = [math.hypot(*_line(a, b, size.height_mm, size.width_mm)) for a, b in lines]
    return sum(math.degrees(math.atan2(_PIXELS * pixel, length)) for length in lengths)


def _why(sample: Sample, measured: _Numbers, height: int, width: int) -> str:
    """Return a question to the user about the mistake that would explain a contradiction; empty if none is known."""
    size = sample.pixel_size

    def fits(stated: Sequence[float], given: Sequence[float]) -> bool:
        return _agrees(sample, stated, given, height, width)

    pointed = bool(sample.truth_points)  # not where a mask is compared
    exchanged = _of_points(sample, size.width_mm, size.height_mm, height, width) if pointed else ()
    causes: list[tuple[Callable[[], bool], str]]
    if sample.asks.is_box:
        x1, y1, x2, y2 = sample.target
        causes = [
            (
                lambda: fits((x1, y1, x1 + x2, y1 + y2), measured),
                "is the target x, y, width and height instead of x1, y1, x2, y2?",
            ),
            (lambda: fits((x1, 1 - y2, x2, 1 - y1), measured), "does y of the target run down instead of up?"),
            (lambda: fits((y1, x1, y2, x2), measured), "are x and y of the target exchanged?"),
        ]
    elif sample.asks.quantity == AREA_MM2:
        causes = []
    elif sample.asks.quantity == ANGLE_DEG:
        radians = (math.degrees(sample.target[0]),)
        causes = [
            (lambda: fits(radians, measured), "is the target in radians?"),
            (lambda: fits(sample.target, exchanged), "are height_mm and width_mm exchanged?"),
        ]
    else:
        reversed_ = tuple(reversed(sample.target))
        in_pixels = _of_points(sample, 1.0, 1.0, height, width)
        slips = {slip(one, other) for one, other in zip(sample.target, measured, strict=True)}
        found = slips.pop() if len(slips) == 1 else ""
        causes = [
            (lambda: bool(found), found),
            (lambda: pointed and fits(sample.target, exchanged), "are height_mm and width_mm exchanged?"),
            (lambda: len(reversed_) > 1 and fits(reversed_, measured), "are major and minor axis exchanged?"),
            (lambda: pointed and fits(sample.target, in_pixels), "is the target in pixels?"),
        ]
    return next((words for holds, words in causes if holds()), "")


def _written(sample: Sample, numbers: Sequence[float]) -> str:
    """Return the numbers of a target as text, with their unit unless it is a box."""
    units = {LENGTH_MM: " mm", ANGLE_DEG: " degrees", AREA_MM2: " mm2"}
    if sample.asks.is_box:
        return ", ".join(significant(number, 4) for number in numbers)
    return " x ".join(significant(number, 4) for number in numbers) + units.get(sample.asks.quantity, "")
