"""Pictures with an exactly known content."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import Slice, grey_slice

FIELD_MM = 64.0
"""Physical side of every phantom picture, nearly (whole pixels)."""
SUPERSAMPLING = 16


@dataclass(frozen=True)
class EllipsePhantom:
    """An ellipse in mm: centre, semi-axes (major first), angle of the major axis to x (y down) in radians."""

    spacing: Spacing
    x: float
    y: float
    a: float
    b: float
    angle: float

    @property
    def shape(self) -> tuple[int, int]:
        return int(FIELD_MM / self.spacing.height_mm), int(FIELD_MM / self.spacing.width_mm)

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half of the bounding box's width and height in mm."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return math.hypot(self.a * cos, self.b * sin), math.hypot(self.a * sin, self.b * cos)

    def coverage(self) -> NDArray[np.float64]:
        """Return how much of each pixel the ellipse covers, 0..1, (h, w); only pixels on its edge are looked into."""
        height, width = self.shape
        step = (np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING
        middle = self._radius(np.arange(width) + 0.5, np.arange(height)[:, np.newaxis] + 0.5)
        reach = math.hypot(self.spacing.height_mm, self.spacing.width_mm) / 2
        covered = (middle <= 1).astype(np.float64)
        rows, columns = np.nonzero(np.abs(middle - 1) * min(self.a, self.b) <= reach)
        x, y = columns[:, np.newaxis, np.newaxis] + step, rows[:, np.newaxis, np.newaxis] + step[:, np.newaxis]
        covered[rows, columns] = (self._radius(x, y) <= 1).mean(axis=(1, 2))
        return covered

    def _radius(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points in pixels lie: below 1 inside the ellipse, 1 on its edge."""
        x, y = x * self.spacing.width_mm - self.x, y * self.spacing.height_mm - self.y
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.hypot((x * cos + y * sin) / self.a, (y * cos - x * sin) / self.b)

    def slice(self, inside: float, outside: float, noise: float = 0.0, seed: int = 0) -> Slice:
        """Return the picture with the given grey levels and Gaussian noise of that standard deviation."""
        clean = outside + (inside - outside) * self.coverage()
        noisy = clean + np.random.default_rng(seed).normal(0.0, noise, clean.shape) if noise else clean
        return grey_slice(np.clip(np.rint(noisy), 0, 255), self.spacing)
