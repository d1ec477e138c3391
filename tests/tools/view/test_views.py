import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing, acute_angle_deg, distance_mm
from medvision_agent.tools.view.perceived import Fixed, LongestSide, Native, Patches, Tiles
from medvision_agent.tools.view.slice import Slice, Window, grey_slice
from medvision_agent.tools.view.views import MAX_SIDE, ViewSet

DOWNWARD = FRAMES["top-left"]
unit = st.floats(0, 1, allow_subnormal=False)
pairs = st.tuples(unit, unit)
rules = st.sampled_from(
    [Native(), Fixed(height=896, width=448), LongestSide(limit=64), Tiles(), Patches(pixels=9 * 1024)]
)


@st.composite
def slices(draw):
    shape = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    spacing = Spacing(draw(st.floats(0.1, 6)), draw(st.floats(0.1, 6)))
    return grey_slice(np.random.default_rng(0).integers(0, 256, shape), spacing)


def said(views, view, place):
    """Return the model coordinates of a place in unit coordinates of a view."""
    return views.frame.from_unit(*place, view.perceived)


def within(views, view, point):
    """Return the model coordinates of a point in a view, free of float noise beyond its edges."""
    return np.clip(views.coordinates(view, point), 0, views.frame.ends(view.perceived))


@st.composite
def nested(draw):
    """A view set in any frame with a chain of crops, each within the one before."""
    views = ViewSet(draw(slices()), draw(rules), draw(st.sampled_from(list(FRAMES.values()))))
    view = views.whole
    for _ in range(draw(st.integers(0, 4))):
        try:
            region = views.region(view, *said(views, view, draw(pairs)), *said(views, view, draw(pairs)))
        except ToolError:
            continue
        view = views.crop(region, draw(st.floats(1, 16)))
    return views, view


@given(nested(), unit, unit)
def test_points_survive_the_round_trip(case, x, y):
    views, view = case
    x, y = said(views, view, (x, y))
    point = views.point(view, x, y)
    assert views.coordinates(view, point) == pytest.approx((x, y), abs=1e-9)
    through_whole = views.point(views.whole, *within(views, views.whole, point))
    assert (through_whole.x, through_whole.y) == pytest.approx((point.x, point.y), abs=1e-9)


@given(nested(), pairs, pairs, pairs, pairs)
def test_measurements_do_not_depend_on_the_view(case, a0, a1, b0, b1):
    views, view = case
    spacing = views.slice.spacing
    points = [views.point(view, *said(views, view, p)) for p in (a0, a1, b0, b1)]
    height, width = view.field_mm
    expected = float(np.hypot((a1[0] - a0[0]) * width, (a1[1] - a0[1]) * height))
    assert distance_mm(points[0], points[1], spacing) == pytest.approx(expected, abs=1e-9)
    again = [views.point(views.whole, *within(views, views.whole, p)) for p in points]
    assert distance_mm(again[0], again[1], spacing) == pytest.approx(expected, abs=1e-9)
    if min(distance_mm(*points[:2], spacing), distance_mm(*points[2:], spacing)) > 1e-3:
        assert acute_angle_deg(*again, spacing) == pytest.approx(acute_angle_deg(*points, spacing), abs=1e-6)


@given(nested())
def test_stated_spacing_is_the_field_over_the_perceived_size(case):
    _, view = case
    height_mm, width_mm = view.field_mm
    native = view.slice.spacing
    assert height_mm == pytest.approx(view.region.height * native.height_mm)
    assert width_mm == pytest.approx(view.region.width * native.width_mm)
    assert view.spacing.height_mm * view.perceived.height == pytest.approx(height_mm)
    assert view.spacing.width_mm * view.perceived.width == pytest.approx(width_mm)


def test_a_perceived_size_changes_the_spacing_and_no_measurement():
    image = grey_slice(np.zeros((40, 20)), Spacing(2.0, 1.0))
    region = Region(5, 10, 15, 30)
    native, fixed = (ViewSet(image, rule).crop(region, 2.0) for rule in (Native(), Fixed(height=80, width=80)))
    assert (native.spacing, fixed.spacing) == (Spacing(1.0, 0.5), Spacing(0.5, 0.125))
    assert native.field_mm == fixed.field_mm == (40.0, 10.0)
    assert native.size == fixed.size == native.perceived == Size(40, 20)
    ends = [
        ViewSet(image, rule).point(view, 1, 1)
        for rule, view in ((Native(), native), (Fixed(height=80, width=80), fixed))
    ]
    assert ends[0] == ends[1] == Point(15, 10)


def test_the_model_frames():
    image = grey_slice(np.zeros((10, 20)), Spacing(1, 1))
    upward, downward = ViewSet(image, Native()), ViewSet(image, Native(), DOWNWARD)
    assert upward.point(upward.whole, 0, 0) == Point(0, 10)
    assert downward.point(downward.whole, 0, 0) == Point(0, 0)
    assert upward.corners(upward.whole, Region(0, 0, 5, 2)) == (0.0, 0.8, 0.25, 1.0)
    assert downward.corners(downward.whole, Region(0, 0, 5, 2)) == (0.0, 0.0, 0.25, 0.2)


