"""An image sampled along rays from the middle of an oval outwards, and the best closed path around that middle.

Places on a ray are relative to the oval: 1 lies on it. So an oval has the same rays whatever its size and shape, and
many ovals are searched at once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.segment.ellipse import Points
from medvision_agent.tools.view.geometry import Point, Region
from medvision_agent.tools.view.slice import FloatImage

__all__ = ["RAYS", "Costs", "Floats", "Oval", "Paths", "Pyramid", "closed_paths"]

Floats = NDArray[np.float64]
Costs = Floats
"""Cost of each place on each ray, (ovals, rays, places)."""
Paths = NDArray[np.intp]
"""Index of a place for each ray, (ovals, rays)."""

RAYS = 56
"""Number of rays of an oval."""
_ANGLES = np.arange(RAYS) * (2 * np.pi / RAYS)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)))
"""Directions of the rays before the oval stretches them, (2, rays)."""
_SHARP = 40
"""Pixels that the smaller radius of an oval has at least, where the picture allows it; more tell nothing new."""
_BLUR = 1.0
"""Standard deviation in pixels by which a picture is smoothed; less for small ovals."""
_STEP = 2
"""Most places by which a path moves from one ray to the next."""


@dataclass(frozen=True, eq=False)
class Oval:
    """An ellipse in the slice frame: its centre x, y, and the matrix (2, 2) that maps the unit circle to it."""

    center: Floats
    matrix: Floats

    @classmethod
    def inside(cls, region: Region, slant: float = 0.0) -> Self:
        """Return the ellipse that fits into a region: upright, or slanted towards a diagonal (*slant* from -1 to 1)."""
        # The matrix times its transpose is that of the ellipse: a*a, slant*a*b; slant*a*b, b*b. Its box stays the same.
        center = np.array(((region.x0 + region.x1) / 2, (region.y0 + region.y1) / 2))
        turn = np.arcsin(slant) / 2
        root = np.array(((np.cos(turn), np.sin(turn)), (np.sin(turn), np.cos(turn))))
        return cls(center, np.diag((region.width / 2, region.height / 2)) @ root)

    @classmethod
    def of(cls, points: Points) -> Self:
        """Return the ellipse with the second moments of an outline of points at equal angles, (n, 2)."""
        # Points at equal angles of an ellipse have half its squared radii for variances.
        center = points.mean(axis=0)
        values, vectors = np.linalg.eigh(2 * np.cov(points.T, bias=True))
        return cls(center, vectors * np.sqrt(np.maximum(values, 0.25)))

    @property
    def radius(self) -> float:
        """The smaller radius in pixels."""
        return float(np.linalg.svd(self.matrix, compute_uv=False)[-1])

    def place(self, point: Point) -> tuple[int, float]:
        """Return the index of the ray nearest to a slice point, and the point's place on it: 1 lies on the oval."""
        x, y = np.linalg.solve(self.matrix, np.array((point.x, point.y)) - self.center)
        return round(float(np.arctan2(y, x)) / (2 * np.pi) * RAYS) % RAYS, float(np.hypot(x, y))

    def at(self, places: Floats) -> Floats:
        """Return the points x, y in the slice frame, (2, rays, ...), at *places* (rays, ...) on the rays."""
        directions = (self.matrix @ _CIRCLE).reshape(2, RAYS, *([1] * (places.ndim - 1)))
        return np.asarray(self.center.reshape(2, *([1] * places.ndim)) + directions * places)


class Pyramid:
    """An image at full, half, a quarter ... of its resolution; each level is computed when an oval first needs it."""

    def __init__(self, values: FloatImage) -> None:
        self._levels = [values]
        self._smooth: dict[tuple[int, float], FloatImage] = {}

    @cached_property
    def _last(self) -> int:
        """The index of the coarsest level that may be used."""
        return max(0, int(np.log2(min(self._levels[0].shape))) - 2)

    def along_rays(self, oval: Oval, places: Floats) -> FloatImage:
        """Return the values at *places* (n,) on the rays of an oval, (rays, n); beyond the image its edge continues."""
        radius = max(1.0, oval.radius)
        level = min(self._last, max(0, int(np.log2(radius / _SHARP))))
        picture = self._level(level, _BLUR if radius >= _SHARP / 2 else _BLUR / 2)
        x, y = oval.at(np.broadcast_to(places, (RAYS, len(places))))
        (height, width), (rows, columns) = self._levels[0].shape, picture.shape
        across = (x * (columns / width) - 0.5).astype(np.float32)
        down = (y * (rows / height) - 0.5).astype(np.float32)
        values = cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(values, np.float32)

    def _level(self, level: int, blur: float) -> FloatImage:
        """Return the image at 1/2**level of its resolution, smoothed with a standard deviation of *blur* pixels."""
        while len(self._levels) <= level:
            last = self._levels[-1]
            half = (max(1, last.shape[1] // 2), max(1, last.shape[0] // 2))
            self._levels.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), np.float32))
        if (level, blur) not in self._smooth:
            self._smooth[level, blur] = np.asarray(cv2.GaussianBlur(self._levels[level], (0, 0), blur), np.float32)
        return self._smooth[level, blur]


def closed_paths(costs: Costs, bend: float) -> Paths:
    """Return for each oval the path around it with the lowest cost: the index of a place on each ray (ovals, rays).

    A path moves by at most ``_STEP`` places from ray to ray, each at the cost *bend*. Dynamic programming follows it
    twice around and keeps the middle: both ends are far from it, so that the path closes as a rule.
    """
    ovals, rays, places = costs.shape
    steps = np.arange(-_STEP, _STEP + 1)[:, None]
    price = bend * np.abs(steps)
    # What it takes to come to each place by each ray; beside the places it takes infinitely much.
    totals = np.full((2 * rays + 1, ovals, places + 2 * _STEP), np.inf)
    inner = totals[:, :, _STEP:-_STEP]
    inner[0] = 0.0
    around = np.lib.stride_tricks.sliding_window_view(totals[:-1], places, axis=2).transpose(0, 2, 1, 3)
    turn, before, least = (
        list(costs.transpose(1, 0, 2)),
        np.empty((len(price), ovals, places)),
        np.empty((ovals, places)),
    )
    for last, cost, total in zip(around, 2 * turn, inner[1:], strict=True):
        np.add(last, price[:, :, None], out=before)
        np.minimum.reduce(before, axis=0, out=least)
        np.add(least, cost, out=total)
    half, at = rays // 2, inner[-1].argmin(axis=1)
    path = np.empty((2 * rays, ovals), np.intp)
    near = steps + np.arange(ovals) * totals.shape[2] + _STEP  # where the places around the first one of each oval lie
    for ray in range(2 * rays - 1, half - 1, -1):
        path[ray] = at
        at = at + (totals[ray].take(near + at) + price).argmin(axis=0) - _STEP
    return np.roll(path[half : half + rays], half, axis=0).T
