"""Exact shapes against what is measured of their masks.

A mask of pixels holds its shape to about half a pixel, so tolerances are in pixels; the mean error over many
positions and rotations shows that nothing is short by a part of a pixel throughout.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from phantoms import EllipsePhantom

from medvision_agent.tools.segment.contour import Cut, component, measure_mask
from medvision_agent.tools.view.geometry import Region, Spacing, distance_mm


def phantoms(spacing, number=40):
    rng = np.random.default_rng(7)
    for _ in range(number):
        a = rng.uniform(12, 24)
        x, y = 32 + rng.uniform(-2, 2, 2)
        yield EllipsePhantom(spacing, x, y, a, a * rng.uniform(0.45, 1), rng.uniform(0, math.pi))


@pytest.mark.parametrize(
    ("spacing", "worst", "bias"),
    [
        (Spacing(0.5, 0.5), 0.2, 0.03),
        (Spacing(1.0, 1.0), 0.4, 0.06),
        (Spacing(1.5, 1.5), 0.8, 0.15),
        (Spacing(1.5, 0.7), 0.5, 0.1),
        (Spacing(0.7, 1.5), 0.5, 0.1),
        # Thick rows: a shape of a few rows is known to about half a row of 5 mm.
        (Spacing(5.0, 0.627), 3.0, 0.9),
    ],
)
def test_axes_of_masks_of_exact_ellipses(spacing, worst, bias):
    errors = []
    for phantom in phantoms(spacing):
        ellipse = measure_mask(phantom.coverage() > 0.5, spacing).ellipse
        errors.append((ellipse.major_mm - 2 * phantom.a, ellipse.minor_mm - 2 * phantom.b))
    assert np.abs(errors).max() < worst
    assert np.abs(np.mean(errors, axis=0)).max() < bias


def test_a_disc_a_pixel_short_would_be_noticed():
    """A contour through the centres of border pixels makes this disc 9 mm wide instead of 10."""
    phantom = EllipsePhantom(Spacing(1.0, 1.0), 32, 32, 5, 5, 0)
    measured = measure_mask(phantom.coverage() > 0.5, phantom.spacing)
    assert measured.box == Region(27, 27, 37, 37)
    assert measured.ellipse.major_mm == pytest.approx(10, abs=0.2)
    assert measured.ellipse.minor_mm == pytest.approx(10, abs=0.2)


def test_the_axes_lie_where_the_ellipse_is():
    spacing = Spacing(0.5, 1.0)
    phantom = EllipsePhantom(spacing, 30, 33, 20, 8, math.radians(30))
    ellipse = measure_mask(phantom.coverage() > 0.5, spacing).ellipse
    assert (ellipse.center.x, ellipse.center.y) == pytest.approx((30, 66), abs=0.2)
    assert distance_mm(*ellipse.major, spacing) == pytest.approx(ellipse.major_mm)
    assert distance_mm(*ellipse.minor, spacing) == pytest.approx(ellipse.minor_mm)
    right = max(ellipse.major, key=lambda point: point.x)
    # x to the right and y down: a turn of +30 degrees lowers the right end.
    assert right.x == pytest.approx(30 + 20 * math.cos(math.radians(30)), abs=0.3)
    assert right.y == pytest.approx((33 + 20 * math.sin(math.radians(30))) / 0.5, abs=0.6)


def test_box_and_area_are_those_of_the_pixels():
    mask = np.zeros((20, 30), np.bool_)
    mask[4:9, 10:21] = True
    mask[6, 12] = False
    mask[15, 2] = True
    measured = measure_mask(mask, Spacing(2.0, 0.5))
    assert measured.box == Region(2, 4, 21, 16)
    assert measured.area_mm2 == mask.sum()
    assert (measured.ellipse.center.x, measured.ellipse.center.y) == pytest.approx((15.5, 6.5), abs=0.05)


def test_an_ellipse_is_at_one_with_its_mask_and_a_hook_is_not():
    phantom = EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 20, 10, 0.4)
    assert measure_mask(phantom.coverage() > 0.5, phantom.spacing).dice > 0.98
    hook = np.zeros((60, 60), np.bool_)
    hook[5:55, 5:12] = True
    hook[48:55, 5:55] = True
    assert measure_mask(hook, phantom.spacing).dice < 0.6


masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(np.any)


@given(masks, st.floats(0.2, 5), st.floats(0.2, 5))
def test_any_mask_can_be_measured(mask, height_mm, width_mm):
    measured = measure_mask(mask, Spacing(height_mm, width_mm))
    rows, columns = np.nonzero(mask)
    assert measured.box == Region(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    ellipse = measured.ellipse
    assert math.isfinite(ellipse.major_mm)
    assert 0 < ellipse.minor_mm <= ellipse.major_mm
    assert 0 <= measured.dice <= 1


def test_an_empty_mask_has_no_shape():
    with pytest.raises(ValueError, match="the mask is empty"):
        measure_mask(np.zeros((3, 3), np.bool_), Spacing(1, 1))


def test_components():
    mask = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], np.bool_)
    np.testing.assert_array_equal(component(mask), [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    np.testing.assert_array_equal(component(mask, (0, 1)), [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert not component(mask, (0, 3)).any()
    assert not component(np.zeros((2, 2), np.bool_)).any()


def test_a_fit_that_runs_away_is_replaced():
    """A least-squares ellipse of this thin L is 90 px long; the L itself fits into a square of 10."""
    mask = np.zeros((10, 10), np.bool_)
    mask[0] = mask[:, 0] = True
    measured = measure_mask(mask, Spacing(1, 1))
    assert measured.ellipse.major_mm < 16
    assert measured.dice < 0.5


@pytest.mark.parametrize(("arm", "side"), [(5, 30), (10, 59)])
def test_an_ellipse_is_not_much_longer_than_its_shape(arm, side):
    """The least-squares ellipses of these two L are 1.18 and 1.13 times as long as the L from end to end."""
    yy, xx = np.mgrid[:side, :side]
    measured = measure_mask((yy < arm) | (xx < arm), Spacing(1, 1))
    assert measured.ellipse.major_mm < 1.1 * math.hypot(side, side)
    assert measured.dice > 0.4


def test_the_ellipse_that_overlaps_better_is_taken():
    """A crescent: 0.33 by least squares, though no longer than the crescent itself."""
    yy, xx = np.mgrid[:60, :120] + 0.5
    crescent = (np.hypot(xx - 60, yy - 30) < 29) & (np.hypot(xx - 72, yy - 30) > 28)
    assert measure_mask(crescent, Spacing(1, 1)).dice > 0.55


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_work_on_an_enlarged_cut_is_bounded(width, height, height_mm, width_mm):
    across, down = Cut(0, 0, width, height).factors(Spacing(height_mm, width_mm))
    assert across >= 1
    assert down >= 1
    assert across * down == 1 or width * across * height * down <= 2_000_000


def test_every_stretch_of_a_contour_weighs_the_same():
    """A right-angled triangle, legs along the axes or turned by 45 degrees: pixels along a slant are fewer."""
    yy, xx = np.mgrid[:200, :300] + 0.5
    upright = (xx > 20) & (yy > 20) & (xx + yy < 140.5)
    turned = (yy > 20) & (yy - 20 < 50 * math.sqrt(2) - abs(xx - 150))
    first, second = (measure_mask(mask, Spacing(1, 1)).ellipse for mask in (upright, turned))
    assert first.major_mm == pytest.approx(second.major_mm, rel=0.02)
    assert first.minor_mm == pytest.approx(second.minor_mm, rel=0.02)
