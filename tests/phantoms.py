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
        """Return how much of each pixel the ellipse covers, 0..1, (h, w)."""
        height, width = self.shape
        y = (np.arange(height * SUPERSAMPLING) + 0.5) / SUPERSAMPLING * self.spacing.height_mm - self.y
        x = (np.arange(width * SUPERSAMPLING) + 0.5) / SUPERSAMPLING * self.spacing.width_mm - self.x
        xx, yy = np.meshgrid(x, y)
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        inside = ((xx * cos + yy * sin) / self.a) ** 2 + ((yy * cos - xx * sin) / self.b) ** 2 <= 1
        return inside.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING).mean(axis=(1, 3))

    def slice(self, inside: float, outside: float, noise: float = 0.0, seed: int = 0) -> Slice:
        """Return the picture with the given grey levels and Gaussian noise of that standard deviation."""
        clean = outside + (inside - outside) * self.coverage()
        noisy = clean + np.random.default_rng(seed).normal(0.0, noise, clean.shape) if noise else clean
        return grey_slice(np.clip(np.rint(noisy), 0, 255), self.spacing)
