"""Variants of a tool: chosen by name, declared alike, recorded apart, and refused in words where they do not fit."""

import numpy as np
import pytest
from installed import plugged_in, written
from phantoms import EllipsePhantom

from medvision_agent.agent.condition import Condition
from medvision_agent.errors import ConfigError
from medvision_agent.tools.registry import SETS, installed
from medvision_agent.tools.registry.variants import SEGMENTERS
from medvision_agent.tools.segment.methods import METHODS
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

REGION = {"x0": 16 / 64, "y0": 20 / 64, "x1": 48 / 64, "y1": 44 / 64}
CODE = """
from medvision_agent.tools.segment.candidates import Candidate
from medvision_agent.tools.segment.contour import measure_mask

def half(image, prompt):
    mask = image.values > -1e9
    mask[:, image.size.width // 2 :] = False
    return [Candidate(measure_mask(mask, image.spacing), 0.0)]

def nothing(image, prompt):
    return []

def odd(image, prompt):
    return "mask"
"""


@pytest.fixture
def views():
    return ViewSet(EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 14, 9, 0.3).slice(180, 60, noise=3), Native())


def test_the_shipped_methods_come_through_the_door():
    assert {offer.name: offer.loaded() for offer in SEGMENTERS.offers()} == METHODS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("segment@watershed", "segment@watershed"),
        ("segment@outline", "segment"),
        ("fit_contour@random-walker,crop", "crop,fit_contour@random-walker"),
        ("on@2026-11,fit_contour@threshold", "on,fit_contour@threshold"),
        ("on@2026-11,fit_contour", "on"),
        ("blind:numbers/segment@noise:0.10", "blind:numbers/segment@noise:0.1"),
        ("segment@noise:0", "segment@noise:0"),
        ("segment@noise:1.0", "segment@noise:1"),
        ("segment@noise:0.12345678", "segment@noise:0.12345678"),
    ],
)
def test_a_condition_is_named_with_its_variants(text, name):
    condition = Condition.parse(text)
    assert condition.name == name
    again = text.partition(",")[0] + name.removeprefix("on") if text.startswith("on@") else name
    assert Condition.parse(again).identity() == condition.identity()


def test_a_variant_takes_the_place_of_the_sets_own():
    names = [tool.label for tool in Condition.parse("on@2026-11,fit_contour@watershed").tools]
    assert names == [f"{name}@watershed" if name == "fit_contour" else name for name in SETS["2026-11"]]


def test_a_model_is_told_the_same_of_all_variants():
    told = [Condition.parse(f"segment{variant}") for variant in ("", "@watershed", "@oracle", "@noise:0.1")]
    assert len({str(condition.schemas()) + condition.told(None) for condition in told}) == 1
    assert [condition.identity()["tool_variants"] for condition in told] == [
        {},
        {"segment": {"variant": "watershed"}},
        {"segment": {"variant": "oracle"}},
        {"segment": {"variant": "noise:0.1"}},
    ]
    assert [condition.told_truth for condition in told] == [(), (), ("segment@oracle",), ("segment@noise:0.1",)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("on@", "no set of tools is dated ''; known sets: on@2026-11"),
        ("ruler@watershed", "ruler has no variants: write ruler without @watershed"),
        ("segment@watershd", "unknown variant @watershd of a tool; known variants: outline, "),
        ("segment@", "unknown variant @ of a tool; known"),
        ("segment@noise", "expected noise:A, where A is a number from 0 to 1"),
        ("segment@noise:2", "expected noise:A"),
        ("segment@noise:nan", "expected noise:A"),
        ("segment@server", "needs the address of a running segmenter; .* --segmenter http"),
        ("segment,segment@oracle", "segment and segment@oracle are two variants of one tool"),
    ],
)
def test_a_variant_that_is_none_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        Condition.parse(text)


@pytest.mark.parametrize("method", ["watershed", "random-walker", "threshold"])
@pytest.mark.parametrize("name", ["segment", "fit_contour"])
def test_every_method_outlines_a_phantom(views, name, method):
    reply = installed().tool(f"{name}@{method}").call(views, REGION)
    assert (reply.result["major_mm"], reply.result["minor_mm"]) == pytest.approx((28, 18), abs=1)
    assert reply.picture is not None


def test_a_variant_draws_no_picture_where_overlays_are_off(views):
    condition = Condition.parse("segment@watershed").shown(overlays=False, paragraph="tools")
    reply = condition.tools[0].call(views, REGION)
    assert reply.ok
    assert reply.picture is None


@pytest.mark.parametrize("method", ["watershed", "random-walker"])
@pytest.mark.parametrize(
    "prompt",
    [
        {"inside_x": 0.5, "inside_y": 0.5},
        {**REGION, "inside_x": 0.52, "inside_y": 0.48},
    ],
)
def test_methods_take_points_too(views, method, prompt):
    tool = installed().tool(f"segment@{method}")
    found = tool.call(views, prompt)
    assert (found.result["major_mm"], found.result["minor_mm"]) == pytest.approx((28, 18), abs=1.5)
    assert "give a region" in tool.call(views, {}).text


def test_a_point_outside_takes_a_part_away():
    down, across = np.mgrid[0:80, 0:80]
    lesion = np.hypot(across - 40, down - 40) < 14
    vessel = (abs(down - 40) < 6) & (across >= 52) & (across < 66)  # attached to it, as bright
    pixels = np.where(lesion | vessel, 200, 60).astype(np.uint8)
    views = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())
    region = {"x0": 0.3, "y0": 0.3, "x1": 0.85, "y1": 0.7}
    tool = installed().tool("segment@watershed")
    both = tool.call(views, region).result["area_mm2"]
    one = tool.call(views, {**region, "outside_x": 0.76, "outside_y": 0.5}).result["area_mm2"]
    assert one < 0.95 * both
    for method in ("random-walker", "threshold"):
        refused = installed().tool(f"segment@{method}").call(views, {**region, "outside_x": 0.76, "outside_y": 0.5})
        assert "cannot use a point outside the structure" in refused.text


def test_the_segmenter_of_a_package_is_known_by_its_hash(views, tmp_path):
    names = {"half": "halves:half", "nothing": "halves:nothing", "odd": "halves:odd", "gone": "halves:gone"}
    written(tmp_path, "other-halves", SEGMENTERS.group, names, halves=CODE)
    with plugged_in(tmp_path):
        condition = Condition.parse("segment@half")
        made = condition.identity()["tool_variants"]["segment"]
        assert (made["variant"], made["package"], made["version"], len(made["code_sha256"])) == (
            "half",
            "other-halves",
            "1.2",
            64,
        )
        result = condition.tools[0].call(views, REGION).result
        assert (result["box_width_mm"], result["confidence"]) == (32, "not shown")
        nothing = installed().tool("segment@nothing").call(views, REGION)
        assert (nothing.about_image, nothing.text) == (True, "Error: nothing found")
        assert "must return a list of Candidate objects" in installed().tool("segment@odd").call(views, REGION).failure
        with pytest.raises(ConfigError, match=r"segmenter 'gone' of the package other-halves 1.2 fails"):
            Condition.parse("segment@gone")
