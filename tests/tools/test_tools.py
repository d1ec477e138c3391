"""Every tool against exact values, called as a model calls it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator

from medvision_agent.errors import ConfigError, ToolError
from medvision_agent.tools.base import Arguments, Output, Result, tool
from medvision_agent.tools.crop import crop
from medvision_agent.tools.pixel_spacing import pixel_spacing
from medvision_agent.tools.protractor import protractor
from medvision_agent.tools.registry import NEWEST, SETS, TOOLS, installed
from medvision_agent.tools.ruler import ruler
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

unit = st.floats(0, 1, allow_subnormal=False)
LINES = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")


def make(rule=None):
    """A slice of 100 x 50 px (h, w), 200 x 25 mm."""
    pixels = np.random.default_rng(0).integers(0, 256, (100, 50))
    return ViewSet(grey_slice(pixels, Spacing(2.0, 0.5)), rule or Native())


def test_pixel_spacing_is_that_of_the_perceived_picture():
    views = make(Fixed(height=400, width=400))
    views.crop(Region(10, 20, 20, 60), 2.0)
    assert pixel_spacing.call(views, {"view": "v1"}).result == {
        "view": "v1",
        "width_px": 400,
        "height_px": 400,
        "width_mm_per_px": 0.0125,
        "height_mm_per_px": 0.2,
        "field_width_mm": 5.0,
        "field_height_mm": 80.0,
    }


def test_crop_says_what_was_taken():
    views = make()
    reply = crop.call(views, {"x0": 0.41, "y0": 0.9, "x1": 0.2, "y1": 0.695, "zoom": 3})
    assert reply.result == {
        "view": "v1",
        "of": "v0",
        "v0_x0": 0.2,
        "v0_y0": 0.69,
        "v0_x1": 0.42,
        "v0_y1": 0.9,
        "zoom": 3.0,
        "width_px": 33,
        "height_px": 63,
        "width_mm_per_px": 0.166667,
        "height_mm_per_px": 0.666667,
    }
    view = views.get("v1")
    assert view.region == Region(10, 10, 21, 31)
    assert reply.picture.pixels is view.pixels
    assert reply.picture.caption == (
        "view v1, a part of v0: width_px = 33, height_px = 63, width_mm_per_px = 0.166667, height_mm_per_px = 0.666667"
    )


def test_a_crop_of_a_crop_is_placed_in_the_whole():
    views = make()
    crop.call(views, {"x0": 0.2, "y0": 0.2, "x1": 0.6, "y1": 0.7})
    result = crop.call(views, {"view": "v1", "x0": 0.5, "y0": 0.0, "x1": 1.0, "y1": 0.5}).result
    assert (result["view"], result["of"]) == ("v2", "v1")
    assert [result[f"v0_{key}"] for key in ("x0", "y0", "x1", "y1")] == pytest.approx([0.4, 0.2, 0.6, 0.45])


def test_ruler_reads_millimetres():
    views = make()
    result = ruler.call(views, {"x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.1}).result
    points = {"v0_x0": 0.1, "v0_y0": 0.2, "v0_x1": 0.5, "v0_y1": 0.1}
    assert result == {"view": "v0", "distance_mm": 22.3607, "dx_mm": 10.0, "dy_mm": 20.0, **points}
    views.crop(Region(0, 50, 50, 100), 4.0)
    result = ruler.call(views, {"view": "v1", "x0": 0.1, "y0": 0.4, "x1": 0.5, "y1": 0.2}).result
    assert result == {"view": "v1", "distance_mm": 22.3607, "dx_mm": 10.0, "dy_mm": 20.0, **points}


def test_protractor_reads_both_angles():
    # 25 x 200 mm: a line across and one rising 10 mm per 10 mm.
    angles = {"ax0": 0.0, "ay0": 0.5, "ax1": 1.0, "ay1": 0.5, "bx0": 0.2, "by0": 0.1, "bx1": 0.6, "by1": 0.15}
    assert protractor.call(make(), angles).result == {
        "view": "v0",
        "acute_angle_deg": 45.0,
        "obtuse_angle_deg": 135.0,
        **{f"v0_{name}": value for name, value in angles.items()},
    }


@given(st.tuples(*[unit] * 8))
def test_protractor_is_medvisions_arccos(values):
    reply = protractor.call(make(), dict(zip(LINES, values, strict=True)))
    a = np.array((25 * (values[2] - values[0]), 200 * (values[3] - values[1])))
    b = np.array((25 * (values[6] - values[4]), 200 * (values[7] - values[5])))
    lengths = float(np.hypot(*a)), float(np.hypot(*b))
    if min(lengths) < 4e-5:
        assert not reply.ok
    elif min(lengths) > 1e-3:
        cosine = min(1.0, abs(float(a @ b)) / (lengths[0] * lengths[1]))
        assert reply.result["acute_angle_deg"] == pytest.approx(math.degrees(math.acos(cosine)), abs=1e-3)
        assert reply.result["acute_angle_deg"] + reply.result["obtuse_angle_deg"] == pytest.approx(180)


@pytest.mark.parametrize("name", ["ruler", "protractor"])
def test_overlays_have_the_proportions_of_their_view(name):
    views = make()
    view = views.crop(Region(0, 0, 20, 30), 3.0)
    points = {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.8}
    if name == "protractor":
        points = {f"a{key}": value for key, value in points.items()} | {"bx0": 0.1, "by0": 0.9, "bx1": 0.9, "by1": 0.2}
    reply = TOOLS[name].call(views, {"view": "v1", **points})
    assert view.pixels.shape == (90, 60)
    assert reply.picture.pixels.shape == (256, 171, 3)
    assert reply.picture.caption.startswith("overlay on v1: ")
    assert reply.picture.caption.endswith("; shown larger than v1, in the coordinates of v1")
    assert (np.ptp(reply.picture.pixels, axis=-1) > 0).any(), "something is drawn in colour"


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("pixel_spacing", {"view": "v3"}, "Error: no view 'v3'; the views are v0"),
        ("crop", {"x0": 0.5, "y0": 0.1, "x1": 0.5, "y1": 0.9}, "is empty; give two opposite corners"),
        ("crop", {"x0": 0, "y0": 0, "x1": 1, "y1": 1, "zoom": 40}, "zoom: Input should be less than or equal to 16"),
        ("crop", {"x0": 0, "y0": 0, "x1": 1.2, "y1": 1}, "point (1.2, 1) lies outside view v0"),
        ("crop", {"x0": 0, "y0": 0, "x1": 1}, "y1: Field required"),
        ("ruler", {"x0": 0.5, "y0": 0.5, "x1": 0.5, "y1": 0.5}, "both points of the line lie at (0.5, 0.5)"),
        ("ruler", {"x0": "left", "y0": 0, "x1": 1, "y1": 1}, "x0: Input should be a valid number"),
        ("ruler", {"x0": math.nan, "y0": 0, "x1": 1, "y1": 1}, "x0: Input should be a finite number"),
        ("ruler", {"x0": True, "y0": 0, "x1": 0, "y1": False}, "x0: Input should be a number or a text, not true or"),
        ("ruler", {"x0": 0, "y0": 0, "x1": 1, "y1": 1, "unit": "cm"}, "unit: Extra inputs are not permitted"),
    ],
)
def test_a_model_is_told_what_was_wrong(name, arguments, text):
    views = make()
    reply = TOOLS[name].call(views, arguments)
    assert not reply.ok
    assert reply.text.startswith("Error: ")
    assert text in reply.text
    assert (reply.result, reply.picture) == (None, None)
    with pytest.raises(ToolError, match=r"the views are v0$"):
        views.get("v1")


class Bounded(Arguments):
    """A check that itself fails for some values."""

    size: float = Field(description="A size")

    @field_validator("size")
    @classmethod
    def _checked(cls, size: float) -> float:
        return {1.0: size}[size]


class Nothing(Result):
    """No fields."""


@tool(Bounded, Nothing)
def sized(views: ViewSet, args: Bounded) -> Output:
    """Return nothing, if the arguments can be read."""
    return Output(Nothing())


def test_an_argument_model_that_raises_ends_the_call_as_a_failure():
    assert sized.call(make(), {"size": 1}).ok
    reply = sized.call(make(), {"size": 2})
    assert reply.text == "Error: the tool failed (KeyError)"
    assert reply.failure == "KeyError: 2.0"


def test_numbers_written_as_text_are_read():
    result = ruler.call(make(), {"x0": "0.1", "y0": "0.2", "x1": "0.5", "y1": "0.1"}).result
    assert result["distance_mm"] == 22.3607


def test_the_registry_keeps_its_order():
    assert list(TOOLS) == list(SETS[NEWEST])
    assert [name for name in TOOLS if name in SETS["2026-11"]] == list(SETS["2026-11"])
    assert [tool.name for tool in installed().select(["ruler", "crop", "ruler"])] == ["crop", "ruler"]


def test_an_unknown_tool_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown tool 'rulers'; known tools: .* Did you mean 'ruler'\?"):
        installed().select(["crop", "rulers"])
    with pytest.raises(ConfigError, match="no tool is named"):
        installed().select([])


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_declarations_are_plain(tool):
    """Only what every provider's schema conversion carries: flat numbers, strings and enums, all described."""
    function = tool.schema()["function"]
    parameters = function["parameters"]
    assert len(function["description"]) > 80
    for name, schema in parameters["properties"].items():
        assert schema["type"] in {"string", "number", "integer"}, name
        assert schema["description"], name
        assert set(schema) <= {"type", "description", "default", "enum", "minimum", "maximum"}, name
        if "default" in schema:
            default = schema["default"] if schema["type"] == "string" else f"{schema['default']:g}"
            # Some conversions drop the default itself.
            assert f"({default} if " in schema["description"], name
    text = json.dumps(tool.schema()).lower()
    for word in ("upward", "downward", "top", "bottom", "lower-left", "upper"):
        assert word not in text, f"{word}: only the prompt states the direction of y"
