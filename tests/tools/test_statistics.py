"""The statistics tool against numpy on the native values of the slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes import STEP_MM, TARGET, VOLUME, ct_slice

from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.statistics import statistics
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.profile import plot, profile_of
from medvision_agent.tools.view.slice import Slice, Units, grey_slice
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

NATIVE = VOLUME[TARGET].astype(np.float64)
HALF = {"x0": 0.1, "y0": 0.5, "x1": 0.6, "y1": 0.9}
"""Columns 2 to 11, rows 3 to 14: y is up."""


@pytest.fixture
def views():
    return ViewSet(ct_slice(), Native())


def measured(values):
    return pytest.approx((values.size, values.mean(), values.std(), values.min(), values.max()), abs=1e-4)


def numbers(result):
    return tuple(result[key] for key in ("pixels", "mean", "standard_deviation", "minimum", "maximum"))


def test_a_region_has_the_native_values_whatever_the_view(views):
    reply = statistics.call(views, HALF)
    assert numbers(reply.result) == measured(NATIVE[3:15, 2:12])
    assert (reply.result["units"], reply.result["profile"], reply.result["slice_position_mm"]) == ("HU", "", 0)
    assert reply.picture.caption.startswith("overlay on v0: ")
    window.call(views, {"by": "HU", "level": 0, "width": 10})
    views.crop(Region(2, 3, 12, 15), 5.0)
    whole = {"x0": 0, "y0": 0, "x1": 1, "y1": 1}
    for other in (statistics.call(views, {"view": "v1", **HALF}), statistics.call(views, {"view": "v2", **whole})):
        assert numbers(other.result) == numbers(reply.result)


def test_a_line_across_has_the_pixels_of_its_row(views):
    reply = statistics.call(views, {"of": "line", "x0": 0.1, "y0": 0.45, "x1": 0.6, "y1": 0.45})
    row = NATIVE[16, 2:12]
    assert numbers(reply.result) == measured(row)
    pairs = [tuple(map(float, pair.split(":"))) for pair in reply.result["profile"].split()]
    assert [place for place, _ in pairs] == pytest.approx([0.25 + 0.5 * step for step in range(10)])
    assert [value for _, value in pairs] == pytest.approx(row, rel=1e-5)
    assert reply.picture.caption.startswith("profile of the line on v0: across from 0 to 5 mm, upwards from ")
    assert reply.picture.pixels.shape == (160, 320)


def test_a_long_profile_has_32_means(views):
    pixels = np.arange(100, dtype=np.float32)[None] * np.ones((4, 1), np.float32)
    long = ViewSet(Slice(pixels, Spacing(1.0, 1.0)), Native())
    result = statistics.call(long, {"of": "line", "x0": 0, "y0": 0.4, "x1": 1, "y1": 0.4}).result
    pairs = [tuple(map(float, pair.split(":"))) for pair in result["profile"].split()]
    parts = np.split(np.arange(100.0), [100 * part // 32 for part in range(1, 32)])
    assert pairs == [(part.mean() + 0.5, part.mean()) for part in parts]
    assert (result["units"], result["pixels"], result["mean"]) == ("native values, unit unknown", 100, 49.5)


def test_a_slanted_line_takes_every_pixel_that_it_crosses():
    image = Slice(np.arange(12, dtype=np.float32).reshape(3, 4), Spacing(1.0, 1.0))
    found = profile_of(image, Point(0.5, 0.5), Point(3.5, 2.0))
    assert found.values.tolist() == [0, 1, 5, 6, 7]
    steps = np.array([0, 0.5, 1, 1.5, 2.5, 3]) / 3 * found.length_mm
    assert found.positions_mm == pytest.approx((steps[:-1] + steps[1:]) / 2)
    back = profile_of(image, Point(3.5, 2.0), Point(0.5, 0.5))
    assert back.values.tolist() == found.values[::-1].tolist()


@given(
    st.tuples(*[st.floats(0, 1)] * 4),
    st.sampled_from([(1, 1), (1, 9), (8, 1), (5, 7)]),
)
def test_a_line_crosses_as_densely_sampled_points_do(values, shape):
    height, width = shape
    image = Slice(np.arange(height * width, dtype=np.float32).reshape(shape), Spacing(2.0, 0.5))
    a, b = Point(values[0] * width, values[1] * height), Point(values[2] * width, values[3] * height)
    if abs(a.x - b.x) + abs(a.y - b.y) < 0.1:
        return
    found = profile_of(image, a, b)
    t = (np.arange(20_000) + 0.5) / 20_000
    columns = np.floor(a.x + t * (b.x - a.x)).astype(int).clip(0, width - 1)
    rows = np.floor(a.y + t * (b.y - a.y)).astype(int).clip(0, height - 1)
    dense, counts = np.unique(image.values[rows, columns], return_counts=True)
    long = counts / 20_000 * np.hypot(b.x - a.x, b.y - a.y) > 0.02
    near = np.minimum(abs(a.x - round(a.x)), abs(a.y - round(a.y))) < 0.01  # along a border, rounding decides
    assert near or set(dense[long]) <= set(found.values)
    assert (np.diff(found.positions_mm) > 0).all()
    assert 0 <= found.positions_mm[0] <= found.positions_mm[-1] <= found.length_mm


def test_the_plot_rises_where_the_values_do():
    image = Slice(np.arange(50, dtype=np.float32)[None], Spacing(1.0, 1.0))
    ink = plot(profile_of(image, Point(0, 0.5), Point(50, 0.5))) < 100
    heights = [np.nonzero(ink[:, column])[0].mean() for column in range(20, 300, 40)]
    assert heights == sorted(heights, reverse=True)
    flat = plot(profile_of(Slice(np.ones((1, 50), np.float32), Spacing(1, 1)), Point(0, 0.5), Point(50, 0.5)))
    assert np.nonzero(flat[:, 100] < 100)[0].mean() == pytest.approx(79.5, abs=1)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("of", ["region", "line"])
def test_every_convention_counts_the_same(frame, of):
    found = []
    for spoken in (frame, FRAMES["medvision"]):
        views = ViewSet(ct_slice(), Native(), spoken)
        a, b = (views.frame.rounded(spoken.from_unit(u, v, views.whole.perceived)) for u, v in ((0.1, 0.1), (0.6, 0.9)))
        arguments = dict(zip(("x0", "y0", "x1", "y1"), (*a, *b), strict=True))
        found.append(statistics.call(views, {"of": of, **arguments}).result)
    assert numbers(found[0]) == numbers(found[1])


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_rounded_coordinates_of_a_border_find_one_row(frame):
    views = ViewSet(ct_slice(), Native(), frame)
    for row in range(1, 30):
        a, b = (frame.rounded(frame.from_unit(u, row / 30, views.whole.perceived)) for u in (0, 1))
        arguments = dict(zip(("x0", "y0", "x1", "y1"), (*a, *b), strict=True))
        result = statistics.call(views, {"of": "line", **arguments}).result
        assert numbers(result) == measured(NATIVE[row])


def test_another_slice_is_named(views):
    neighbours.call(views, {"away": 2})
    result = statistics.call(views, {"view": "v1", **HALF}).result
    assert numbers(result) == measured(VOLUME[TARGET + 2, 3:15, 2:12].astype(np.float64))
    assert result["slice_position_mm"] == 2 * STEP_MM


def test_grey_levels_are_called_so():
    views = ViewSet(grey_slice(np.full((4, 4), 7), Spacing(1, 1)), Native())
    result = statistics.call(views, {"x0": 0, "y0": 0, "x1": 1, "y1": 1}).result
    assert (result["units"], result["standard_deviation"]) == (Units.GREY, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"of": "line", "x0": 0.5, "y0": 0.5, "x1": 0.5, "y1": 0.5}, "give two different points"),
        ({"x0": 0.5, "y0": 0.1, "x1": 0.5, "y1": 0.5}, "is empty"),
        ({"of": "circle", "x0": 0, "y0": 0, "x1": 1, "y1": 1}, "of: Input should be 'region' or 'line'"),
        ({"of": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 2}, "lies outside view v0"),
    ],
)
def test_a_model_is_told_what_was_wrong(views, arguments, words):
    reply = statistics.call(views, arguments)
    assert reply.text.startswith("Error: ")
    assert words in reply.text


def test_the_check_of_tools_holds():
    assert [finding for finding in examine(statistics, calls=150) if finding.verdict != "yes"] == []
