"""The window tool against numpy on the native values of the slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes import TARGET, VOLUME, ct_slice

from medvision_agent.tools.crop import crop
from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.registry import installed
from medvision_agent.tools.ruler import ruler
from medvision_agent.tools.segment.methods import METHODS
from medvision_agent.tools.segmenter import segment
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Slice, Units, Window, grey_slice
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

NATIVE = VOLUME[TARGET]


def shown(values, low, high):
    return np.floor((np.clip(values.astype(np.float64), low, high) - low) / (high - low) * 255)


@pytest.fixture
def views():
    return ViewSet(ct_slice(), Native())


def test_level_and_width_are_applied_to_the_native_values(views):
    reply = window.call(views, {"by": "HU", "level": 40, "width": 400})
    assert reply.result == {"view": "v1", "of": "v0", "black_value": -160.0, "white_value": 240.0, "units": "HU"}
    assert reply.picture.caption == "view v1, the same part as v0, from -160 (black) to 240 (white); HU"
    assert np.abs(reply.picture.pixels - shown(NATIVE, -160, 240)).max() <= 1
    assert views.get("v1").region == views.whole.region
    assert (views.whole.pixels == shown(NATIVE, -1000, 1000)).mean() > 0.99  # v0 stays as it was


def test_percentiles_of_a_region(views):
    reply = window.call(
        views,
        {"by": "percentile", "low_percent": 10, "high_percent": 90, "x0": 0.1, "y0": 0.5, "x1": 0.6, "y1": 0.9},
    )
    low, high = np.percentile(NATIVE[3:15, 2:12], (10, 90))  # y up
    assert (reply.result["black_value"], reply.result["white_value"]) == pytest.approx((low, high), abs=1e-4)
    assert np.abs(reply.picture.pixels - shown(NATIVE, low, high)).max() <= 1


def test_without_a_region_the_part_that_the_view_shows_counts(views):
    views.crop(Region(5, 10, 15, 20), 3.0)
    reply = window.call(views, {"view": "v1", "by": "percentile"})
    assert reply.result["of"] == "v1"
    assert reply.result["black_value"] == pytest.approx(np.percentile(NATIVE[10:20, 5:15], 0.5), abs=1e-4)
    assert reply.picture.pixels.shape == (30, 30)
    assert views.get("v2").region == Region(5, 10, 15, 20)


def test_a_part_of_a_windowed_view_keeps_the_window(views):
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    part = {"x0": 0.25, "y0": 0.0, "x1": 0.75, "y1": 0.5, "zoom": 1}
    cropped, plain = crop.call(views, {"view": "v1", **part}), crop.call(views, part)
    assert np.abs(cropped.picture.pixels - shown(NATIVE[15:30, 5:15], -160, 240)).max() <= 1
    assert np.abs(plain.picture.pixels - shown(NATIVE[15:30, 5:15], -1000, 1000)).max() <= 1
    again = window.call(views, {"view": "v2", "by": "HU", "level": 0, "width": 2000})  # on native values again
    assert np.array_equal(again.picture.pixels, plain.picture.pixels)


def test_points_of_a_windowed_view_are_those_of_the_image(views):
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    line = {"x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.1}
    plain, windowed = (ruler.call(views, {"view": name, **line}).result for name in ("v0", "v1"))
    assert {**windowed, "view": "v0"} == plain


REGION = {"x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.8}
CENTRE = {"x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0}
OUTLINING = ["fit_contour", *(f"segment@{name}" for name in METHODS)]


def without_view(reply):
    assert reply.ok, reply.text
    return {key: value for key, value in reply.result.items() if key not in {"view", "confidence"}}


@pytest.mark.parametrize("label", OUTLINING)
def test_in_a_windowed_view_structures_are_outlined_by_values_clipped_to_the_window(views, label):
    tool, low, high = installed().tool(label), -160.0, 240.0
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    crop.call(views, {"view": "v1", **CENTRE, "zoom": 2})
    clipped = Slice(np.clip(NATIVE, low, high), views.slice.spacing, Window(low, high), Units.HU)
    expected = without_view(tool.call(ViewSet(clipped, Native()), REGION))
    for view in ("v1", "v2"):  # a part of a windowed view keeps the window
        assert without_view(tool.call(views, {"view": view, **REGION})) == expected
    assert NATIVE.min() < low
    assert NATIVE.max() > high


@pytest.mark.parametrize("label", OUTLINING)
def test_without_a_window_the_native_values_count(views, label):
    """As they are: the method gets the slice itself."""
    tool = installed().tool(label)
    before = without_view(tool.call(views, REGION))
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    crop.call(views, {"view": "v0", **CENTRE, "zoom": 2})
    assert without_view(tool.call(views, REGION)) == before
    assert without_view(tool.call(views, {"view": "v2", **REGION})) == before
    assert views.whole.slice.windowed is views.slice
    if "threshold" not in label:
        assert without_view(tool.call(views, {"view": "v1", **REGION})) != before


def test_a_confidence_that_was_calibrated_on_native_values_is_not_shown_of_windowed_ones(views):
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    assert segment.call(views, {"view": "v1", **REGION}).result["confidence"] == "not shown"


def test_points_of_two_parts_of_a_windowed_view_are_outlined_in_its_window(views):
    window.call(views, {"by": "HU", "level": 40, "width": 400})
    for low, high in ((0.0, 0.5), (0.5, 1.0)):
        crop.call(views, {"view": "v1", "x0": low, "y0": low, "x1": high, "y1": high})
    corners = {"mark0": "v2: x=0.4, y=0.4", "mark1": "v3: x=0.6, y=0.6"}
    found = segment.call(views, corners)
    assert found.result["view"] == "v1"
    assert without_view(found) == without_view(segment.call(views, {"view": "v1", **REGION}))


@pytest.mark.parametrize(
    ("units", "arguments", "words"),
    [
        (Units.UNKNOWN, {"by": "HU", "level": 40, "width": 400}, "not known to be HU (native values, unit unknown)"),
        (Units.GREY, {"by": "HU", "level": 40, "width": 400}, "(grey levels 0-255); window by percentile"),
        (Units.HU, {"by": "HU", "level": 40}, "needs both level and width"),
        (Units.HU, {"by": "HU", "level": 1e9, "width": 1}, "level must be from -100000 to 100000"),
        (Units.HU, {"by": "HU", "level": 0, "width": 0}, "width above 0"),
        (Units.HU, {"by": "percentile", "low_percent": 60, "high_percent": 60}, "must be less than high_percent"),
        (Units.HU, {"by": "percentile", "x0": 0.1}, "a point needs both x0 and y0"),
        (Units.HU, {"level": 40, "width": 400}, "by: Field required"),
    ],
)
def test_a_model_is_told_what_was_wrong(units, arguments, words):
    views = ViewSet(ct_slice(units), Native())
    reply = window.call(views, arguments)
    assert reply.text.startswith("Error: ")
    assert words in reply.text
    assert "v1" not in views


def test_percentiles_need_no_unit():
    views = ViewSet(grey_slice(np.arange(200).reshape(10, 20), Spacing(1, 1)), Native())
    result = window.call(views, {"by": "percentile", "low_percent": 0, "high_percent": 50}).result
    assert (result["black_value"], result["white_value"], result["units"]) == (0, 99.5, "grey levels 0-255")


def test_a_flat_part_is_black_and_no_error():
    views = ViewSet(grey_slice(np.full((5, 5), 80), Spacing(1, 1)), Native())
    reply = window.call(views, {"by": "percentile"})
    assert reply.result["black_value"] == reply.result["white_value"] == 80
    assert not reply.picture.pixels.any()


@given(st.sampled_from(list(FRAMES.values())), st.tuples(*[st.integers(0, 8)] * 4), st.integers(0, 40))
def test_every_convention_shows_the_same(frame, eighths, low):
    """The corners of a region, in whatever convention, choose the same pixels."""
    views = ViewSet(ct_slice(), Native(), frame)
    u0, v0, u1, v1 = (share / 8 for share in eighths)
    a, b = (frame.from_unit(u, v, views.whole.perceived) for u, v in ((u0, v0), (u1, v1)))
    corners = dict(zip(("x0", "y0", "x1", "y1"), (*a, *b), strict=True))
    reply = window.call(views, {"by": "percentile", "low_percent": low, **corners})
    if u0 == u1 or v0 == v1:
        assert "is empty" in reply.text
        return
    columns, rows = sorted((u0 * 20, u1 * 20)), sorted((v0 * 30, v1 * 30))
    x0, x1 = int(np.floor(columns[0])), int(np.ceil(columns[1]))
    y0, y1 = int(np.floor(rows[0])), int(np.ceil(rows[1]))
    expected = np.percentile(NATIVE[y0:y1, x0:x1], (low, 99.5))
    assert (reply.result["black_value"], reply.result["white_value"]) == pytest.approx(expected, abs=1e-3)


def test_the_check_of_tools_holds():
    assert [finding for finding in examine(window, calls=150) if finding.verdict != "yes"] == []
