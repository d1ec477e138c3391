"""The outline of exact anti-aliased ellipses, through the tool as a model calls it."""

import math

import numpy as np
import pytest
from phantoms import EllipsePhantom

from medvision_agent.tools.fit_contour import fit_contour
from medvision_agent.tools.view.geometry import Region, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet


def views_of(phantom, *, bright=True, noise=0.0):
    levels = (180, 60) if bright else (60, 180)
    return ViewSet(phantom.slice(*levels, noise=noise), Native())


def fitted(views, **arguments):
    reply = fit_contour.call(views, arguments)
    assert reply.ok, reply.text
    return reply


def expected_box(phantom):
    """Return the ellipse's box x0, y0, x1, y1 in MedVision's frame."""
    (half_width, half_height), (height, width) = phantom.half_extent, phantom.shape
    field_w, field_h = width * phantom.spacing.width_mm, height * phantom.spacing.height_mm
    return (
        (phantom.x - half_width) / field_w,
        1 - (phantom.y + half_height) / field_h,
        (phantom.x + half_width) / field_w,
        1 - (phantom.y - half_height) / field_h,
    )


def region_around(phantom, margin=0.2):
    """Return the ellipse's box, each edge *margin* of the side further out."""
    x0, y0, x1, y1 = expected_box(phantom)
    across, down = margin * (x1 - x0), margin * (y1 - y0)
    return {"x0": x0 - across, "y0": y0 - down, "x1": x1 + across, "y1": y1 + down}


@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.parametrize("bright", [True, False])
@pytest.mark.parametrize("degrees", [0, 20, 65, 90, 140])
@pytest.mark.parametrize("spacing", [(0.5, 0.5), (1.0, 1.0), (1.5, 1.5), (1.5, 0.7), (0.7, 1.5)])
def test_axes_are_within_half_a_pixel_or_a_third_of_a_millimetre(spacing, degrees, bright, noise):
    """The region is a prior that is far too large, and the edge is looked for along rays, not pixel by pixel."""
    phantom = EllipsePhantom(Spacing(*spacing), 31.3, 32.9, 14.2, 8.7, math.radians(degrees))
    views = views_of(phantom, bright=bright, noise=noise)
    result = fitted(views, **region_around(phantom)).result
    pixel = max(spacing)
    assert result["major_mm"] == pytest.approx(28.4, abs=max(0.3, 0.5 * pixel))
    assert result["minor_mm"] == pytest.approx(17.4, abs=max(0.3, 0.5 * pixel))
    assert result["area_mm2"] == pytest.approx(math.pi * 14.2 * 8.7, rel=0.05 * pixel)
    assert result["quality"] > 0.95
    assert result["touches_region_border"] is False
    box = [result[f"v0_box_{key}"] for key in ("x0", "y0", "x1", "y1")]
    assert box == pytest.approx(expected_box(phantom), abs=pixel / 64)


@pytest.mark.parametrize("degrees", [0, 20, 65, 90, 140])
def test_thick_rows_are_measured_to_a_row(degrees):
    """Pixels of 5.0 x 0.627 mm: about 3.5 rows hold the minor axis."""
    phantom = EllipsePhantom(Spacing(5.0, 0.627), 31.3, 30.2, 14.2, 8.7, math.radians(degrees))
    result = fitted(views_of(phantom), **region_around(phantom, 0.0)).result
    assert result["major_mm"] == pytest.approx(28.4, abs=5)
    assert result["minor_mm"] == pytest.approx(17.4, abs=2.5)


def test_a_crop_gives_the_same_sizes_and_its_own_coordinates():
    phantom = EllipsePhantom(Spacing(1.0, 0.5), 20, 40, 9, 5, 0.5)
    views = views_of(phantom)
    view = views.crop(Region(10, 25, 70, 55), 5.0)
    whole = fitted(views, seed_x=20 / 64, seed_y=1 - 40 / 64).result
    reply = fitted(views, view=view.id, seed_x=0.5, seed_y=0.5)
    for key in ("major_mm", "minor_mm", "area_mm2", "box_width_mm", "box_height_mm", "quality", "v0_box_x0"):
        assert reply.result[key] == pytest.approx(whole[key], rel=1e-3), key
    corner = views.point(view, reply.result["box_x0"], reply.result["box_y0"])
    same = views.point(views.whole, whole["box_x0"], whole["box_y0"])
    assert (corner.x, corner.y) == pytest.approx((same.x, same.y), abs=0.05)
    assert reply.picture.pixels.shape == (*view.pixels.shape, 3)


