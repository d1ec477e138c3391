"""Finds the outline of a structure near an oval as a prior: it leaves the oval only where evidence is strong.

Along each ray there are three costs. The *prior* is lowest from a little inside the oval on, because a region is
rather too large than too small, and grows with the square of the logarithm beyond. An *edge* lowers the cost where
values change, whichever way. The *region* cost is low where values like those in the middle of the oval end, and
values like those at its rim begin. The outline is the closed path that costs least; in the end, each of its points
moves to the steepest place nearby.

Values are first taken relative to the middle of the oval and compressed, so that a far stronger edge nearby (skin and
air, bone) counts no more than the structure's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.tools.segment.ellipse import Points
from medvision_agent.tools.segment.rays import RAYS, Costs, Floats, Oval, Paths, Pyramid, closed_paths
from medvision_agent.tools.view.geometry import Point

__all__ = ["Outline", "Settings", "outlines"]

_BINS = 16
"""Grey levels by which the inside and the outside are compared."""
_MIDDLE = 0.6
"""Part of the oval, in its middle, that values are taken relative to."""
_PLACES = 48
"""Places on a ray."""
_FLAT = 0.5
"""Standard deviations of all values below which they are never compressed."""
_UNIT = 0.15
"""Step of the logarithm in which the prior is counted: a factor of 1.16."""
_NEIGHBOURS = 2
"""Rays to each side of a point inside or outside that have to respect it, too."""
_FORBIDDEN = 20.0
"""Cost of having a point on the wrong side of the outline."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Settings:
    """How strongly an outline keeps to its oval and follows edges. Values were chosen by ``benchmarks/tools.py``."""

    places: tuple[float, float] = (0.3, 1.5)
    """Where the rays begin and end, relative to the oval."""
    prior: float = 1.0
    """Cost at a factor of 1.16 (0.15 in the logarithm) beyond the flat part of the prior."""
    near: float = 0.7
    far: float = 0.9
    """The flat part of the prior, relative to the oval."""
    inwards: float = 0.3
    """What the prior costs inwards, relative to outwards."""
    edge: float = 1.0
    """What an edge is worth at the root mean square of all slopes."""
    most: float = 3.0
    """The steepest edge that counts, in root mean squares of all slopes."""
    region: float = 0.1
    """Weight of the region cost."""
    bend: float = 1.0
    """Cost of each step inwards or outwards from ray to ray."""
    soft: float = 6.0
    """At how many median differences from the middle values are compressed."""
    reach: int = 4
    """How many places a point moves at most to the steepest place nearby."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed outline in the slice frame, (n, 2), and the mean cost of a ray: the lower, the stronger the evidence."""

    points: Points
    cost: float


def outlines(
    picture: Pyramid, ovals: Sequence[Oval], s: Settings, inside: Sequence[Point] = (), outside: Sequence[Point] = ()
) -> list[Outline]:
    """Return the outline near each oval, with points *inside* and *outside* on the right side of it.

    *s* are the settings. Ovals, points and outlines are in the slice frame.
    """
    places = np.geomspace(*s.places, _PLACES)
    raw = np.stack([picture.along_rays(oval, places) for oval in ovals]).astype(np.float64)
    values = _compressed(raw, places, s.soft)
    costs = _prior(places, s) - s.edge * np.minimum(_steepness(values), s.most)
    if s.region:
        costs += s.region * _region(values, places, (s.near + s.far) / 2)
    paths = closed_paths(costs + _excluded(ovals, places, inside, outside), s.bend)
    means = np.take_along_axis(costs, paths[..., None], axis=2).mean(axis=(1, 2))
    exact = _steepest(_steepness(raw), places, paths, s.reach)
    every = zip(ovals, exact, means, strict=True)
    return [Outline(oval.at(radii).T, float(cost)) for oval, radii, cost in every]


