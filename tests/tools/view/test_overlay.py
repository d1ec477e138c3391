import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.tools.view.geometry import Point, Region, Spacing
from medvision_agent.tools.view.overlay import CYAN, YELLOW, Overlay
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet


def blank(height=40, width=60):
    return ViewSet(grey_slice(np.zeros((height, width)), Spacing(1, 2)), Native())


def centre(weights):
    """Return the mean (x, y) of an image's weights in the continuous pixel frame."""
    yy, xx = np.mgrid[: weights.shape[0], : weights.shape[1]] + 0.5
    return float((xx * weights).sum() / weights.sum()), float((yy * weights).sum() / weights.sum())


@given(st.floats(10, 25), st.floats(10, 30), st.floats(30, 50), st.floats(10, 30))
def test_a_line_lies_where_it_was_put(x0, y0, x1, y1):
    picture = Overlay(blank().whole).line(Point(x0, y0), Point(x1, y1), YELLOW).picture("a line")
    # Sixteenths of a pixel and anti-aliasing by a table: well below the half pixel of a wrong convention.
    assert centre(picture.pixels[:, :, 0].astype(float)) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2), abs=0.25)


def test_a_line_in_a_crop_lies_where_it_was_put():
    views = blank()
    view = views.crop(Region(10, 10, 30, 30), 8.0)
    picture = Overlay(view).line(Point(14.5, 20.25), Point(23.0, 20.25), YELLOW).picture("a line")
    assert centre(picture.pixels[:, :, 0].astype(float)) == pytest.approx((8.75 * 8, 10.25 * 8), abs=0.2)


def test_a_box_touches_the_pixels_on_either_side_of_its_edges():
    drawn = Overlay(blank().whole).box(Region(10, 12, 30, 20), CYAN).picture("").pixels[:, :, 1] > 60
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (9, 30, 11, 20)
    assert not drawn[13:19, 11:29].any()


def test_colours_are_rgb_and_the_view_stays_untouched():
    views = blank(height=256)
    picture = Overlay(views.whole).line(Point(5, 20.5), Point(55, 20.5), YELLOW).picture("what it shows")
    assert picture.pixels[20, 30].tolist() == pytest.approx(YELLOW, abs=30)
    assert picture.caption == "overlay on v0: what it shows"
    assert views.whole.pixels.max() == 0


@pytest.mark.parametrize(("width", "share"), [(255, 0.6), (256, 1.0)])
def test_the_structure_shows_through_the_lines_on_a_tiny_view(width, share):
    views = ViewSet(grey_slice(np.full((45, width), 100.0), Spacing(1, 1)), Native())
    pixels = Overlay(views.whole).line(Point(5, 20.5), Point(55, 20.5), CYAN).picture("").pixels
    assert pixels.shape == (45, width, 3)
    assert pixels[20, 30].tolist() == pytest.approx([100 + share * (part - 100) for part in CYAN], abs=20)
    assert (pixels[30:] == 100).all(), "only lines are blended"


def test_a_point_and_a_far_away_line_do_no_harm():
    overlay = Overlay(blank().whole).line(Point(5, 5), Point(5, 5), YELLOW).line(Point(-9e3, 5), Point(9e3, 5), CYAN)
    assert overlay.picture("").pixels.shape == (40, 60, 3)