def test_axis_ends_are_points_of_the_view():
    phantom = EllipsePhantom(Spacing(1.0, 1.0), 30, 34, 16, 6, math.radians(30))
    result = fitted(views_of(phantom), **region_around(phantom, 0.0)).result
    ends = sorted(((result["major_x0"], result["major_y0"]), (result["major_x1"], result["major_y1"])))
    dx, dy = 16 * math.cos(math.radians(30)), 16 * math.sin(math.radians(30))
    # The ends of a slanted ellipse lie far outside of the upright one in its box, which holds them back.
    # y up: the right end of an ellipse turned clockwise on screen lies lower.
    assert ends[0] == pytest.approx(((30 - dx) / 64, 1 - (34 - dy) / 64), abs=0.06)
    assert ends[1] == pytest.approx(((30 + dx) / 64, 1 - (34 + dy) / 64), abs=0.06)


def two_blobs():
    pixels = np.full((40, 80), 50.0)
    pixels[10:30, 8:30] = 200  # the larger
    pixels[15:25, 50:60] = 200
    return ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())


@pytest.mark.parametrize(("x", "y", "width"), [(19, 20, 22), (55, 20, 10)])
def test_a_seed_takes_the_structure_it_lies_in(x, y, width):
    result = fitted(two_blobs(), seed_x=x / 80, seed_y=1 - y / 40).result
    assert result["box_width_mm"] == pytest.approx(width, abs=1)


def test_a_region_without_an_edge_in_it_is_kept():
    """Never much worse than the region: faint noise does not pull the outline away from its ellipse."""
    pixels = np.random.default_rng(5).normal(100, 2, (100, 100))
    views = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())
    result = fitted(views, x0=0.3, y0=0.35, x1=0.7, y1=0.65).result
    assert 0.75 * 40 < result["major_mm"] < 1.15 * 40
    assert 0.75 * 30 < result["minor_mm"] < 1.15 * 30


@pytest.mark.parametrize("bright", [True, False])
def test_the_outline_is_that_of_a_bright_or_a_dark_structure(bright):
    phantom = EllipsePhantom(Spacing(1, 1), 32, 32, 14, 9, 0.3)
    for prompt in ({"seed_x": 0.5, "seed_y": 0.5}, region_around(phantom)):
        result = fitted(views_of(phantom, bright=bright), **prompt).result
        assert (result["major_mm"], result["minor_mm"]) == pytest.approx((28, 18), abs=0.6)


def test_holes_belong_to_the_structure():
    pixels = np.full((60, 60), 50.0)
    pixels[20:40, 20:40] = 200
    pixels[27:33, 27:33] = 50
    views = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())
    region = {"x0": 0.32, "y0": 0.32, "x1": 0.68, "y1": 0.68}
    assert fitted(views, **region).result["area_mm2"] == pytest.approx(400, rel=0.08)
    seeded = fitted(views, seed_x=0.5, seed_y=0.5, **region).result
    assert seeded["area_mm2"] == pytest.approx(400, rel=0.08)


def test_an_outline_at_the_border_of_the_region_is_reported():
    views = two_blobs()
    inside = {"x0": 6 / 80, "y0": 1 - 32 / 40, "x1": 32 / 80, "y1": 1 - 8 / 40}
    assert fitted(views, **inside).result["touches_region_border"] is False
    cut = {**inside, "x1": 29 / 80}
    assert fitted(views, **cut).result["touches_region_border"] is True


@pytest.mark.parametrize("noise", [0.0, 6.0])
@pytest.mark.parametrize("dx", [0, 3])
def test_a_region_finds_a_small_structure_within_a_large_one(dx, noise):
    """A tumour in a head: the edge of the head is no stronger than the tumour's."""
    head, tumour = (
        EllipsePhantom(Spacing(0.5, 0.5), x, y, a, b, 0.4) for x, y, a, b in ((32, 32, 28, 22), (38, 30, 6, 4))
    )
    pixels = 10 + 110 * head.coverage() + 80 * tumour.coverage()
    pixels += np.random.default_rng(3).normal(0, noise, pixels.shape)
    views = ViewSet(grey_slice(np.clip(np.rint(pixels), 0, 255), head.spacing), Native())
    region = region_around(tumour)
    result = fitted(views, seed_x=(38 + dx) / 64, seed_y=1 - 30 / 64, **region).result
    assert result["major_mm"] == pytest.approx(12, abs=0.4)
    assert result["minor_mm"] == pytest.approx(8, abs=0.4)
    assert result["touches_region_border"] is False


