from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.tools.segment.asked import outlined
from medvision_agent.tools.segment.candidates import Prompt, candidates
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing
from medvision_agent.tools.view.overlay import CYAN, GREEN, YELLOW, Overlay
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

# Machado, Oliveira and Fernandes 2009, severity 1.0, in linear RGB.
DICHROMATS = {
    "protanopia": [(0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)],
    "deuteranopia": [(0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)],
    "tritanopia": [(1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)],
}


def blank(height=40, width=60, grey=0, rule=None):
    return ViewSet(grey_slice(np.full((height, width), grey), Spacing(1, 2)), rule or Native())


def centre(weights):
    """Return the mean (x, y) of an image's weights in the continuous pixel frame."""
    yy, xx = np.mgrid[: weights.shape[0], : weights.shape[1]] + 0.5
    return float((xx * weights).sum() / weights.sum()), float((yy * weights).sum() / weights.sum())


@given(st.floats(10, 25), st.floats(10, 30), st.floats(30, 50), st.floats(10, 30))
def test_a_line_lies_where_it_was_put(x0, y0, x1, y1):
    picture = Overlay(blank().whole).line(Point(x0, y0), Point(x1, y1), YELLOW).picture("a line")
    scale = np.array((256 / 60, 171 / 40))
    off = centre(picture.pixels[:, :, 0].astype(float)) - np.array(((x0 + x1) / 2, (y0 + y1) / 2)) * scale
    along = np.array((x1 - x0, y1 - y0)) * scale
    along /= np.hypot(*along)
    # Sixteenths of a pixel and anti-aliasing by a table: well below the half pixel of a wrong convention. Strokes end
    # at a whole pixel, so that a slanted line is a little longer at one end.
    assert abs(along @ off) < 1.0
    assert abs(along[0] * off[1] - along[1] * off[0]) < 0.25


def test_a_line_in_a_crop_lies_where_it_was_put():
    views = blank()
    view = views.crop(Region(10, 10, 30, 30), 8.0)
    picture = Overlay(view).line(Point(14.5, 20.25), Point(23.0, 20.25), YELLOW).picture("a line")
    scale = 256 / 20
    assert centre(picture.pixels[:, :, 0].astype(float)) == pytest.approx((8.75 * scale, 10.25 * scale), abs=0.2)


def test_the_corners_of_a_box_touch_the_pixels_on_either_side_of_its_edges():
    drawn = Overlay(blank(256, 256).whole).box(Region(10, 12, 50, 40), CYAN).picture("").pixels[:, :, 1] > 60
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (9, 50, 11, 40)
    assert not drawn[13:39, 11:49].any(), "nothing is drawn within"
    assert not drawn[:, 22:38].any(), "the middle half of the edges is free"
    assert drawn[11, 9:19].all()


def test_colours_are_rgb_and_the_view_stays_untouched():
    views = blank(height=256)
    picture = Overlay(views.whole).line(Point(5, 20.5), Point(55, 20.5), YELLOW).picture("what it shows")
    assert picture.pixels[20, 30].tolist() == pytest.approx(YELLOW, abs=30)
    assert picture.caption == "overlay on v0: what it shows"
    assert views.whole.pixels.max() == 0


@pytest.mark.parametrize(
    ("sent", "rule", "drawn", "more"),
    [
        ((32, 24), Native(), (256, 192), "; shown larger than v0, in the coordinates of v0"),
        ((300, 200), Native(), (300, 200), ""),
        ((3, 3000), Native(), (2, 2048), "; shown smaller than v0, in the coordinates of v0"),
        ((32, 24), Fixed(height=448, width=336), (448, 336), ""),
        ((900, 900), Fixed(height=336, width=336), (336, 336), ""),
        ((900, 450), Fixed(height=336, width=336), (336, 168), ""),
    ],
)
def test_it_is_drawn_at_the_size_perceived_within_bounds(sent, rule, drawn, more):
    picture = Overlay(blank(*sent, rule=rule).whole).line(Point(0, 1), Point(20, 1), YELLOW).picture("a line")
    assert picture.pixels.shape == (*drawn, 3)
    assert picture.caption == f"overlay on v0: a line{more}"


