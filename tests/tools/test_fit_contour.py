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

MARGIN = {"x0": 0.02, "y0": 0.02, "x1": 0.98, "y1": 0.98}


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


@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.parametrize("bright", [True, False])
@pytest.mark.parametrize("degrees", [0, 20, 65, 90, 140])
@pytest.mark.parametrize("spacing", [(0.5, 0.5), (1.0, 1.0), (1.5, 1.5), (1.5, 0.7), (0.7, 1.5)])
def test_axes_are_within_a_third_of_a_millimetre(spacing, degrees, bright, noise):
    phantom = EllipsePhantom(Spacing(*spacing), 31.3, 32.9, 14.2, 8.7, math.radians(degrees))
    views = views_of(phantom, bright=bright, noise=noise)
    result = fitted(views, target="bright" if bright else "dark", **MARGIN).result
    assert result["major_mm"] == pytest.approx(28.4, abs=0.3)
    assert result["minor_mm"] == pytest.approx(17.4, abs=0.3)
    assert result["area_mm2"] == pytest.approx(math.pi * 14.2 * 8.7, rel=0.02)
    assert result["quality"] > 0.98
    assert result["touches_region_border"] is False
    box = [result[f"v0_box_{key}"] for key in ("x0", "y0", "x1", "y1")]
    # The outermost points of an edge are where noise shows: a quarter of a pixel, in a field of 64 mm.
    assert box == pytest.approx(expected_box(phantom), abs=0.25 * max(spacing) / 64)


@pytest.mark.parametrize("degrees", [0, 20, 65, 90, 140])
def test_thick_rows_are_measured_to_a_seventh_of_a_row(degrees):
    """Pixels of 5.0 x 0.627 mm: about 3.5 rows hold the minor axis."""
    phantom = EllipsePhantom(Spacing(5.0, 0.627), 31.3, 30.2, 14.2, 8.7, math.radians(degrees))
    result = fitted(views_of(phantom), target="bright", seed_x=0.49, seed_y=0.5).result
    assert result["major_mm"] == pytest.approx(28.4, abs=0.7)
    assert result["minor_mm"] == pytest.approx(17.4, abs=0.7)


def test_a_crop_gives_the_same_sizes_and_its_own_coordinates():
    phantom = EllipsePhantom(Spacing(1.0, 0.5), 20, 40, 9, 5, 0.5)
    views = views_of(phantom)
    whole = fitted(views, target="bright", seed_x=20 / 64, seed_y=1 - 40 / 64)
    view = views.crop(Region(10, 25, 70, 55), 5.0)
    reply = fitted(views, view=view.id, target="bright", x0=0, y0=0, x1=1, y1=1)
    physical = (
        "major_mm",
        "minor_mm",
        "area_mm2",
        "box_width_mm",
        "box_height_mm",
        "quality",
        "v0_box_x0",
        "v0_box_y1",
    )
    for key in physical:
        # The grid of the enlarged cut is another one: a hundredth of a millimetre.
        assert reply.result[key] == pytest.approx(whole.result[key], abs=0.02), key
    corner = views.point(view, reply.result["box_x0"], reply.result["box_y0"])
    same = views.point(views.whole, whole.result["box_x0"], whole.result["box_y0"])
    assert (corner.x, corner.y) == pytest.approx((same.x, same.y), abs=0.05)
    assert reply.picture.pixels.shape == (*view.pixels.shape, 3)


def test_axis_ends_are_points_of_the_view():
    phantom = EllipsePhantom(Spacing(1.0, 1.0), 30, 34, 16, 6, math.radians(30))
    result = fitted(views_of(phantom), target="bright", **MARGIN).result
    ends = sorted(((result["major_x0"], result["major_y0"]), (result["major_x1"], result["major_y1"])))
    dx, dy = 16 * math.cos(math.radians(30)), 16 * math.sin(math.radians(30))
    # y up: the right end of an ellipse turned clockwise on screen lies lower.
    assert ends[0] == pytest.approx(((30 - dx) / 64, 1 - (34 - dy) / 64), abs=0.006)
    assert ends[1] == pytest.approx(((30 + dx) / 64, 1 - (34 + dy) / 64), abs=0.006)


def two_blobs():
    pixels = np.full((40, 80), 50.0)
    pixels[10:30, 8:30] = 200  # the larger
    pixels[15:25, 50:60] = 200
    return ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())