@pytest.mark.parametrize("seed", range(8))
def test_noise_around_the_seed_is_no_structure(seed):
    """In a small window within the structure, noise is all there is."""
    phantom = EllipsePhantom(Spacing(0.25, 0.25), 31.3, 32.9, 20, 14.2, 0.4)
    views = ViewSet(phantom.slice(180, 60, noise=12, seed=seed), Native())
    x, y = np.random.default_rng(seed).uniform(-7, 7, 2)
    result = fitted(views, seed_x=(31.3 + x) / 64, seed_y=1 - (32.9 + y) / 64).result
    assert result["major_mm"] == pytest.approx(40, rel=0.25)
    assert result["minor_mm"] == pytest.approx(28.4, rel=0.25)


@pytest.mark.parametrize("bridge_mm", [6.0, 12.0])
@pytest.mark.parametrize("spacing", [Spacing(0.5, 0.5), Spacing(2.0, 0.7)])
def test_a_structure_is_cut_off_what_it_is_attached_to(spacing, bridge_mm):
    """A disc of 20 mm around (32, 32) mm, which a bridge ties to a wall beyond x = 56 mm."""
    phantom = EllipsePhantom(spacing, 32, 32, 10, 10, 0)
    height, width = phantom.shape
    yy, xx = np.mgrid[:height, :width] + 0.5
    x, y = xx * spacing.width_mm, yy * spacing.height_mm
    joined = (x > 56) | ((x > 32) & (abs(y - 32) < bridge_mm / 2))
    views = ViewSet(grey_slice(60 + 120 * np.maximum(phantom.coverage(), joined), spacing), Native())
    result = fitted(views, **region_around(phantom)).result
    assert result["major_mm"] == pytest.approx(20, abs=3)
    assert result["minor_mm"] == pytest.approx(20, abs=1)


def test_an_outline_ends_at_the_edge_of_the_picture():
    """Half a disc at the edge of the picture is as much of it as there is."""
    phantom = EllipsePhantom(Spacing(0.5, 0.5), 0, 32, 12, 12, 0)
    result = fitted(views_of(phantom), x0=0, y0=0.3, x1=0.2, y1=0.7).result
    assert result["v0_box_x0"] >= 0
    assert (result["box_width_mm"], result["box_height_mm"]) == pytest.approx((12, 24), abs=2.5)


def test_a_bigger_picture_does_not_take_longer_steps():
    """The same structure at four times the resolution is seen at the same sharpness: the same axes."""
    small, large = (EllipsePhantom(Spacing(side, side), 31, 33, 20, 13, 0.5) for side in (0.25, 0.0625))
    one, other = (fitted(views_of(each), **region_around(each)).result for each in (small, large))
    assert other["major_mm"] == pytest.approx(one["major_mm"], rel=0.02)
    assert other["minor_mm"] == pytest.approx(one["minor_mm"], rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "give a region"),
        ({"x0": 0.1, "y0": 0.1, "x1": 0.9}, "a point needs both x1 and y1"),
        ({"seed_x": 0.5}, "needs both seed_x and seed_y"),
        ({"seed_x": 0.9, "seed_y": 0.5, "x0": 0, "y0": 0, "x1": 0.5, "y1": 1}, "the seed lies outside the region"),
        ({"x0": 0.8, "y0": 0, "x1": 1, "y1": 1}, "the same grey level"),
        ({"seed_x": 0.5, "seed_y": 1.2}, "lies outside view v0"),
    ],
)
def test_a_model_is_told_why_nothing_was_measured(arguments, text):
    reply = fit_contour.call(two_blobs(), arguments)
    assert not reply.ok
    assert reply.text.startswith("Error: ")
    assert text in reply.text


@pytest.mark.parametrize("width", [1e-300, 0.004])
def test_a_region_narrower_than_half_a_pixel_is_refused_in_words(width: float) -> None:
    views = ViewSet(grey_slice(np.eye(24) * 200, Spacing(0.01, 0.01)), Native())
    reply = fit_contour.call(views, {"x0": 0.0, "y0": 0.0, "x1": width, "y1": 1.0})
    assert reply.text.startswith(
        "Error: the region is empty, or less than half a pixel of the image wide or high; give"
    )