@pytest.mark.parametrize(("side", "width"), [(32, 1), (300, 1), (600, 1), (1024, 2), (2048, 4)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_line_is_as_wide_as_its_picture_needs_and_seen_on_any_grey(side, width, grey):
    middle = side / 2 + 0.5 * (side // 2048)
    line = Overlay(blank(side, side, grey).whole).line(Point(side / 8, middle), Point(side * 7 / 8, middle), YELLOW)
    across = line.picture("").pixels[:, side // 2 if side > 256 else 128].astype(int)
    coloured = (across[:, 0] - across[:, 2] > 60).sum()
    assert width <= coloured <= width + 2
    dark = (across.max(axis=-1) < 60).sum()
    assert grey == 0 or width <= dark <= 2 * width + 2, "a dark rim"


@given(
    st.integers(32, 400),
    st.lists(st.tuples(st.floats(0.15, 0.85), st.floats(0.15, 0.85)), min_size=2, max_size=2, unique=True),
)
def test_what_is_measured_stays_free(side, ends):
    views = blank(side, side, 128)
    a, b = (views.whole.region.at(*end) for end in ends)
    pictures = [
        Overlay(views.whole).line(a, b, YELLOW, ("A", "B")).picture("").pixels,
        Overlay(views.whole).ends(a, b, CYAN).picture("").pixels,
        Overlay(views.whole).point(a, "left").picture("").pixels,
    ]
    for picture, points in zip(pictures, (ends, ends, ends[:1]), strict=True):
        apart = np.hypot(*(np.array(ends[0]) - ends[1])) * len(picture)
        for u, v in points if apart > 40 else ():
            x, y = int(u * picture.shape[1]), int(v * picture.shape[0])
            assert picture[y - 1 : y + 2, x - 1 : x + 2] == pytest.approx(128, abs=20)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_a_name_stays_in_the_picture(corner):
    views = blank(256, 256)
    at, middle = views.whole.region.at(*corner), Point(128, 128)
    named = Overlay(views.whole).line(at, middle, YELLOW, ("A very long name indeed, cut \N{WHITE SMILING FACE}", ""))
    plain = Overlay(views.whole).line(at, middle, YELLOW)
    written = (named.picture("").pixels != plain.picture("").pixels).any(axis=-1)
    assert written.sum() > 300
    assert not written[[0, -1]].any()
    assert not written[:, [0, -1]].any()


def test_a_lesion_of_a_few_pixels_stays_visible():
    pixels = np.full((32, 32), 60.0)
    pixels[12:18, 14:22] = 200
    view = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native()).whole
    found = candidates(view.slice, Prompt(Region(13, 11, 23, 19), None))[0].measured
    picture = outlined(view, found).pixels
    inside = picture[13 * 8 : 17 * 8, 15 * 8 : 21 * 8]
    assert (np.ptp(inside, axis=-1) == 0).mean() > 0.9
    assert (inside.max(axis=-1) > 150).mean() > 0.9


def test_a_point_and_a_far_away_line_do_no_harm():
    overlay = Overlay(blank().whole).line(Point(5, 5), Point(5, 5), YELLOW).line(Point(-9e3, 5), Point(9e3, 5), CYAN)
    assert overlay.ends(Point(5, 5), Point(5, 5), GREEN).picture("").pixels.shape == (171, 256, 3)


@pytest.mark.parametrize("sight", ["usual", *DICHROMATS])
def test_colours_are_told_apart_with_every_colour_vision(sight):
    matrix = np.array(DICHROMATS.get(sight, np.eye(3)))
    seen = {colour: matrix @ (np.array(colour) / 255) ** 2.2 for colour in (YELLOW, CYAN, GREEN)}
    for one, other in combinations(seen.values(), 2):
        assert np.linalg.norm(np.clip(one, 0, 1) - np.clip(other, 0, 1)) > 0.25
    for colour in seen.values():
        assert float(np.array((0.2126, 0.7152, 0.0722)) @ colour) > 0.25, "bright beside its dark rim"


def test_sizes_stay_whole():
    assert Overlay(blank(1, 4000).whole).picture("").pixels.shape == (1, 2048, 3)
    assert Size(1, 2048) == Size(*Overlay(blank(1, 2048).whole).picture("").pixels.shape[:2])
