"""The neighbours tool: which slice is shown, and that nothing is measured in it by mistake."""

import numpy as np
import pytest
from volumes import STEP_MM, TARGET, VOLUME, ct_slice

from medvision_agent.tools.crop import crop
from medvision_agent.tools.neighbours import neighbours
from medvision_agent.tools.own.examine import examine
from medvision_agent.tools.registry import installed
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

BOX = {"x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.8}
LINES = {"ax0": 0.1, "ay0": 0.1, "ax1": 0.9, "ay1": 0.1, "bx0": 0.1, "by0": 0.1, "bx1": 0.9, "by1": 0.8}


@pytest.fixture
def views():
    return ViewSet(ct_slice(), Native())


def shown(values, low=-1000, high=1000):
    return np.floor((np.clip(values.astype(np.float64), low, high) - low) / (high - low) * 255)


def test_a_slice_nearby_becomes_a_view(views):
    reply = neighbours.call(views, {"away": -1})
    assert reply.result == {
        "view": "v1",
        "of": "v0",
        "away": -1,
        "position_mm": -STEP_MM,
        "first_away": -2,
        "last_away": 4,
    }
    assert np.abs(reply.picture.pixels - shown(VOLUME[TARGET - 1])).max() <= 1
    assert reply.picture.caption.endswith("another slice, 1 before the image asked about, at -2.5 mm")
    assert np.abs(views.whole.pixels - shown(VOLUME[TARGET])).max() <= 1


def test_it_shows_the_part_and_the_window_of_its_view_and_counts_from_the_image_asked_about(views):
    views.crop(Region(5, 10, 15, 20), 1.0)
    window.call(views, {"view": "v1", "by": "HU", "level": 40, "width": 400})
    neighbours.call(views, {"view": "v2", "away": 1})
    reply = neighbours.call(views, {"view": "v3", "away": 2})
    assert (reply.result["of"], reply.result["position_mm"]) == ("v3", 2 * STEP_MM)
    assert np.abs(reply.picture.pixels - shown(VOLUME[TARGET + 2, 10:20, 5:15], -160, 240)).max() <= 1


def test_a_part_of_another_slice_can_be_enlarged_and_is_still_of_that_slice(views):
    neighbours.call(views, {"away": 3})
    reply = crop.call(views, {"view": "v1", **BOX, "zoom": 1})
    assert np.abs(reply.picture.pixels - shown(VOLUME[TARGET + 3, 6:24, 4:16])).max() <= 1
    assert installed().tool("ruler").call(views, {"view": "v2", **BOX}).text.startswith("Error: view v2 shows another")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ruler", BOX),
        ("protractor", LINES),
        ("fit_contour", {"target": "bright", **BOX}),
        ("segment", BOX),
        ("segment", {"inside_x": 0.5, "inside_y": 0.5}),
    ],
)
def test_nothing_is_measured_in_another_slice(views, name, arguments):
    neighbours.call(views, {"away": 1})
    tool = installed().tool(name)
    assert tool.call(views, arguments).ok or name == "segment"
    reply = tool.call(views, {"view": "v1", **arguments})
    assert reply.text == "Error: view v1 shows another slice; give coordinates in a view of the image asked about"


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (0, "away = 0 is the image asked about itself"),
        (-3, "there is no slice -3 away: the volume ends before it"),
        (5, "there is no slice 5 away"),
        (1001, "less than or equal to 1000"),
        (10**400, "away: "),
        (0.5, "away: Input should be a valid integer"),
        (True, "not true or false"),
    ],
)
def test_a_model_is_told_what_was_wrong(views, away, words):
    reply = neighbours.call(views, {"away": away})
    assert reply.text.startswith("Error: ")
    assert words in reply.text
    assert "v1" not in views


def test_a_single_picture_has_no_neighbours():
    reply = neighbours.call(ViewSet(grey_slice(np.eye(5), Spacing(1, 1)), Native()), {"away": 1})
    assert reply.text == "Error: the image is a single picture, not a slice of a volume, so it has no adjacent slices"


def test_slices_are_read_when_they_are_asked_for():
    asked = []
    image = ct_slice()
    load = image.stack.values
    object.__setattr__(image.stack, "values", lambda away: (asked.append(away), load(away))[1])
    views = ViewSet(image, Native())
    neighbours.call(views, {"away": 9})
    assert asked == []
    neighbours.call(views, {"away": 2})
    assert asked == [2]


def test_the_check_of_tools_holds():
    assert [finding for finding in examine(neighbours, calls=150) if finding.verdict != "yes"] == []
