"""What a prompt may mean: outlines in a region, or around a point in windows of growing size, the best first.

A region says where the structure is and how large, so its outline comes first; smaller ones follow, should the region
be far too large. A long structure may lie along a diagonal of its region, far from the upright ellipse in it; so
slanted ellipses are tried, too. A point says nothing of the size: around it the outline with the strongest evidence
comes first, and one that borders on the background of the picture counts less.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.background import Background
from medvision_agent.tools.segment.contour import Measured, measure_outline
from medvision_agent.tools.segment.outline import Outline, Settings, outlines
from medvision_agent.tools.segment.rays import Oval, Pyramid
from medvision_agent.tools.view.geometry import Point, Region
from medvision_agent.tools.view.slice import Slice

__all__ = ["MOST", "Candidate", "Prompt", "SeedSettings", "candidates"]

MOST = 3
"""Most candidates of one call."""
_SMALLER = (0.72, 0.52)
"""Sizes of the smaller ovals in a region, relative to it."""
_SLANT = 0.95
"""Slant of the ovals along the diagonals of a region: in a square one, they are six times longer than wide."""
_SLANTED = 0.8
"""By how much the outline near a slanted oval must cost less than the one near the upright oval."""
_FIRST, _STEP, _LAST = 0.04, 1.35, 0.6
"""Radii of the windows around a point, relative to the longer side of the slice: the first, each next, the limit."""
_LEAST = 2.0
"""Native pixels that a radius has at least."""
_FIRST_PASS = Settings(near=0.8, far=1.1, inwards=1.0, most=2.0, bend=0.5, soft=3.0)
_SECOND_PASS = Settings(near=0.85, far=1.15, inwards=1.0, most=2.0, bend=0.5, soft=3.0)
_SAME = 0.7
"""Overlap of boxes (IoU) from which two outlines are one candidate."""


@dataclass(frozen=True, slots=True)
class SeedSettings:
    """Settings for a seed point: for the outline near a circle, then for that near the ellipse of the first outline."""

    first: Settings = _FIRST_PASS
    second: Settings = _SECOND_PASS
    background: float = 0.5
    """What an outline costs more if all of it borders on the background of the picture."""


_REGIONAL = Settings()
_SEEDED = SeedSettings()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A measured outline, with the mean cost of its rays: the lower, the stronger the evidence.

    Around a point, the cost includes that of bordering on the background. Other methods than the default give 0.
    """

    measured: Measured
    cost: float


