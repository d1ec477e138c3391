"""The coordinate conventions: the same places and measures in each, and words that fit the numbers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.errors import ConfigError
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, frame_named
from medvision_agent.tools.view.geometry import Point, Size, Spacing, distance_mm
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

SIZE = Size(height=50, width=200)
OTHERS = [name for name in FRAMES if name != "medvision"]
unit = st.floats(0, 1, allow_subnormal=False)
places = st.tuples(unit, unit)
grid = st.integers(0, 997).map(lambda number: number / 997)
gridded = st.tuples(grid, grid)
"""Places apart from each other by more than float noise, so that no line or region is empty in one frame only."""
sizes = st.builds(Size, st.integers(1, 5000), st.integers(1, 5000))
frames = st.sampled_from(list(FRAMES.values()))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("medvision", (0.25, 0.9)),
        ("top-left", (0.25, 0.1)),
        ("norm1000", (250, 100)),
        ("norm1000-yx", (250, 100)),
        ("pixel", (50, 5)),
    ],
)
def test_one_place_in_every_convention(name, said):
    frame = FRAMES[name]
    assert frame.from_unit(0.25, 0.1, SIZE) == pytest.approx(said)
    assert frame.to_unit(*said, SIZE) == pytest.approx((0.25, 0.1))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("medvision", (0.25, 0.2, 0.5, 0.9)),
        ("top-left", (0.25, 0.1, 0.5, 0.8)),
        ("norm1000", (250, 100, 500, 800)),
        ("norm1000-yx", (100, 250, 800, 500)),
        ("pixel", (50, 5, 100, 40)),
    ],
)
def test_one_box_in_every_convention(name, said):
    box = (0.25, 0.2, 0.5, 0.9)
    assert FRAMES[name].box_from_medvision(box, SIZE) == pytest.approx(said)
    assert FRAMES[name].box_to_medvision(said, SIZE) == pytest.approx(box)


def test_swapped_corners_stay_swapped():
    assert FRAMES["top-left"].box_to_medvision((0.5, 0.8, 0.25, 0.1), SIZE) == pytest.approx((0.5, 0.9, 0.25, 0.2))
    assert FRAMES["norm1000"].box_to_medvision((500, 800, 250, 100), SIZE) == pytest.approx((0.5, 0.9, 0.25, 0.2))
    assert FRAMES["norm1000-yx"].box_to_medvision((800, 250, 100, 500), SIZE) == pytest.approx((0.25, 0.9, 0.5, 0.2))


@given(frames, sizes, places)
def test_places_survive_the_round_trip(frame, size, place):
    assert frame.to_unit(*frame.from_unit(*place, size), size) == pytest.approx(place, abs=1e-12)
    assert frame.holds(*frame.from_unit(*place, size), size)


@given(frames, sizes, st.tuples(*[st.floats(-2, 2)] * 4))
def test_boxes_survive_the_round_trip(frame, size, box):
    assert frame.box_to_medvision(frame.box_from_medvision(box, size), size) == pytest.approx(box, abs=1e-12)


@given(frames, sizes, places)
def test_what_is_reported_is_as_fine_as_a_millionth_of_the_view_and_can_be_given_back(frame, size, place):
    reported = frame.rounded(frame.from_unit(*place, size))
    assert frame.holds(*reported, size)
    assert frame.to_unit(*reported, size) == pytest.approx(place, abs=0.51e-6)


def views_in(name, rule):
    image = np.random.default_rng(0).integers(0, 60, (40, 60))
    image[12:24, 20:44] = 220
    return ViewSet(grey_slice(image, Spacing(1.5, 0.7)), rule, FRAMES[name])


def say(views, view_id, keys, unit_points):
    """Return arguments that name points, given in unit coordinates of a view."""
    size = views.get(view_id).perceived
    numbers = [value for point in unit_points for value in views.frame.from_unit(*point, size)]
    return {"view": view_id, **dict(zip(keys, numbers, strict=True))}


LINE = ("x0", "y0", "x1", "y1")
LINES = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")


@pytest.mark.parametrize("rule", [Native(), Fixed(height=96, width=448)])
@given(points=st.tuples(*[gridded] * 4), corners=st.tuples(gridded, gridded), zoom=st.floats(1, 8))
def test_the_same_places_measure_the_same_in_every_convention(rule, points, corners, zoom):
    replies = []
    for name in FRAMES:
        views = views_in(name, rule)
        taken = TOOLS["crop"].call(views, {**say(views, "v0", LINE, corners), "zoom": zoom})
        view = "v1" if taken.ok else "v0"
        ruler = TOOLS["ruler"].call(views, say(views, view, LINE, points[:2]))
        protractor = TOOLS["protractor"].call(views, say(views, view, LINES, points))
        replies.append([taken.ok, ruler, protractor])
    crossed = (
        distance_mm(*(Point(*point) for point in points[:2]), Spacing(1, 1)),
        distance_mm(*(Point(*point) for point in points[2:]), Spacing(1, 1)),
    )
    for taken_ok, ruler, protractor in replies[1:]:
        first_ok, first_ruler, first_protractor = replies[0]
        assert taken_ok == first_ok
        if crossed[0] > 1e-4:
            assert physical(ruler) == pytest.approx(physical(first_ruler), abs=1.1e-4)
        if min(crossed) > 1e-2:
            assert physical(protractor) == pytest.approx(physical(first_protractor), abs=1e-3)


def physical(reply):
    """Return what a result says in mm and degrees."""
    return {key: value for key, value in reply.result.items() if key.endswith(("_mm", "_deg"))}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("rule", [Native(), Fixed(height=96, width=448)])
def test_what_fit_contour_returns_can_be_given_back_to_the_ruler(name, rule):
    views = views_in(name, rule)
    TOOLS["crop"].call(views, {**say(views, "v0", LINE, ((0.2, 0.1), (0.9, 0.8))), "zoom": 3})
    fit = TOOLS["fit_contour"].call(views, say(views, "v1", ("seed_x", "seed_y"), [(0.4, 0.45)]))
    assert fit.result["box_width_mm"] == pytest.approx(24 * 0.7, abs=0.4)
    for prefix, view, length in (("major", "v1", "major_mm"), ("minor", "v1", "minor_mm")):
        points = {key: fit.result[f"{prefix}_{key}"] for key in LINE}
        ruler = TOOLS["ruler"].call(views, {"view": view, **points})
        assert ruler.result["distance_mm"] == pytest.approx(fit.result[length], abs=2e-4)
    for prefix, view in (("box", "v1"), ("v0_box", "v0")):
        points = {key: fit.result[f"{prefix}_{key}"] for key in LINE}
        assert points["x0"] < points["x1"]
        assert points["y0"] < points["y1"]
        ruler = TOOLS["ruler"].call(views, {"view": view, **points})
        assert ruler.result["dx_mm"] == pytest.approx(fit.result["box_width_mm"], abs=2e-4)
        assert ruler.result["dy_mm"] == pytest.approx(fit.result["box_height_mm"], abs=2e-4)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_declarations_differ_in_their_words_alone(tool):
    declared = {name: tool.schema(frame) for name, frame in FRAMES.items()}
    assert declared["medvision"] == declared["top-left"] == tool.schema()
    for name, schema in declared.items():
        text = json.dumps(schema)
        for mark in ("{width}", "{height}", "{extent}"):
            assert mark not in text
        parameters = schema["function"]["parameters"]
        assert list(parameters["properties"]) == list(declared["medvision"]["function"]["parameters"]["properties"])
        assert parameters.get("required") == declared["medvision"]["function"]["parameters"].get("required")
        for key, field in parameters["properties"].items():
            axis = key.rstrip("01")[-1]
            if field.get("type") == "number" and axis in "xy":
                side = {"x": "width_px of the view", "y": "height_px of the view"}[axis]
                end = {"norm1000": "1000", "norm1000-yx": "1000", "pixel": side}.get(name, "1")
                assert field["description"].endswith(f"from 0 to {end}")
                assert not {"minimum", "maximum"} & field.keys()


@pytest.mark.parametrize(
    ("name", "point", "said"),
    [
        ("medvision", (1.5, 0.0), "point (1.5, 0) lies outside view v0; x and y must be from 0 to 1"),
        ("top-left", (1.5, 0.0), "point (1.5, 0) lies outside view v0; x and y must be from 0 to 1"),
        ("norm1000", (1200, 0.5), "point (1200, 0.5) lies outside view v0; x and y must be from 0 to 1000"),
        (
            "norm1000-yx",
            (1200, 0.5),
            "point (y = 0.5, x = 1200) lies outside view v0; x and y must be from 0 to 1000",
        ),
        ("pixel", (448.5, 0), "point (448.5, 0) lies outside view v0; x must be from 0 to 448 and y from 0 to 96"),
    ],
)
def test_errors_speak_the_convention(name, point, said):
    views = views_in(name, Fixed(height=96, width=448))
    reply = TOOLS["ruler"].call(views, {"x0": point[0], "y0": point[1], "x1": 0, "y1": 0})
    assert reply.text == f"Error: {said}"


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_convention_is_called_fits_its_numbers(name):
    frame = FRAMES[name]
    assert "top-left corner" in frame.sentence
    assert frame.corners == ("top-left", "bottom-right")
    assert frame.from_unit(0, 0, SIZE) == (0, 0)
    assert ("width_px" in frame.sentence) == frame.in_pixels == (frame.ends(SIZE) == (200, 50))
    assert frame.decimals >= MEDVISION.decimals - round(np.log10(frame.extent or 1))


def test_an_unknown_convention_is_named_with_the_nearest():
    assert frame_named("pixel") is FRAMES["pixel"]
    with pytest.raises(
        ConfigError, match=r"unknown frame 'norm1000-xy' .*; known frames: .*pixel. Did you mean 'norm1000-yx'\?"
    ):
        frame_named("norm1000-xy")
