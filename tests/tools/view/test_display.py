"""A display is drawn where it says, on what is sent alone, and changes no coordinate."""

import numpy as np
import pytest

from medvision_agent.errors import DataError
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.display import PARTS, check_drawable, numbers, round_length, shown
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Region, Size, Spacing
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet
from medvision_agent.tools.window import window

SIZES = [(64, 64), (91, 117), (300, 200), (512, 512), (1400, 1000)]


def made(size=(300, 200), display="ticks", frame="medvision", rule=None, grey=100):
    return ViewSet(grey_slice(np.full(size, grey), Spacing(0.5, 0.8)), rule or Native(), FRAMES[frame], display)


def middles(row):
    """Return the middle of each run of white pixels, in continuous pixels, and the longest run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (row > 200).astype(int), [0]))))
    return (edges[::2] + edges[1::2]) / 2, int((edges[1::2] - edges[::2]).max())


def places(views, view):
    """Return where the written numbers lie, across and down, in continuous pixels sent."""
    across, down = numbers(views, view)
    frame, size = views.frame, view.perceived
    x = [frame.to_unit(float(text), 0.0, size)[0] * view.size.width for text in across]
    y = [frame.to_unit(0.0, float(text), size)[1] * view.size.height for text in down]
    return x, y


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", [None, Fixed(height=448, width=336)], ids=["native", "fixed"])
def test_ticks_lie_at_their_numbers(frame, size, rule):
    views = made(size, frame=frame, rule=rule)
    picture = shown(views, views.whole)
    x, y = places(views, views.whole)
    for edge in (0, -1):
        found, width = middles(picture[edge])
        assert found == pytest.approx(x, abs=0.55)
        assert width <= max(1, size[1] / 80)
        assert middles(picture[:, edge])[0] == pytest.approx(y, abs=0.55)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("size", SIZES)
def test_lines_of_the_grid_lie_at_their_numbers(frame, size):
    views = made(size, "grid", frame)
    picture = shown(views, views.whole)
    x, y = places(views, views.whole)
    assert len(x) == len(y) == PARTS - 1 == 9
    line = (picture == 128 + 100 // 2).astype(int) * 255
    assert middles(line[0 if views.frame.upward else -1])[0] == pytest.approx(x, abs=0.55)
    assert middles(line[:, -1])[0] == pytest.approx(y, abs=0.55)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", [None, Fixed(height=448, width=336)], ids=["native", "fixed"])
def test_a_scale_bar_is_as_long_as_it_says(size, rule):
    views = made(size, "scale-bar", rule=rule)
    picture = shown(views, views.whole)
    length_mm = round_length(size[1] * 0.8 / 4)
    assert size[1] * 0.8 / 10 <= length_mm <= size[1] * 0.8 / 4
    longest = max(middles(row)[1] for row in picture[-30 * max(size) // 200 :] if (row > 200).any())
    assert longest == pytest.approx(length_mm / 0.8, abs=0.55)


@pytest.mark.parametrize(
    ("largest", "length"), [(49.9, 20), (50, 50), (1.0, 1), (0.3, 0.2), (0.07, 0.05), (3000, 2000)]
)
def test_a_scale_bar_has_a_round_length(largest, length):
    assert round_length(largest) == length


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("grey", [0, 127, 128, 255])
@pytest.mark.parametrize("size", [(120, 160), (512, 400)])
def test_nothing_changes_but_what_is_drawn(frame, grey, size):
    height, width = size
    inner = np.s_[round(height * 0.2) : round(height * 0.8), round(width * 0.3) : round(width * 0.7)]
    for display in ("plain", "ticks", "scale-bar", "grid"):
        views = made(size, display, frame, grey=grey)
        before = views.whole.pixels.copy()
        picture = shown(views, views.whole)
        assert (views.whole.pixels == before).all()
        assert picture.shape == before.shape
        assert picture.dtype == np.uint8
        changed = picture != before
        assert changed.any() == (display != "plain")
        assert changed[inner].any() == (display == "grid")
        if display == "scale-bar":
            assert not changed[: height // 2].any()
            assert not changed[:, width // 2 :].any()
        if display == "grid":
            assert (changed[inner].mean()) < 0.2
            assert (abs(picture[inner].astype(int) - grey)[changed[inner]] >= 63).all(), "seen on any grey"


def test_a_crop_is_drawn_on_in_its_own_coordinates():
    views = made((300, 200), "ticks", "pixel")
    reply = TOOLS["crop"].call(views, {"x0": 20, "y0": 30, "x1": 120, "y1": 90, "zoom": 3})
    view = views.get("v1")
    assert reply.picture.pixels.shape == view.pixels.shape == (180, 300)
    assert numbers(views, view)[0] == ["30", "60", "90", "120", "150", "180", "210", "240", "270"]
    assert middles(reply.picture.pixels[0])[0] == pytest.approx(range(30, 300, 30), abs=0.55)
    assert "small" not in reply.picture.caption


def test_a_small_crop_stays_plain_and_says_so_and_a_small_image_is_refused():
    views = made((300, 200), "grid")
    reply = TOOLS["crop"].call(views, {"x0": 0.1, "y0": 0.1, "x1": 0.2, "y1": 0.2, "zoom": 2})
    assert reply.picture.caption.endswith("; too small for its grid")
    assert (reply.picture.pixels == 100).all()
    check_drawable(Size(64, 64), "grid")
    check_drawable(Size(1, 1), "plain")
    with pytest.raises(DataError, match=r"s: its image has 63 x 900 pixels, too few to draw the display grid legibly"):
        check_drawable(Size(63, 900), "grid", "s: ")


@pytest.mark.parametrize("display", ["ticks", "grid", "scale-bar"])
def test_tools_measure_the_same_under_every_display(display):
    pixels = np.full((120, 160), 50.0)
    pixels[40:80, 60:110] = 180
    calls = {
        "ruler": {"x0": 0.1, "y0": 0.2, "x1": 0.7, "y1": 0.9},
        "fit_contour": {"x0": 0.3, "y0": 0.2, "x1": 0.8, "y1": 0.8},
        "crop": {"x0": 0.2, "y0": 0.2, "x1": 0.9, "y1": 0.9},
    }
    for name, arguments in calls.items():
        plain, drawn = (
            TOOLS[name].call(ViewSet(grey_slice(pixels, Spacing(1, 2)), Native(), display=one), arguments)
            for one in ("plain", display)
        )
        assert plain.result == drawn.result
        assert (plain.picture.pixels == drawn.picture.pixels).all() == (name != "crop")


def test_a_region_keeps_its_coordinates():
    plain, drawn = made(display="plain", frame="norm1000"), made(display="grid", frame="norm1000")
    region = Region(10, 20, 60, 80)
    assert plain.corners(plain.whole, region) == drawn.corners(drawn.whole, region)


def test_a_view_through_a_window_is_drawn_on_too():
    pixels = np.add.outer(np.arange(120.0), np.arange(160) % 99)
    views = ViewSet(grey_slice(pixels, Spacing(1, 2)), Native(), display="ticks")
    reply = window.call(views, {"by": "percentile", "low_percent": 5, "high_percent": 95})
    assert reply.ok, reply.text
    assert (reply.picture.pixels == shown(views, views.get("v1"))).all()
    assert (reply.picture.pixels != views.get("v1").pixels).any()