def _excluded(ovals: Sequence[Oval], places: Floats, inside: Sequence[Point], outside: Sequence[Point]) -> Costs:
    """Return the extra cost (ovals, rays, places) of places that leave a point on the wrong side of the outline."""
    costs = np.zeros((len(ovals), RAYS, len(places)))
    for points, wrong in ((inside, np.less), (outside, np.greater)):
        for point in points:
            for oval, cost in zip(ovals, costs, strict=True):
                ray, place = oval.place(point)
                near = np.arange(ray - _NEIGHBOURS, ray + _NEIGHBOURS + 1) % RAYS
                cost[near] += _FORBIDDEN * wrong(places, place)
    return costs


def _compressed(raw: Floats, places: Floats, soft: float) -> Floats:
    """Return values from -1 to 1: differences from the median of each oval's middle, large ones compressed by tanh."""
    difference = raw - np.median(raw[:, :, places < _MIDDLE], axis=(1, 2), keepdims=True)
    typical = np.median(np.abs(difference), axis=(1, 2), keepdims=True)
    # Where the picture is flat but for the structure, the typical difference is next to nothing.
    scale = np.maximum(soft * typical, _FLAT * raw.std(axis=(1, 2), keepdims=True))
    return np.asarray(np.tanh(difference / np.maximum(scale, _TINY)))


def _steepness(values: Floats) -> Floats:
    """Return how steep values are along the rays, relative to the root mean square over an oval."""
    slopes = np.abs(np.gradient(values, axis=2))
    return np.asarray(slopes / (np.sqrt((slopes**2).mean(axis=(1, 2), keepdims=True)) + _TINY))


def _prior(places: Floats, s: Settings) -> Floats:
    """Return the cost (places,) of the distance from the oval: 0 from ``near`` to ``far``, growing to both sides."""
    below = np.maximum(0, np.log(s.near / places)) / _UNIT
    above = np.maximum(0, np.log(places / s.far)) / _UNIT
    return np.asarray(s.prior * (s.inwards * below**2 + above**2))


def _region(values: Floats, places: Floats, edge: float) -> Costs:
    """Return a cost (ovals, rays, places): the lower, the more the values up to a place resemble those in the middle.

    *edge* is the place that divides inside from outside, relative to the oval.
    """
    levels = np.minimum((values + 1) / 2 * _BINS, _BINS - 1).astype(np.intp)
    weight = np.broadcast_to(places**2, levels.shape[1:])
    costs = np.empty_like(values)
    inside, outside = places < 0.8 * edge, places > 1.15 * edge
    for level, cost in zip(levels, costs, strict=True):
        odds = np.log(_shares(level[:, inside], weight[:, inside]) / _shares(level[:, outside], weight[:, outside]))
        np.cumsum(odds[level], axis=1, out=cost)
    costs *= -np.log(places[1] / places[0]) / 0.1
    return np.asarray(costs - costs.mean(axis=2, keepdims=True))


def _shares(levels: Paths, weight: Floats) -> Floats:
    """Return the smoothed share of each of 16 grey levels among *levels*, weighted; no share is 0."""
    counts = np.bincount(levels.ravel(), weight.ravel(), _BINS)
    return np.asarray(np.convolve(counts / (counts.sum() + _TINY), (0.25, 0.5, 0.25), "same") + 0.02)


def _steepest(steepness: Floats, places: Floats, paths: Paths, reach: int) -> Floats:
    """Return the steepest place near a path on each ray (ovals, rays), relative to the oval, refined by a parabola.

    *paths* are indices of *places* (ovals, rays); they move by *reach* places at most.
    """
    moves = np.array(sorted(range(-reach, reach + 1), key=abs))  # among equals, the nearest
    near = np.clip(paths[..., None] + moves, 1, len(places) - 2)
    best = (np.take_along_axis(steepness, near, axis=2) * (1 - 0.05 * np.abs(moves))).argmax(axis=2)
    middle = np.take_along_axis(near, best[..., None], axis=2)
    before, at, after = (np.take_along_axis(steepness, middle + move, axis=2)[..., 0] for move in (-1, 0, 1))
    curve = before - 2 * at + after
    top = np.divide(before - after, 2 * curve, out=np.zeros_like(curve), where=curve < 0)
    step = np.log(places[1] / places[0])
    return np.asarray(places[middle[..., 0]] * np.exp(step * np.clip(top, -0.5, 0.5)))
