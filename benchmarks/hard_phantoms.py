"""Phantoms under the conditions that break outlines, as cases: an ellipse whose axes are known exactly.

They say when a method fails, not how often it fails on patients. Every phantom is drawn anew from its name, so that
no run differs from another.
"""

import hashlib
import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from real_masks import Case

from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

__all__ = ["CONDITIONS", "hard_phantoms", "phantom"]

EACH = 16
"""Phantoms of a condition."""
SIDE_MM = 160.0
FINE = 4
"""Samples of a pixel, along each side, from which its share inside is counted."""
Grey = NDArray[np.float64]
Inside = Callable[[float, float, float, float, float], Grey]
"""Shares of pixels inside of an ellipse: centre x, y, semi-axes and angle in mm."""

CONDITIONS = {
    "plain": "bright or dark on an even ground, little noise",
    "noise": "white noise as strong as the contrast",
    "texture": "patches as strong as half the contrast, inside and outside",
    "blur": "edges blurred over a third of the minor axis",
    "low contrast": "a tenth of the grey scale, with noise of half of that",
    "neighbours": "two structures of the same grey level attached to it",
    "8:1 pixels": "rows of 5 mm, columns of 0.625 mm",
    "thin": "5 to 8 times longer than wide, slanted",
    "small in a body": "4 to 8% of the image's side, in a body of another grey level on black",
}
"""What each condition is."""


def hard_phantoms() -> Iterator[Case]:
    """Yield the phantoms of all conditions."""
    for condition in CONDITIONS:
        for number in range(EACH):
            yield phantom(condition, number)


def phantom(condition: str, number: int) -> Case:
    """Return a phantom of a condition."""
    name = f"{condition} {number}"
    draw = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:12], 16))
    spacing = Spacing(5.0, 0.625) if condition == "8:1 pixels" else Spacing(0.625, 0.625)
    x, y = draw.uniform(0.4, 0.6, 2) * SIDE_MM
    minor = draw.uniform(10, 20)
    ratio, angle = draw.uniform(1, 2), draw.uniform(0, math.pi)
    if condition == "thin":
        minor, ratio, angle = draw.uniform(4, 7), draw.uniform(5, 8), draw.choice((0.25, 0.75)) * math.pi
    if condition == "small in a body":
        minor, ratio = draw.uniform(0.02, 0.03) * SIDE_MM, draw.uniform(1, 1.4)
    semi = minor * ratio, minor

    def inside(x: float, y: float, a: float, b: float, angle: float) -> Grey:
        return _coverage(spacing, x, y, a, b, angle)

    shape = inside(x, y, *semi, angle)
    bright = draw.choice((-1, 1))
    grey = _grey(condition, draw, shape, bright * 60.0, inside, (x, y, *semi, angle))
    case = grey_slice(np.clip(np.rint(grey), 0, 255), spacing)
    return Case(name, condition, name, case, shape >= 0.5, (2 * semi[0], 2 * semi[1]))


def _grey(  # noqa: PLR0917 - a list of what varies
    condition: str,
    draw: np.random.Generator,
    shape: Grey,
    contrast: float,
    inside: Inside,
    oval: tuple[float, float, float, float, float],
) -> Grey:
    """Return the grey levels of a phantom: the ground, the structure, and what the condition adds."""
    x, y, a, b, angle = oval
    ground, noise = np.full(shape.shape, 120.0), 4.0
    if condition == "noise":
        noise = 60.0
    elif condition == "texture":
        patches = cv2.GaussianBlur(draw.normal(0, 1, shape.shape), (0, 0), 4)
        ground = ground + patches / patches.std() * 30
    elif condition == "low contrast":
        contrast, noise = contrast * 0.4, 12.0
    elif condition == "neighbours":
        for side in (-1, 1):
            away = side * 1.5 * b
            near = inside(x - away * math.sin(angle), y + away * math.cos(angle), 0.5 * a, 0.6 * b, angle)
            ground = np.maximum(ground, 120 + near * contrast) if contrast > 0 else ground + near * contrast
            ground = np.clip(ground, 60, 180)
    elif condition == "small in a body":
        ground = ground * inside(SIDE_MM / 2, SIDE_MM / 2, 70, 50, 0)
    grey = (
        ground + (np.clip(120 + contrast, 0, 255) - ground) * shape
        if condition == "neighbours"
        else ground + contrast * shape
    )
    if condition == "blur":
        grey = cv2.GaussianBlur(grey, (0, 0), b / 1.5 / 0.625 / 2)
    return np.asarray(grey + draw.normal(0, noise, shape.shape))


def _coverage(spacing: Spacing, x: float, y: float, a: float, b: float, angle: float) -> Grey:  # noqa: PLR0917
    """Return how much of each pixel an ellipse covers, 0..1, (h, w)."""
    height, width = round(SIDE_MM / spacing.height_mm), round(SIDE_MM / spacing.width_mm)
    down = ((np.arange(height * FINE) + 0.5) / FINE * spacing.height_mm - y)[:, None]
    across = ((np.arange(width * FINE) + 0.5) / FINE * spacing.width_mm - x)[None, :]
    cos, sin = math.cos(angle), math.sin(angle)
    covered = ((across * cos + down * sin) / a) ** 2 + ((down * cos - across * sin) / b) ** 2 <= 1
    return np.asarray(covered.reshape(height, FINE, width, FINE).mean(axis=(1, 3)))
