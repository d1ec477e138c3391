"""Shapes that stay in a trace: bounded, and true to within a twentieth of a pixel."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medvision_agent.tools.base import Output
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.drawn import MOST, Drawn
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

TURN = np.linspace(0, 2 * np.pi, 4000, endpoint=False)


def far(ring, simplified):
    """Return how far the points of a ring lie from a simplified one, at most, in pixels."""
    line = np.array(simplified, np.float32).reshape(-1, 1, 2)
    return max(abs(cv2.pointPolygonTest(line, (float(x), float(y)), measureDist=True)) for x, y in ring)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 150), st.integers(0, 3), st.floats(0, 0.4), st.floats(0, 3000))
@example(142, 3, 0.375, 0)  # 257 points within a twentieth of a pixel, one more than MOST
def test_an_outline_keeps_its_place(radius, waves, depth, offset):
    reach = radius * (1 + depth * np.sin(waves * TURN))
    ring = np.stack([reach * np.cos(TURN), reach * np.sin(TURN)], axis=1) + offset
    shape = Drawn.outline(ring)
    assert 3 <= len(shape.points) <= MOST
    # A smooth curve needs points in proportion to 1 / sqrt(tolerance). One that needs more than MOST at 0.05 pixels
    # keeps at least MOST / sqrt(2), that is 181, at twice the tolerance; one with fewer points was not coarsened.
    tolerance = 0.05 if len(shape.points) < 0.7 * MOST else 0.1
    # The simplification, the rounding to three decimals, and floats of 32 bits in this check.
    assert far(ring[::50], shape.points) <= tolerance + 0.002 + offset * 1e-6


def test_a_jagged_outline_keeps_its_place():
    dice = np.random.default_rng(1)
    for count in range(8, 200):
        turn = np.sort(dice.uniform(0, 2 * np.pi, count))
        reach = 30 + dice.normal(0, 0.04, count)
        ring = np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1)
        assert far(ring, Drawn.outline(ring).points) <= 0.05 * (1 + 0.5**0.5) + 0.002


def test_an_outline_of_any_length_is_bounded():
    dice = np.random.default_rng(1)
    ring = np.stack([np.cos(TURN), np.sin(TURN)], axis=1) * dice.uniform(5, 900, (4000, 1))
    assert len(Drawn.outline(ring).points) <= MOST
    assert len(Drawn.outline(np.array([[5.0, 5.0], [5.001, 5.0], [5.0, 5.001]])).points) == 3


@pytest.mark.parametrize(
    "ring",
    [
        np.zeros((2, 2)),
        np.zeros((5, 3)),
        np.zeros(6),
        np.full((5, 2), np.nan),
        np.full((5, 2), np.inf),
        np.full((5, 2), 1e7),
    ],
)
def test_what_is_no_outline_is_refused(ring):
    with pytest.raises(ValueError, match="at least 3 points"):
        Drawn.outline(ring)


def test_what_is_no_shape_is_refused():
    for kind, points in (("box", ((0, 0),)), ("ellipse", ((0, 0),) * 3), ("outline", ((0, 0),) * 2)):
        with pytest.raises(ValueError, match="points"):
            Drawn(kind, points)
    with pytest.raises(ValueError, match="a number from -1000000 to 1000000"):
        Drawn("box", ((0.0, 0.0), (float("nan"), 1.0)))


@pytest.mark.parametrize(
    "drawn", ["a text", [Drawn.box(Region(0, 0, 1, 1))], (1, 2), (Drawn.box(Region(0, 0, 1, 1)),) * 17]
)
def test_a_tool_that_says_it_drew_something_else_has_failed(drawn):
    ruler = TOOLS["ruler"]
    result = ruler.call(_views(), {"x0": 0, "y0": 0, "x1": 1, "y1": 1}).result
    broken = replace(ruler, function=lambda views, args: Output(ruler.result(**result), None, drawn))
    reply = broken.call(_views(), {"x0": 0, "y0": 0, "x1": 1, "y1": 1})
    assert not reply.ok
    assert "must be a tuple of at most 16 objects Drawn" in reply.failure


@pytest.mark.parametrize("tool", ["fit_contour", "segment"])
def test_what_is_kept_is_no_part_of_the_reply(tool):
    region = {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}
    shown, bare = (one.call(_views(), region) for one in (TOOLS[tool], TOOLS[tool].without_overlay()))
    assert bare.picture is None
    assert [one.kind for one in shown.drawn] == [one.kind for one in bare.drawn] == ["outline", "ellipse", "box"]
    assert json.loads(shown.text) == dict(shown.result)
    assert "drawn" not in shown.text


def _views():
    rows, columns = np.indices((60, 80))
    inside = ((columns - 40) / 20) ** 2 + ((rows - 30) / 12) ** 2 <= 1
    return ViewSet(grey_slice(np.where(inside, 190, 50), Spacing(1.0, 0.5)), Native())
