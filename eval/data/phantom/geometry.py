"""The shapes and levels of a phantom, drawn from its seed and index. No pixel is made here.

Lengths are mm from the outer corner of the first pixel, x right, y down. Distributions ("uniform" unless said):

* image: sides 128..320 px, drawn separately. Pixels: two of three images have square ones of 0.4..1.5 mm; else the
  longer side is 1.25..3 times the shorter, both within 0.4..1.5 mm, tall and wide ones equally often.
* lesion: major axis log-uniform from 5 mm (at least 10 pixels of the longer side) to 60 mm (at most 40% of the
  image's shorter side); minor axis 0.5..0.95 of it; any direction; anywhere, at least 3 pixels of the longer side
  from the border; bright or dark equally often, by 30..80 grey levels.
* tissue: level 90..150; a smooth random field of standard deviation 2..8 levels and knots every 4..25 mm.
* noise: standard deviation 2..12 levels, Rician or Gaussian equally often.
* markers: 70 levels brighter or darker than tissue; a disc's radius is 2, a cross's arm 3 pixels of the longer side.
  Anywhere clear of the border, of the circle around the lesion and of one another; the two of a colour, which make a
  line, are apart by a fifth of the image's shorter side at least.
"""

import math
from dataclasses import dataclass

import numpy as np

from medvision_agent.tools.view.geometry import Size, Spacing

__all__ = ["GEOMETRY", "MARKERS", "PIXELS", "Marker", "Oval", "Phantom", "bits", "draw_phantom"]

GEOMETRY, PIXELS = 0, 1
"""Streams of random bits of one phantom: drawing one differently leaves the other as it is."""
MARKERS = ((True, False), (True, True), (False, False), (False, True))
"""Bright, cross: of each marker. The first two make line 1, the others line 2."""
_REACH = 3.0
"""Half the extent of the largest marker, in pixels of the longer side."""


@dataclass(frozen=True, slots=True)
class Oval:
    """An ellipse: centre and full axes in mm, and the direction of its major axis.

    ``angle`` is in degrees, from x (right) towards y (down).
    """

    x: float
    y: float
    major: float
    minor: float
    angle: float

    @property
    def ends(self) -> tuple[tuple[float, float], ...]:
        """The ends of the major axis, then of the minor axis: four pairs (x, y) in mm."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        along, across = (cos * self.major / 2, sin * self.major / 2), (-sin * self.minor / 2, cos * self.minor / 2)
        return tuple((self.x + sign * dx, self.y + sign * dy) for dx, dy in (along, across) for sign in (-1, 1))

    @property
    def reach(self) -> tuple[float, float]:
        """Half the width and half the height of the ellipse's bounding box, in mm."""
        _, (x, y), _, (p, q) = self.ends
        return math.hypot(x - self.x, p - self.x), math.hypot(y - self.y, q - self.y)


@dataclass(frozen=True, slots=True)
class Marker:
    """A small disc or upright cross with its centre at x, y in mm; ``bright`` or dark, ``cross`` or disc."""

    x: float
    y: float
    bright: bool
    cross: bool


@dataclass(frozen=True, slots=True)
class Phantom:
    """Everything from which a phantom's image is made; levels are grey levels, 0..255."""

    seed: int
    index: int
    size: Size
    spacing: Spacing
    lesion: Oval
    contrast: float
    """Grey levels of the lesion above tissue; below 0 for a dark one."""
    markers: tuple[Marker, ...]
    """In the order of MARKERS."""
    tissue: float
    texture: float
    """Standard deviation of the smooth field."""
    knots_mm: float
    """Distance of the smooth field's knots."""
    noise: float
    """Standard deviation of the noise."""
    rician: bool


def bits(seed: int, index: int, stream: int) -> "np.random.PCG64":
    """Return the generator of random bits of phantom *index* of a seed, for the *stream* GEOMETRY or PIXELS."""
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index, stream)))


class _Dice:
    """Random numbers made from the raw bits, rounded to a millionth."""

    def __init__(self, source: "np.random.PCG64") -> None:
        self._source = source

    def unit(self) -> float:
        return (int(self._source.random_raw()) >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        return round(low + (high - low) * self.unit(), 6)

    def whole(self, low: int, high: int) -> int:
        return low + int((high - low + 1) * self.unit())

    def log_between(self, low: float, high: float) -> float:
        return round(low * math.pow(high / low, self.unit()), 6)

    def coin(self) -> bool:
        return self.unit() < 0.5


def draw_phantom(seed: int, index: int) -> Phantom:
    """Return phantom number *index* (from 0) of the random seed *seed* (0 or more)."""
    dice = _Dice(bits(seed, index, GEOMETRY))
    size = Size(height=dice.whole(128, 320), width=dice.whole(128, 320))
    spacing = _spacing(dice)
    coarse = max(spacing.height_mm, spacing.width_mm)
    field = (size.width * spacing.width_mm, size.height * spacing.height_mm)
    lesion = _lesion(dice, coarse, field)
    return Phantom(
        seed=seed,
        index=index,
        size=size,
        spacing=spacing,
        lesion=lesion,
        contrast=dice.between(30, 80) * (1 if dice.coin() else -1),
        markers=_markers(dice, coarse, field, lesion),
        tissue=dice.between(90, 150),
        texture=dice.between(2, 8),
        knots_mm=dice.between(4, 25),
        noise=dice.between(2, 12),
        rician=dice.coin(),
    )


def _spacing(dice: _Dice) -> Spacing:
    ratio = dice.between(1.25, 3) if dice.unit() < 1 / 3 else 1.0
    fine = dice.between(0.4, 1.5 / ratio)
    long = round(fine * ratio, 6)
    height, width = (long, fine) if dice.coin() else (fine, long)
    return Spacing(height_mm=height, width_mm=width)


def _lesion(dice: _Dice, coarse: float, field: tuple[float, float]) -> Oval:
    major = dice.log_between(max(5.0, 10 * coarse), min(60.0, 0.4 * min(field)))
    shape = Oval(0.0, 0.0, major, round(major * dice.between(0.5, 0.95), 6), dice.between(0, 180))
    margins = [reach + 3 * coarse for reach in shape.reach]
    x, y = (dice.between(margin, side - margin) for margin, side in zip(margins, field, strict=True))
    return Oval(x, y, shape.major, shape.minor, shape.angle)


def _markers(dice: _Dice, coarse: float, field: tuple[float, float], lesion: Oval) -> tuple[Marker, ...]:
    """Draw the four markers, again and again until none overlaps the others, the lesion or the border.

    *field* is the image's width and height in mm, *coarse* the longer side of a pixel in mm. The lesion is small, so
    this soon succeeds.
    """
    border = (_REACH + 2) * coarse
    while True:
        places = [(dice.between(border, field[0] - border), dice.between(border, field[1] - border)) for _ in MARKERS]
        free = all(math.dist(place, (lesion.x, lesion.y)) > lesion.major / 2 + border for place in places)
        apart = all(math.dist(one, other) > 2 * border for i, one in enumerate(places) for other in places[:i]) and all(
            math.dist(*places[i : i + 2]) > 0.2 * min(field) for i in (0, 2)
        )
        if free and apart:
            return tuple(Marker(*place, *kind) for place, kind in zip(places, MARKERS, strict=True))
