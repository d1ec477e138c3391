"""Outlines near a prior: what holds them, what draws them, and points that they respect."""

import math
from dataclasses import replace

import numpy as np
import pytest
from phantoms import EllipsePhantom

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.background import Background
from medvision_agent.tools.segment.candidates import MOST, Prompt, SeedSettings, candidates
from medvision_agent.tools.segment.confidence import SHARES, confidence
from medvision_agent.tools.segment.contour import measure_outline
from medvision_agent.tools.segment.methods import METHODS
from medvision_agent.tools.segment.outline import Settings, outlines
from medvision_agent.tools.segment.rays import RAYS, Oval, Pyramid, closed_paths
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing
from medvision_agent.tools.view.slice import grey_slice

PHANTOM = EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 14, 9, 0.3)
BOX = Region(2 * (32 - 14), 2 * (32 - 10), 2 * (32 + 14), 2 * (32 + 10))


def reached(total, place, bend):
    """Return the least cost of coming to a place from one that is at most two away."""
    near = range(max(0, place - 2), min(len(total), place + 3))
    return min(total[other] + bend * abs(place - other) for other in near)


def best_closed(cost, bend):
    """Return the cost of the best path that ends where it begins, by trying every start."""
    rays, places = cost.shape
    found = []
    for start in range(places):
        total = np.where(np.arange(places) == start, cost[0], np.inf)
        for ray in range(1, rays):
            total = cost[ray] + [
                min(total[j] + bend * abs(i - j) for j in range(max(0, i - 2), min(places, i + 3)))
                for i in range(places)
            ]
        found.append(min(total[j] + bend * abs(start - j) for j in range(max(0, start - 2), min(places, start + 3))))
    return min(found)


def test_a_path_costs_as_a_rule_no_more_than_the_best_closed_one():
    """The middle of two laps is the best closed path as a rule; where it is not, it does not quite close."""
    more = []
    for seed in range(150):
        cost = np.random.default_rng(seed).normal(0, 1, (20, 6))
        path = closed_paths(cost[None], 0.5)[0]
        steps = np.abs(np.diff(path, append=path[0]))
        assert np.sort(steps)[-2] <= 2
        more.append(cost[np.arange(20), path].sum() + 0.5 * steps.sum() - best_closed(cost, 0.5))
    assert np.quantile(more, 0.95) < 1e-9


def test_without_an_image_the_outline_is_the_oval():
    (found,) = outlines(Pyramid(np.zeros((100, 100), np.float32)), [Oval.inside(Region(20, 30, 80, 70))], Settings())
    measured = measure_outline(found.points, Size(100, 100), Spacing(1, 1))
    assert 0.65 * 60 < measured.ellipse.major_mm <= 60
    assert measured.ellipse.major_mm / measured.ellipse.minor_mm == pytest.approx(1.5, rel=0.02)


def test_an_outline_is_measured_as_far_as_it_lies_in_the_slice():
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack((20 * np.cos(angles), 25 + 20 * np.sin(angles)), axis=1)
    measured = measure_outline(circle, Size(50, 50), Spacing(2.0, 1.0))
    box = measured.box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0, 5, 20, 45))
    assert measured.area_mm2 == pytest.approx(math.pi * 200 * 2, rel=0.01)


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_a_point_is_on_its_side_of_the_outline(where):
    image = PHANTOM.slice(180, 60)
    plain = candidates(image, Prompt(BOX))[0].measured
    # 2 mm beyond the right end of the ellipse, or as far within it.
    x = 2 * (32 + 13 + (3 if where == "inside" else -3))
    point = Point(x, 64 + (8 if where == "inside" else 6))
    moved = candidates(image, Prompt(BOX, **{where: point}))[0].measured
    assert (moved.area_mm2 > plain.area_mm2) == (where == "inside")
    assert abs(moved.area_mm2 - plain.area_mm2) > 3


@pytest.mark.parametrize("prompt", [Prompt(BOX), Prompt(inside=Point(64, 64)), Prompt(BOX, Point(64, 64))])
def test_candidates_differ_and_the_best_comes_first(prompt):
    found = candidates(PHANTOM.slice(180, 60, noise=4), prompt)
    assert 1 <= len(found) <= MOST
    assert found[0].measured.ellipse.major_mm == pytest.approx(28, abs=0.6)
    assert found[0].measured.ellipse.minor_mm == pytest.approx(18, abs=0.6)
    areas = [one.measured.area_mm2 for one in found]
    assert len({round(area) for area in areas}) == len(found)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_a_phantom_in_a_region(method):
    image = PHANTOM.slice(60, 180, noise=4)
    region = Region(BOX.x0 - 5, BOX.y0 - 5, BOX.x1 + 5, BOX.y1 + 5)
    found = METHODS[method](image, Prompt(region))[0].measured
    assert found.ellipse.major_mm == pytest.approx(28, abs=1)
    assert found.ellipse.minor_mm == pytest.approx(18, abs=1)