def test_a_seed_takes_the_structure_it_lies_in_else_the_largest():
    views = two_blobs()
    everything = {"x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0}
    assert fitted(views, target="bright", **everything).result["box_width_mm"] == pytest.approx(22, abs=0.13)
    seeded = fitted(views, target="bright", seed_x=55 / 80, seed_y=0.5, **everything)
    assert seeded.result["box_width_mm"] == pytest.approx(10, abs=0.13)
    right = fitted(views, target="bright", x0=0.5, y0=0, x1=1, y1=1)
    assert right.result["box_width_mm"] == pytest.approx(10, abs=0.13)


def test_holes_belong_to_the_structure():
    pixels = np.full((60, 60), 50.0)
    pixels[20:40, 20:40] = 200
    pixels[27:33, 27:33] = 50
    views = ViewSet(grey_slice(pixels, Spacing(1, 1)), Native())
    assert fitted(views, target="bright", **MARGIN).result["area_mm2"] == pytest.approx(400, abs=2)
    in_the_hole = fitted(views, target="bright", seed_x=0.5, seed_y=0.5)
    assert in_the_hole.result["area_mm2"] == pytest.approx(400, abs=2)


def test_a_structure_cut_off_by_the_region_is_reported():
    views = two_blobs()
    assert fitted(views, target="bright", x0=0, y0=0, x1=0.25, y1=1).result["touches_region_border"] is True
    assert fitted(views, target="bright", x0=0, y0=0, x1=0.5, y1=1).result["touches_region_border"] is False


@pytest.mark.parametrize("region", [{}, MARGIN])
@pytest.mark.parametrize("bright", [True, False])
def test_a_seed_on_the_wrong_side_is_told(bright, region):
    """The background has a hole where the structure lies; but it is no structure around the seed."""
    views = views_of(EllipsePhantom(Spacing(1, 1), 32, 32, 14, 9, 0.3), bright=bright)
    wrong = "dark" if bright else "bright"
    reply = fit_contour.call(views, {"target": wrong, "seed_x": 0.5, "seed_y": 0.5, **region})
    assert not reply.ok
    assert f"the seed is not on a {wrong} structure" in reply.text


@pytest.mark.parametrize("noise", [0.0, 6.0])
@pytest.mark.parametrize("dx", [0, 3])
def test_a_seed_finds_a_small_structure_within_a_large_one(dx, noise):
    """A tumour in a head: one threshold for the whole picture finds the head."""
    head, tumour = (
        EllipsePhantom(Spacing(0.5, 0.5), x, y, a, b, 0.4) for x, y, a, b in ((32, 32, 28, 22), (38, 30, 6, 4))
    )
    pixels = 10 + 110 * head.coverage() + 80 * tumour.coverage()
    pixels += np.random.default_rng(3).normal(0, noise, pixels.shape)
    views = ViewSet(grey_slice(np.clip(np.rint(pixels), 0, 255), head.spacing), Native())
    result = fitted(views, target="bright", seed_x=(38 + dx) / 64, seed_y=1 - 30 / 64).result
    assert result["major_mm"] == pytest.approx(12, abs=0.3)
    assert result["minor_mm"] == pytest.approx(8, abs=0.3)
    assert result["touches_region_border"] is False


@pytest.mark.parametrize("seed", range(8))
def test_noise_around_the_seed_is_no_structure(seed):
    """In a small window within the structure, noise is all there is; its specks are round enough."""
    phantom = EllipsePhantom(Spacing(0.25, 0.25), 31.3, 32.9, 20, 14.2, 0.4)
    views = ViewSet(phantom.slice(180, 60, noise=12, seed=seed), Native())
    x, y = np.random.default_rng(seed).uniform(-7, 7, 2)
    result = fitted(views, target="bright", seed_x=(31.3 + x) / 64, seed_y=1 - (32.9 + y) / 64).result
    assert result["major_mm"] == pytest.approx(40, abs=0.4)
    assert result["minor_mm"] == pytest.approx(28.4, abs=0.4)


def nodule(spacing, bridge_mm):
    """A disc of 20 mm around (32, 32) mm, which a bridge ties to a wall beyond x = 56 mm."""
    phantom = EllipsePhantom(spacing, 32, 32, 10, 10, 0)
    height, width = phantom.shape
    yy, xx = np.mgrid[:height, :width] + 0.5
    x, y = xx * spacing.width_mm, yy * spacing.height_mm
    joined = (x > 56) | ((x > 32) & (abs(y - 32) < bridge_mm / 2))
    return ViewSet(grey_slice(60 + 120 * np.maximum(phantom.coverage(), joined), spacing), Native())


@pytest.mark.parametrize("spacing", [Spacing(0.5, 0.5), Spacing(2.0, 0.7)])
@pytest.mark.parametrize("seed", [{}, {"seed_x": 0.5, "seed_y": 0.5}])
def test_a_structure_is_cut_off_what_it_is_attached_to(seed, spacing):
    region = {"x0": 0.2, "y0": 0.2, "x1": 0.82, "y1": 0.8}
    result = fitted(nodule(spacing, 6.0), target="bright", **region, **seed).result
    assert result["touches_region_border"] is False
    # A stub of the bridge stays.
    assert result["major_mm"] == pytest.approx(20, abs=1.5)
    assert result["minor_mm"] == pytest.approx(20, abs=0.7)


def test_what_no_narrower_part_holds_stays_whole_and_is_reported():
    result = fitted(nodule(Spacing(0.5, 0.5), 24.0), target="bright", x0=0.2, y0=0.1, x1=0.82, y1=0.9).result
    assert result["touches_region_border"] is True
    assert result["box_width_mm"] > 25


def test_the_edge_of_the_picture_cuts_nothing_off_that_could_be_found():
    """Half a disc at the edge of the picture is as much of it as there is."""
    phantom = EllipsePhantom(Spacing(0.5, 0.5), 0, 32, 12, 12, 0)
    result = fitted(views_of(phantom), target="bright", seed_x=0.06, seed_y=0.5).result
    assert result["touches_region_border"] is True
    assert (result["box_width_mm"], result["box_height_mm"]) == pytest.approx((12, 24), abs=0.2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "give a region"),
        ({"x0": 0.1, "y0": 0.1, "x1": 0.9}, "all four or none"),
        ({"seed_x": 0.5}, "needs both seed_x and seed_y"),
        ({"seed_x": 0.01, "seed_y": 0.01}, "the seed is not on a bright structure"),
        ({"seed_x": 0.9, "seed_y": 0.5, "x0": 0, "y0": 0, "x1": 0.5, "y1": 1}, "the seed lies outside the region"),
        ({"x0": 0.8, "y0": 0, "x1": 1, "y1": 1}, "the same grey level"),
        ({"seed_x": 0.5, "seed_y": 1.2}, "lies outside view v0"),
    ],
)
def test_a_model_is_told_why_nothing_was_measured(arguments, text):
    reply = fit_contour.call(two_blobs(), {"target": "bright", **arguments})
    assert not reply.ok
    assert reply.text.startswith("Error: ")
    assert text in reply.text
