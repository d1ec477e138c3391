"""How far the points of an answer lie from the truth's, in mm.

    error = min over s of mean over i of |p_s(i) - t_i|

with p the points that the cited measurements were made from, t the truth's, and s any order in which they are the
same answer: the two ends of a line swapped, and the two lines of an angle or the two axes of a size swapped. Points
anywhere on a line give the right angle, and the axes of a nearly round structure may point anywhere: a large landmark
error need not be a large error of the answer.

A box has two corners: the lower values of x and y (MedVision's convention), and the higher ones, in whatever order
they were given. Their errors are ``|p - t|`` in mm of the whole picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from medvision_agent.tools.view.geometry import Point, Spacing, distance_mm

__all__ = ["LandmarkError", "corner_errors", "landmark_error"]


@dataclass(frozen=True, slots=True)
class LandmarkError:
    """Distances in mm between the points of an answer and the truth's."""

    mean_mm: float
    largest_mm: float
    swapped: bool
    """The two lines, or the two axes, had to be swapped."""


def landmark_error(points: Sequence[Point], truth: Sequence[Point], spacing: Spacing) -> LandmarkError | None:
    """Return the error of two or four points (slice frame, line by line); None where the truth has no such points."""
    if len(points) != len(truth) or len(points) not in (2, 4):
        return None
    lines = [(points[k], points[k + 1]) for k in range(0, len(points), 2)]
    best: LandmarkError | None = None
    for swapped in (False, True)[: len(lines)]:
        ordered = lines[::-1] if swapped else lines
        for turned in product((False, True), repeat=len(lines)):
            placed = [p for line, turn in zip(ordered, turned, strict=True) for p in (line[::-1] if turn else line)]
            errors = [distance_mm(p, t, spacing) for p, t in zip(placed, truth, strict=True)]
            found = LandmarkError(math.fsum(errors) / len(errors), max(errors), swapped)
            if best is None or found.mean_mm < best.mean_mm:
                best = found
    return best


def corner_errors(box: Sequence[float], target: Sequence[float], field_mm: tuple[float, float]) -> tuple[float, float]:
    """Return the errors in mm of the lower and of the higher corner of a box (0..1) in a field (height, width)."""
    height, width = field_mm
    (low, high), (true_low, true_high) = _corners(box), _corners(target)

    def apart(p: tuple[float, float], t: tuple[float, float]) -> float:
        return math.hypot((p[0] - t[0]) * width, (p[1] - t[1]) * height)

    return apart(low, true_low), apart(high, true_high)


def _corners(box: Sequence[float]) -> tuple[tuple[float, float], tuple[float, float]]:
    x1, y1, x2, y2 = box
    return (min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2))
