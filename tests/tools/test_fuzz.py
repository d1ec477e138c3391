"""Whatever a model writes: a reply, never an exception, and no number that is not finite. The check of own tools is run
on the shipped ones; random objects and pictures come on top."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medvision_agent.tools.own.calls import DrawnScene
from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

SLOW = {"python": 40}
"""Each call of it is a process."""
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.just(10**400),
    st.text(max_size=20),
    st.just("9" * 5000),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.mark.parametrize("name", TOOLS)
def test_a_shipped_tool_passes_the_check(name):
    findings = examine(TOOLS[name], calls=SLOW.get(name, 500), seed=11)
    assert [finding for finding in findings if finding.verdict != "yes"] == []


@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=60, deadline=None)
@given(raw=st.dictionaries(st.text(max_size=10), junk, max_size=5))
def test_arbitrary_objects_get_a_reply(name, raw):
    reply = TOOLS[name].call(ViewSet(grey_slice(np.eye(5) * 200, Spacing(1, 1)), Native()), raw)
    assert reply.failure == ""
    assert reply.ok != reply.text.startswith("Error:")
    assert reply.text.isprintable()
    assert len(reply.text) < 2000


@st.composite
def pictures(draw):
    shape = draw(st.tuples(*[st.sampled_from([1, 2, 3, 7, 24])] * 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    pixels = draw(
        st.sampled_from([np.full(shape, 77), rng.integers(0, 256, shape), np.where(rng.random(shape) > 0.5, 200, 100)])
    )
    spacing = Spacing(draw(st.sampled_from([0.01, 0.5, 1.0, 300.0])), draw(st.sampled_from([0.01, 0.627, 1.0])))
    return DrawnScene(pixels, spacing, cropped=draw(st.booleans())).views()


@settings(max_examples=80, deadline=None)
@given(pictures(), st.tuples(*[st.floats(0, 1)] * 6), st.booleans())
def test_fit_contour_measures_or_says_why_not(views, values, seeded):
    raw = dict(zip(("x0", "y0", "x1", "y1"), values[:4], strict=True))
    if seeded:
        raw |= {"seed_x": values[4], "seed_y": values[5]}
    reply = TOOLS["fit_contour"].call(views, raw)
    assert reply.failure == ""
    if reply.ok:
        result = reply.result
        assert result["major_mm"] >= result["minor_mm"] > 0
        assert 0 < result["quality"] <= 1
        assert -1e-6 <= result["v0_box_x0"] < result["v0_box_x1"] <= 1 + 1e-6
        assert -1e-6 <= result["v0_box_y0"] < result["v0_box_y1"] <= 1 + 1e-6
        assert result["area_mm2"] <= result["box_width_mm"] * result["box_height_mm"] + 1e-3
