import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing, acute_angle_deg, distance_mm

coordinate = st.floats(-1000, 1000, allow_subnormal=False)
points = st.builds(Point, coordinate, coordinate)
spacings = st.builds(Spacing, st.floats(0.05, 10), st.floats(0.05, 10))


def test_distance_uses_height_down_and_width_across():
    spacing = Spacing(height_mm=5.0, width_mm=0.5)
    assert distance_mm(Point(0, 0), Point(6, 0), spacing) == pytest.approx(3.0)
    assert distance_mm(Point(0, 0), Point(0, 6), spacing) == pytest.approx(30.0)
    assert distance_mm(Point(1, 1), Point(7, 1.8), spacing) == pytest.approx(5.0)


def test_angle_is_physical_not_of_pixels():
    spacing = Spacing(height_mm=math.sqrt(3), width_mm=1.0)
    a = Point(0, 0), Point(10, 0)
    assert acute_angle_deg(*a, Point(0, 0), Point(5, 5), spacing) == pytest.approx(60.0)
    assert acute_angle_deg(*a, Point(0, 0), Point(0, 5), spacing) == 90.0
    assert acute_angle_deg(*a, Point(3, 3), Point(-4, 3), spacing) == 0.0


@given(points, points, points, points, spacings)
def test_angle_is_medvisions_arccos(a0, a1, b0, b1, spacing):
    assume(distance_mm(a0, a1, spacing) > 1e-3)
    assume(distance_mm(b0, b1, spacing) > 1e-3)
    ax, ay = (a1.x - a0.x) * spacing.width_mm, (a1.y - a0.y) * spacing.height_mm
    bx, by = (b1.x - b0.x) * spacing.width_mm, (b1.y - b0.y) * spacing.height_mm
    cosine = min(1.0, abs(ax * bx + ay * by) / (math.hypot(ax, ay) * math.hypot(bx, by)))
    angle = acute_angle_deg(a0, a1, b0, b1, spacing)
    assert 0.0 <= angle <= 90.0
    # arccos itself is only good to about 1e-6 degrees near a cosine of 1.
    assert angle == pytest.approx(math.degrees(math.acos(cosine)), abs=2e-6)


def test_a_line_without_length_has_no_angle():
    p = Point(1, 2)
    with pytest.raises(ValueError, match="no direction"):
        acute_angle_deg(p, p, Point(0, 0), Point(1, 1), Spacing(1, 1))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_spacing_is_finite_and_positive(value):
    with pytest.raises(ValueError, match="pixel spacing"):
        Spacing(value, 1.0)
    with pytest.raises(ValueError, match="pixel spacing"):
        Spacing(1.0, value)


def test_sizes_and_regions_are_not_empty():
    with pytest.raises(ValueError, match="at least 1 px"):
        Size(0, 5)
    with pytest.raises(ValueError, match="expected x0 < x1 and y0 < y1"):
        Region(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (Region(2, 3, 5, 7), (2, 3, 5, 7)),
        (Region(2.2, 3.9, 4.1, 6.5), (2, 3, 5, 7)),
        (Region(1.9999, 2.9999, 5.0001, 7.0001), (2, 3, 5, 7)),
        (Region(2.5, 3.5, 2.500001, 3.500001), (2, 3, 3, 4)),
        (Region(9.9999, 7.9999, 10, 8), (9, 7, 10, 8)),
        (Region(-5, -5, 50, 50), (0, 0, 10, 8)),
    ],
)
def test_a_region_covers_whole_pixels(region, expected):
    assert region.pixels(Size(height=8, width=10)) == expected