@given(slices(), pairs, pairs)
def test_a_crop_at_zoom_1_is_the_native_pixels(image, a, b):
    views = ViewSet(image, Native())
    try:
        region = views.region(views.whole, *a, *b)
    except ToolError:
        return
    view = views.crop(region, 1.0)
    x0, y0, x1, y1 = (round(value) for value in (view.region.x0, view.region.y0, view.region.x1, view.region.y1))
    np.testing.assert_array_equal(view.pixels, image.grey[y0:y1, x0:x1])
    assert x0 <= region.x0 + 0.01
    assert x1 >= region.x1 - 0.01


@given(st.integers(4, 60), st.integers(4, 60), pairs, pairs, st.floats(1, 16))
def test_enlarging_keeps_features_in_place(height, width, a, b, zoom):
    """On a ramp, half a pixel of displacement would be two grey levels."""
    yy, xx = np.mgrid[:height, :width] + 0.5
    for ramp, axis in ((xx * 4, 0), (yy * 4, 1)):
        views = ViewSet(grey_slice(ramp, Spacing(1, 2)), Native())
        try:
            view = views.crop(views.region(views.whole, *a, *b), zoom)
        except ToolError:
            return
        region, size = view.region, view.size
        across = region.x0 + (np.arange(size.width) + 0.5) * region.width / size.width
        down = region.y0 + (np.arange(size.height) + 0.5) * region.height / size.height
        # Half a native pixel from the border the values are replicated from inside.
        expected = (
            np.clip(across, region.x0 + 0.5, region.x1 - 0.5)[None]
            if axis == 0
            else np.clip(down, region.y0 + 0.5, region.y1 - 0.5)[:, None]
        )
        assert np.abs(view.pixels - 4.0 * expected).max() <= 0.76


def test_a_bright_pixel_is_found_at_its_coordinates_in_a_crop():
    pixels = np.zeros((30, 50))
    pixels[12, 34] = 255
    views = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())
    view = views.crop(Region(30, 10, 40, 16), 8.0)
    row, column = np.unravel_index(np.argmax(view.pixels), view.pixels.shape)
    rows, columns = np.nonzero(view.pixels == view.pixels[row, column])
    assert view.pixel(Point(34.5, 12.5)) == (columns.mean() + 0.5, rows.mean() + 0.5)


def test_crops_use_the_mapping_of_the_whole_picture():
    values = np.array([[0, 100], [400, 400]], np.float32)
    views = ViewSet(Slice(values, Spacing(1, 1), Window(0, 400)), Native())
    view = views.crop(Region(0, 0, 2, 1), 1.0)
    np.testing.assert_array_equal(view.pixels, [[0, 63]])


@given(nested(), pairs, pairs, st.floats(1, 16))
def test_reported_corners_give_the_same_region_again(case, a, b, zoom):
    views, view = case
    try:
        first = views.crop(views.region(view, *said(views, view, a), *said(views, view, b)), zoom)
    except ToolError:
        return
    corners = views.frame.rounded(views.corners(views.whole, first.region))
    assert views.crop(views.region(views.whole, *corners), zoom).region == first.region


def test_a_crop_is_never_larger_than_the_limit():
    views = ViewSet(grey_slice(np.zeros((300, 20)), Spacing(1, 1)), Native())
    assert max(views.crop(views.slice.region, 16.0).pixels.shape) == MAX_SIDE
    views = ViewSet(grey_slice(np.zeros((MAX_SIDE + 100, 3)), Spacing(1, 1)), Native())
    assert views.crop(views.slice.region, 4.0).size == Size(MAX_SIDE + 100, 3)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("units", [1.0, 1e-10])
def test_the_rounding_of_a_reported_corner_is_no_mistake(frame, units):
    views = ViewSet(grey_slice(np.zeros((10, 20)), Spacing(1, 1)), Native(), frame)
    excess = units * 10.0**-frame.decimals
    right, end = views.frame.ends(views.whole.perceived)
    low, high = views.point(views.whole, -excess, -excess), views.point(views.whole, right + excess, end + excess)
    assert {low.x, high.x} == {0.0, 20.0}
    assert {low.y, high.y} == {0.0, 10.0}


def test_a_point_just_outside_is_refused_with_digits_that_show_it():
    views = ViewSet(grey_slice(np.zeros((4, 4)), Spacing(1, 1)), Native())
    with pytest.raises(ToolError, match=r"\(1.000002, -2e-06\) lies outside") as caught:
        views.point(views.whole, 1.000002, -0.000002)
    assert "from 0 to 1" in str(caught.value)


def test_a_model_is_told_what_it_did_wrong():
    views = ViewSet(grey_slice(np.zeros((4, 4)), Spacing(1, 1)), Native())
    with pytest.raises(ToolError, match=r"no view 'v7'; the views are v0"):
        views.get("v7")
    with pytest.raises(ToolError, match=r"\(1.5, 0\) lies outside view v0; x and y must be from 0 to 1"):
        views.point(views.whole, 1.5, 0.0)
    with pytest.raises(ToolError, match="is empty; give two opposite corners"):
        views.region(views.whole, 0.2, 0.3, 0.2, 0.8)