def test_nothing_is_found_where_there_is_nothing():
    image = grey_slice(np.full((40, 40), 7.0), Spacing(1, 1))
    with pytest.raises(ToolError, match="the same grey level"):
        candidates(image, Prompt(Region(5, 5, 30, 30)))
    with pytest.raises(ToolError, match="give a region"):
        candidates(PHANTOM.slice(180, 60), Prompt())


def test_a_point_lies_on_a_ray_at_a_place():
    oval = Oval.inside(Region(10, 20, 50, 40))
    assert oval.place(Point(50, 30)) == (0, pytest.approx(1.0))
    assert oval.place(Point(30, 35)) == (RAYS // 4, pytest.approx(0.5))


def test_confidence_falls_with_doubt_and_is_not_known_beyond_its_mix():
    for ranks in SHARES.values():
        for bins in ranks:
            assert list(bins) == sorted(bins)
            assert [share for _, share in bins] == sorted((share for _, share in bins), reverse=True)
    ellipse = candidates(PHANTOM.slice(180, 60), Prompt(BOX))[0].measured
    hook = replace(ellipse, dice=0.8)
    seed = Prompt(inside=Point(64, 64))
    assert confidence(seed, 0, ellipse) > confidence(seed, 0, hook) > confidence(seed, 1, hook)
    assert confidence(Prompt(BOX, Point(64, 64)), 0, ellipse) is None
    assert confidence(Prompt(inside=Point(64, 64), outside=Point(1, 1)), 0, ellipse) is None


@pytest.mark.parametrize("slant", [-0.9, 0.0, 0.7])
def test_a_slanted_oval_fits_into_the_same_region(slant):
    oval = Oval.inside(Region(10, 20, 50, 40), slant)
    x, y = oval.at(np.ones((RAYS, 1)))
    assert (x.min(), x.max()) == pytest.approx((10, 50), abs=0.3)
    assert (y.min(), y.max()) == pytest.approx((20, 40), abs=0.3)
    assert np.corrcoef(x.ravel(), y.ravel())[0, 1] == pytest.approx(slant, abs=0.02)


@pytest.mark.parametrize("angle", [math.pi / 4, 3 * math.pi / 4])
def test_a_thin_slanted_structure_is_measured_along_the_diagonal_of_its_region(angle):
    thin = EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 20, 3, angle)
    width, height = (2 * half for half in thin.half_extent)
    region = Region(64 - width, 64 - height, 64 + width, 64 + height)
    found = candidates(thin.slice(180, 60, noise=4), Prompt(region))[0].measured
    assert (found.ellipse.major_mm, found.ellipse.minor_mm) == pytest.approx((40, 6), abs=1)


def test_a_point_leads_to_the_structure_not_to_the_body_around_it():
    body = EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 27, 22, 0)
    organ = EllipsePhantom(Spacing(0.5, 0.5), 32, 32, 7, 5, 0.4)
    grey = 120 * body.coverage() + 60 * organ.coverage() + np.random.default_rng(0).normal(0, 3, body.shape)
    image = grey_slice(np.clip(np.rint(grey), 0, 255), body.spacing)
    found = candidates(image, Prompt(inside=Point(64, 64)))
    assert found[0].measured.ellipse.major_mm == pytest.approx(14, abs=1)
    # Taken for what its edges say alone, the body would come first.
    free = candidates(image, Prompt(inside=Point(64, 64)), seeded=SeedSettings(background=0.0))
    assert free[0].measured.ellipse.major_mm == pytest.approx(54, abs=2)


def test_background_is_the_level_of_the_border_and_what_lies_beyond():
    values = np.zeros((100, 100), np.float32)
    values[20:80, 20:80] = 100
    background = Background.of(values)
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    assert background.share(50 + 10 * circle) == 0
    assert background.share(50 + 42 * circle) == 1
    assert background.share(50 + 60 * circle) == 1