class _Traced(Candidate):
    """A candidate whose outline is measured when ``measured`` is first used."""

    def __init__(self, outline: Outline, image: Slice) -> None:
        vars(self).update(cost=outline.cost, points=outline.points, image=image)

    @cached_property
    def measured(self) -> Measured:
        return measure_outline(vars(self)["points"], vars(self)["image"].size, vars(self)["image"].spacing)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be outlined, in the slice frame: a region, a point inside, or both; perhaps a point outside."""

    region: Region | None = None
    inside: Point | None = None
    outside: Point | None = None


def candidates(
    image: Slice, prompt: Prompt, regional: Settings = _REGIONAL, seeded: SeedSettings = _SEEDED
) -> list[Candidate]:
    """Return one to three candidates, the best first, found by the default method in the native values of the slice.

    *regional* and *seeded* are the settings for a prompt with a region and for one without. Raises ToolError where all
    pixels have the same value, and where the prompt has neither a region nor a point inside.
    """
    picture, region = Pyramid(image.values), prompt.region
    _refuse_flat(image, region)
    inside, outside = _given(prompt.inside), _given(prompt.outside)
    if region is not None:
        found = _within(picture, region, regional, inside, outside)
    elif prompt.inside is not None:
        found = _around(picture, image, prompt.inside, seeded, outside)
    else:
        raise ToolError("give a region (x0, y0, x1, y1), a point inside the structure, or both")
    return _distinct(found, image)


def _within(
    picture: Pyramid, region: Region, settings: Settings, inside: Sequence[Point], outside: Sequence[Point]
) -> list[Outline]:
    """Return the outline near the best oval in *region* (upright or slanted), and then those near two smaller ovals."""
    ovals = [Oval.inside(region), *(Oval.inside(region, slant) for slant in (-_SLANT, _SLANT))]
    ovals += [Oval.inside(_shrunk(region, size)) for size in _SMALLER]
    upright, left, right, *smaller = outlines(picture, ovals, settings, inside, outside)
    slanted = min(left, right, key=lambda outline: outline.cost)
    return [slanted if slanted.cost + _SLANTED < upright.cost else upright, *smaller]


def _around(
    picture: Pyramid, image: Slice, seed: Point, settings: SeedSettings, outside: Sequence[Point]
) -> list[Outline]:
    """Return the outlines of all windows around *seed*, sorted by cost: the strongest evidence comes first."""
    first = outlines(picture, _windows(image, seed), settings.first, (), outside)
    second = outlines(picture, [Oval.of(one.points) for one in first], settings.second, (seed,), outside)
    background = Background.of(image.values)
    weighed = [replace(one, cost=one.cost + settings.background * background.share(one.points)) for one in second]
    return sorted(weighed, key=lambda outline: outline.cost)


def _windows(image: Slice, seed: Point) -> list[Oval]:
    """Return circles (in mm) of growing size around *seed*, as ovals in the slice frame."""
    spacing, size = image.spacing, image.size
    side = max(size.width * spacing.width_mm, size.height * spacing.height_mm)
    radii = side * _FIRST * _STEP ** np.arange(1 + int(math.log(_LAST / _FIRST, _STEP)))
    center = np.array((seed.x, seed.y))
    return [
        Oval(center, np.diag((max(_LEAST, radius / spacing.width_mm), max(_LEAST, radius / spacing.height_mm))))
        for radius in radii.tolist()
    ]


def _distinct(found: Sequence[Outline], image: Slice) -> list[Candidate]:
    """Return up to MOST candidates, in the order of *found*; outlines whose box repeats an earlier one are left out."""
    kept: list[tuple[Outline, Region]] = []
    for outline in found:
        box = _box(outline, image)
        if len(kept) < MOST and all(_overlap(box, other) < _SAME for _, other in kept):
            kept.append((outline, box))
    return [_Traced(one, image) for one, _ in kept]


def _box(outline: Outline, image: Slice) -> Region:
    """Return the box of an outline in the slice frame, clipped to the slice, and at least two pixels wide and high."""
    (x0, y0), (x1, y1) = (
        np.clip(edge, 0, (image.size.width, image.size.height)).tolist()
        for edge in (outline.points.min(axis=0), outline.points.max(axis=0))
    )
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    half, high = max(1.0, (x1 - x0) / 2), max(1.0, (y1 - y0) / 2)
    return Region(x - half, y - high, x + half, y + high)


def _shrunk(region: Region, size: float) -> Region:
    """Return *region* scaled by *size* about its centre, at least two pixels wide and high."""
    x, y = (region.x0 + region.x1) / 2, (region.y0 + region.y1) / 2
    half, high = max(1.0, region.width / 2 * size), max(1.0, region.height / 2 * size)
    return Region(x - half, y - high, x + half, y + high)


def _overlap(one: Region, other: Region) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.width * one.height + other.width * other.height - common)


def _given(point: Point | None) -> tuple[Point, ...]:
    """Return a tuple of the point, or an empty one for None."""
    return () if point is None else (point,)


def _refuse_flat(image: Slice, region: Region | None) -> None:
    """Raise ToolError where all pixels of *region* (None: of the slice) have the same value."""
    x0, y0, x1, y1 = (region or image.region).pixels(image.size)
    values = image.values[y0:y1, x0:x1]
    if values.min() == values.max():
        raise ToolError("nothing found: all pixels of the region have the same grey level", about_image=True)
