"""The rule of the right place beside computations of another kind: polygons, complex numbers and counted pixels."""

import cmath
import math

import cv2
import numpy as np
import pytest

from medvision_agent.eval.place.rule import RULE, STRICTER, WIDER, Target, box_iou, in_place
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Point, Spacing

LONG = Spacing(2.0, 0.5)
"""Pixels four times as high as wide."""


def in_pixels(place, spacing=LONG):
    """Return a point of the slice from millimetres as a complex number."""
    return Point(place.real / spacing.width_mm, place.imag / spacing.height_mm)


def size_target(centre, major, minor, turn):
    arms = [cmath.rect(major / 2, turn), cmath.rect(minor / 2, turn + math.pi / 2)]
    ends = [centre + sign * arm for arm in arms for sign in (-1, 1)]
    return Target(TASKS["size"], tuple(map(in_pixels, ends)), LONG)


@pytest.mark.parametrize(("tolerance", "times"), [(STRICTER, 0.5), (RULE, 1.0), (WIDER, 2.0)])
def test_the_centre_of_a_size_lies_in_the_ellipse_that_a_polygon_draws(tolerance, times):
    target = size_target(60 + 80j, 40, 22, 0.6)
    ring = cv2.ellipse2Poly((600, 800), (int(200 * times), int(110 * times)), round(math.degrees(0.6)), 0, 360, 1)
    seen = set()
    for dx in range(-45, 46, 3):
        for dy in range(-45, 46, 3):
            signed = cv2.pointPolygonTest(ring, (600 + 10 * dx, 800 + 10 * dy), measureDist=True)
            if abs(signed) < 8:  # the polygon has whole pixels and whole degrees
                continue
            middle = complex(60 + dx, 80 + dy)
            lines = [middle - 7, middle + 7, middle - 3j, middle + 3j]
            assert in_place(list(map(in_pixels, lines)), target, tolerance) == (signed > 0)
            seen.add(signed > 0)
    assert seen == {True, False}


def test_a_small_structure_has_a_floor_of_two_pixels():
    target = size_target(10 + 10j, 0.2, 0.1, 0.0)
    middle = in_pixels(10 + 10j)
    for tolerance in (STRICTER, RULE, WIDER):
        assert in_place([Point(middle.x + 1.9, middle.y)] * 4, target, tolerance)
        assert not in_place([Point(middle.x, middle.y + 2.1)] * 4, target, tolerance)
    flat = Target(TASKS["size"], (Point(0, 0), Point(20, 0), Point(5, 0), Point(15, 0)), LONG)
    assert in_place([Point(11, 1)] * 4, flat)
    assert not in_place([Point(15, 0)] * 4, flat)


@pytest.mark.parametrize(("tolerance", "share"), [(STRICTER, 0.125), (RULE, 0.25), (WIDER, 0.5)])
@pytest.mark.parametrize("order", [1, -1])
def test_both_ends_of_a_distance_lie_near_in_either_order(tolerance, share, order):
    a, b = 20 + 20j, 80 + 100j  # 100 mm
    target = Target(TASKS["distance"], (in_pixels(a), in_pixels(b)), LONG)
    for angle in range(0, 360, 20):
        for factor, holds in ((0.98, True), (1.02, False)):
            off = cmath.rect(factor * share * 100, math.radians(angle))
            for ends in ((a + off, b), (a, b + off)):
                assert in_place([in_pixels(end) for end in ends[::order]], target, tolerance) is holds


def test_ends_of_a_short_distance_have_a_floor_of_three_pixels():
    target = Target(TASKS["distance"], (Point(10, 10), Point(12, 10)), Spacing(1, 1))
    assert in_place([Point(10, 12.9), Point(12, 7.1)], target)
    assert not in_place([Point(10, 13.1), Point(12, 10)], target)


@pytest.mark.parametrize(("tolerance", "share"), [(STRICTER, 0.25), (RULE, 0.5), (WIDER, 1.0)])
@pytest.mark.parametrize("swapped", [False, True])
def test_midpoints_of_an_angle_lie_near_whatever_the_directions(tolerance, share, swapped):
    one, two = (10 + 10j, 30 + 10j), (60 + 60j, 60 + 100j)  # 20 and 40 mm
    target = Target(TASKS["angle"], tuple(map(in_pixels, (*one, *two))), LONG)
    for factor, holds in ((0.98, True), (1.02, False)):
        for off_one, off_two in ((20 * share * factor, 0), (0, 40j * share * factor)):
            middles = [20 + 10j + off_one, 60 + 80j + off_two]
            lines = [(middle - 5 - 9j, middle + 5 + 9j) for middle in middles]
            ends = [end for line in (lines[::-1] if swapped else lines) for end in line]
            assert in_place(list(map(in_pixels, ends)), target, tolerance) is holds


def test_boxes_overlap_as_counted_pixels_say():
    draw = np.random.default_rng(3)
    target_box = (20, 30, 60, 80)
    shown = set()
    for _ in range(200):
        box = draw.integers(0, 100, 4)
        masks = [np.zeros((100, 100), bool) for _ in range(2)]
        for mask, (x0, y0, x1, y1) in zip(masks, (box, target_box), strict=True):
            mask[min(y0, y1) : max(y0, y1), min(x0, x1) : max(x0, x1)] = True
        counted = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        corners = [Point(float(box[0]), float(box[1])), Point(float(box[2]), float(box[3]))]
        target = Target(TASKS["detection"], (Point(20, 30), Point(60, 80)), Spacing(1, 1))
        assert box_iou(corners, target.points) == pytest.approx(counted)
        held = tuple(in_place(corners, target, one) for one in (STRICTER, RULE, WIDER))
        assert held == (counted >= 0.5, counted >= 0.25, counted > 0)
        shown.add(held)
    assert len(shown) == 4
    assert box_iou([Point(1, 1), Point(1, 5)], [Point(1, 1), Point(1, 5)]) == 0.0
