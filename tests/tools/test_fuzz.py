"""Whatever a model writes: a reply, never an exception, and no number that is not finite."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

number = st.one_of(
    st.floats(0, 1),
    st.sampled_from([0, 1, 0.5, 1.0, -0.0, 5e-324, 1 - 1e-16, 1e-9]),
    st.floats(),
    st.integers(),
    st.just(10**400),
)
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=20),
    st.just("9" * 5000),
    st.just("0.5"),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
view = st.sampled_from(["v0", "v0", "v0", "v1", "v99", "", "v" * 9000])
code = st.sampled_from(["1 + 1", "import math\nmath.pi", "print(2)", "[1, 2]", "1 / 0", "open('x')", "x = 1e999"])
USUAL = {"view": view, "target": st.sampled_from(["bright", "dark"]), "zoom": st.floats(1, 16), "code": code}


@st.composite
def arguments(draw, tool):
    """Mostly the tool's own arguments with mostly usable values; sometimes anything."""
    raw = {}
    for name, schema in tool.schema()["function"]["parameters"]["properties"].items():
        if draw(st.integers(0, 9)) == 0:
            continue
        value = draw(USUAL.get(name, number) if draw(st.integers(0, 9)) else junk)
        raw[name] = draw(st.floats(0, 1)) if schema["type"] == "number" and draw(st.booleans()) else value
    if draw(st.integers(0, 19)) == 0:
        raw[draw(st.text(max_size=8))] = draw(junk)
    return raw


@st.composite
def pictures(draw):
    sides = st.sampled_from([1, 2, 3, 7, 24])
    shape = draw(sides), draw(sides)
    kind = draw(st.sampled_from(["constant", "noise", "two levels", "black"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    pixels = {
        "constant": np.full(shape, 77),
        "black": np.zeros(shape),
        "noise": rng.integers(0, 256, shape),
        "two levels": np.where(rng.random(shape) > 0.5, 200, 100),
    }[kind]
    spacing = Spacing(draw(st.sampled_from([0.01, 0.5, 1.0, 5.0, 300.0])), draw(st.sampled_from([0.01, 0.627, 1.0])))
    rule = draw(st.sampled_from([Native(), Fixed(height=896, width=896)]))
    views = ViewSet(grey_slice(pixels, spacing), rule, draw(st.sampled_from(list(FRAMES.values()))))
    if draw(st.booleans()):
        views.crop(views.slice.region, draw(st.floats(1, 4)))
    return views


def check(reply):
    assert reply.ok != reply.text.startswith("Error:")
    assert (reply.result is None) == (not reply.ok)
    assert len(reply.text) < 2000
    assert reply.text.isprintable()
    if reply.ok:
        assert json.loads(reply.text) == reply.result
        assert all(math.isfinite(value) for value in reply.result.values() if isinstance(value, (int, float)))
    if reply.picture is not None:
        assert reply.picture.pixels.dtype == np.uint8
        assert min(reply.picture.pixels.shape) >= 1


@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_is_written_gets_a_reply(name, data):
    views = data.draw(pictures())
    raw = data.draw(arguments(TOOLS[name]))
    check(TOOLS[name].call(views, raw))


@pytest.mark.parametrize("name", TOOLS)
@given(raw=st.dictionaries(st.text(max_size=10), junk | number, max_size=5))
def test_arbitrary_objects_get_a_reply(name, raw):
    check(TOOLS[name].call(ViewSet(grey_slice(np.eye(5) * 200, Spacing(1, 1)), Native()), raw))


@settings(max_examples=80, deadline=None)
@given(pictures(), st.sampled_from(["bright", "dark"]), st.tuples(*[st.floats(0, 1)] * 6), st.booleans())
def test_fit_contour_measures_or_says_why_not(views, target, values, seeded):
    raw = dict(zip(("x0", "y0", "x1", "y1"), values[:4], strict=True))
    if seeded:
        raw |= {"seed_x": values[4], "seed_y": values[5]}
    reply = TOOLS["fit_contour"].call(views, {"target": target, **raw})
    check(reply)
    if reply.ok:
        result = reply.result
        assert result["major_mm"] >= result["minor_mm"] > 0
        assert 0 < result["quality"] <= 1
        assert -1e-6 <= result["v0_box_x0"] < result["v0_box_x1"] <= 1 + 1e-6
        assert -1e-6 <= result["v0_box_y0"] < result["v0_box_y1"] <= 1 + 1e-6
        assert result["area_mm2"] <= result["box_width_mm"] * result["box_height_mm"] + 1e-3
