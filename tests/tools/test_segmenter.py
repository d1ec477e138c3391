"""The segment tools as a model calls them."""

import numpy as np
import pytest
from phantoms import EllipsePhantom

from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.registry import installed
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.segmenter import segment
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.views import ViewSet

REGION = {"x0": 16 / 64, "y0": 20 / 64, "x1": 48 / 64, "y1": 44 / 64}
TOOLS = [
    installed().tool(name) for name in ("segment", "segment@watershed", "segment@random-walker", "segment@threshold")
]


@pytest.fixture
def views():
    return ViewSet(EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 14, 9, 0.3).slice(180, 60, noise=3), Native())


def called(tool, views, **arguments):
    reply = tool.call(views, arguments)
    assert reply.ok, reply.text
    return reply.result


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.label)
def test_a_region_is_enough(tool, views):
    result = called(tool, views, **REGION)
    assert (result["major_mm"], result["minor_mm"]) == pytest.approx((28, 18), abs=1)
    assert result["candidate"] == 1
    points = [tuple(map(float, pair.split(","))) for pair in result["outline"].split()]
    assert len(points) == 16
    assert all(REGION["x0"] < x < REGION["x1"] and REGION["y0"] < y < REGION["y1"] for x, y in points)


def test_confidence_is_stated_where_it_was_calibrated(views):
    assert called(segment, views, **REGION)["confidence"] in {"0.99", "0.91", "0.89", "0.85"}
    assert called(segment, views, **REGION, outside_x=0.9, outside_y=0.9)["confidence"] == "not shown"
    assert called(TOOLS[1], views, **REGION)["confidence"] == "not shown"


def test_every_candidate_can_be_looked_at(views):
    first = called(segment, views, inside_x=0.5, inside_y=0.5)
    assert first["candidates"] > 1
    assert first["others"].startswith("candidate 2: ")
    second = called(segment, views, inside_x=0.5, inside_y=0.5, candidate=2)
    assert second["area_mm2"] != first["area_mm2"]
    assert f"candidate 2: {second['major_mm']:.1f} x {second['minor_mm']:.1f} mm" in first["others"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give a region"),
        ({"x0": 0.1}, "a point needs both x0 and y0"),
        ({"inside_x": 0.5}, "needs both inside_x and inside_y"),
        ({"outside_x": 0.5, "outside_y": 0.5}, "give a region"),
        ({**REGION, "inside_x": 0.9, "inside_y": 0.9}, "lies outside the region"),
        ({**REGION, "candidate": 4}, "there is no candidate 4; there are 3 at most"),
    ],
)
def test_a_model_is_told_what_is_missing(views, arguments, words):
    reply = segment.call(views, arguments)
    assert not reply.ok
    assert words in reply.text


def test_the_check_of_tools_holds():
    assert [finding for finding in examine(segment, calls=150) if finding.verdict == "no"] == []


@pytest.mark.parametrize("tool", TOOLS[1:], ids=lambda tool: tool.label)
def test_no_call_of_a_variant_makes_it_fail(tool):
    wrong = [finding.what for finding in examine(tool, calls=100) if finding.verdict == "no"]
    assert set(wrong) <= {"it works"}, "the calls of the check name points, which some methods refuse"


def test_points_of_an_outline_go_all_the_way_around(views):
    turn = np.linspace(0, 2 * np.pi, 31, endpoint=False)
    outline = 32 + 10 * np.stack((np.cos(turn), np.sin(turn)), axis=1)
    oracle = installed().tool("segment@oracle").told(Truth(outline, "a"))
    points = np.array([pair.split(",") for pair in called(oracle, views, **REGION)["outline"].split()], float)
    assert len(points) == 16
    assert np.ptp(points, axis=0) * views.slice.size.width == pytest.approx((20, 20), abs=1)


def test_how_many_candidates_there_are_is_no_error_of_the_arguments(views):
    oracle = installed().tool("segment@oracle").told(Truth(np.array([(20, 20), (40, 20), (40, 40.0)]), "a"))
    assert oracle.call(views, {**REGION, "candidate": 2}).about_image, "it is withheld from a blind arm"
    assert not oracle.call(views, {**REGION, "candidate": 4}).about_image
