"""The rule: was something measured at the true location? It looks only at positions, never at the answer's numbers.

* size: the centre of what was measured (the mean of its points) lies inside the true ellipse;
* distance: in the better of the two orders, each end lies within 0.25 of the true length of the true end;
* angle: in the better of the two orders, the midpoint of each line lies within 0.5 of the length of the true line from
  its midpoint;
* box: the boxes overlap with an IoU of at least 0.25, corners taken in any order.

There are also a stricter and a wider rule: 0.5 and 2 times the ellipse, 0.125 and 0.5, 0.25 and 1, an IoU of at least
0.5 and one above 0. Small structures have a floor, in pixels of the image as sent: 2 around the centre of an ellipse, 3
around the end of a distance. Shares of lengths are taken in mm, so that long pixels do not bend the rule.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from medvision_agent.eval.tasks import Task
from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["RULE", "STRICTER", "WIDER", "Place", "Target", "Tolerance", "box_iou", "centre", "corners_of", "in_place"]

_CENTRE_PX = 2.0
_END_PX = 3.0


class Place(StrEnum):
    """Where an answer was measured: in the right place by the rule, elsewhere, or not known."""

    RIGHT = "in the right place"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "not locatable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How near to the ground truth a measurement must be to count as in the right place."""

    ellipse: float
    """Factor by which the true ellipse is scaled, in which the centre must lie."""
    end: float
    """Largest distance of an end from the true end, as a fraction of the true length."""
    midpoint: float
    """Largest distance of a line's midpoint from the true one, as a fraction of the true line's length."""
    iou: float
    """Least IoU of the boxes, which must also be above 0."""


RULE = Tolerance(ellipse=1.0, end=0.25, midpoint=0.5, iou=0.25)
STRICTER = Tolerance(ellipse=0.5, end=0.125, midpoint=0.25, iou=0.5)
WIDER = Tolerance(ellipse=2.0, end=0.5, midpoint=1.0, iou=0.0)


@dataclass(frozen=True, slots=True)
class Target:
    """The location of a sample's ground truth on the slice, with its task and pixel size."""

    task: Task
    points: tuple[Point, ...]
    """In the slice frame: the ends of lines or axes, or two opposite corners of a box."""
    spacing: Spacing
    """Pixel size in mm; for boxes, which need none, 1 x 1."""


def in_place(measured: Sequence[Point], target: Target, tolerance: Tolerance = RULE) -> bool:
    """Return whether *measured* points are in the right place, by the rule *tolerance*.

    They are in the frame of the target (pixels of the slice, or for a box shares of the image): the ends of each line
    in turn, or two opposite corners of a box.
    """
    if target.task.is_box:
        iou = box_iou(measured, target.points)
        return iou > 0 and iou >= tolerance.iou
    if target.task.drawing == "ellipse":
        return _inside(centre(measured), target, tolerance.ellipse)
    if len(target.points) == 2:
        return _ends(measured, target, tolerance.end)
    return _midpoints(measured, target, tolerance.midpoint)


def box_iou(a: Sequence[Point], b: Sequence[Point]) -> float:
    """Return the intersection over union (0 to 1) of two boxes, each given by two opposite corners in one frame.

    It is 0 if both have no area.
    """
    sides = [
        [sorted(point.x for point in box) for box in (a, b)],
        [sorted(point.y for point in box) for box in (a, b)],
    ]
    common = math.prod(max(0.0, min(one[1], two[1]) - max(one[0], two[0])) for one, two in sides)
    areas = [math.prod(side[box][1] - side[box][0] for side in sides) for box in (0, 1)]
    union = sum(areas) - common
    return common / union if union > 0 else 0.0


def _inside(point: Point, target: Target, times: float) -> bool:
    """Return whether a point (pixels of the slice) lies in the true ellipse, scaled by *times*.

    The axes of the ellipse end at the true points. The half axes u and v need not be orthogonal: points of files are
    rounded to pixels. A point at centre + p u + q v is inside if p^2 + q^2 <= times^2.
    """
    middle = centre(target.points)
    dx, dy = point.x - middle.x, point.y - middle.y
    if math.hypot(dx, dy) <= _CENTRE_PX:
        return True
    a, b, c, d = target.points
    ux, uy, vx, vy = (b.x - a.x) / 2, (b.y - a.y) / 2, (d.x - c.x) / 2, (d.y - c.y) / 2
    area = ux * vy - uy * vx
    if area == 0:
        return False
    return math.hypot((dx * vy - dy * vx) / area, (ux * dy - uy * dx) / area) <= times


def _ends(measured: Sequence[Point], target: Target, share: float) -> bool:
    first, second = target.points
    most = share * distance_mm(first, second, target.spacing)

    def near(a: Point, b: Point) -> bool:
        return distance_mm(a, b, target.spacing) <= most or math.hypot(a.x - b.x, a.y - b.y) <= _END_PX

    a, b = measured
    return (near(a, first) and near(b, second)) or (near(b, first) and near(a, second))


def _midpoints(measured: Sequence[Point], target: Target, share: float) -> bool:
    a0, a1, b0, b1 = target.points
    one, two = centre(measured[:2]), centre(measured[2:])

    def near(middle: Point, start: Point, end: Point) -> bool:
        most = share * distance_mm(start, end, target.spacing)
        return distance_mm(middle, centre((start, end)), target.spacing) <= most

    return (near(one, a0, a1) and near(two, b0, b1)) or (near(two, a0, a1) and near(one, b0, b1))


def corners_of(box: Iterable[float]) -> tuple[Point, Point]:
    """Return two opposite corners of a box as shares of the image, x right and y down.

    *box* is in MedVision's convention (x1, y1, x2, y2 from the lower left).
    """
    x1, y1, x2, y2 = map(float, box)
    return Point(x1, 1 - y1), Point(x2, 1 - y2)


def centre(points: Sequence[Point]) -> Point:
    """Return the mean of at least one point, in the frame of the points."""
    return Point(
        math.fsum(point.x for point in points) / len(points), math.fsum(point.y for point in points) / len(points)
    )
