"""A slice: native pixel values, their unit, their spacing, and how they are shown."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.view.geometry import Region, Size, Spacing

__all__ = ["FloatImage", "Grey", "IntensityMap", "Slice", "Stack", "Units", "Window", "as_displayed", "grey_slice"]

FloatImage = NDArray[np.float32]
"""Native values, shape (height, width)."""
Grey = NDArray[np.uint8]
"""Displayed grey values, shape (height, width)."""
IntensityMap = Callable[[FloatImage], Grey]
"""Turns native values of any shape into displayed grey values, pixel by pixel."""


def as_displayed(values: FloatImage) -> Grey:
    """Return grey levels of *values* that are display levels already: rounded to whole numbers, clipped to 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Window:
    """A linear intensity window: clip to ``low..high``, scale to 0..255, truncate; all zero if it is empty."""

    low: float
    high: float

    def __call__(self, values: FloatImage) -> Grey:
        """Return the displayed grey levels of native values."""
        if not self.high > self.low:
            return np.zeros(values.shape, np.uint8)
        scaled = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low) * 255
        return scaled.astype(np.uint8)


class Units(StrEnum):
    """The unit of native values, as results state it. The source declares it; it is never guessed."""

    HU = "HU"
    """Hounsfield units."""
    GREY = "grey levels 0-255"
    """Grey levels as displayed, of a picture with 8 bits."""
    UNKNOWN = "native values, unit unknown"


@dataclass(frozen=True, eq=False)
class Stack:
    """The other slices of a volume, by their distance in slices from the slice asked about (negative: before it)."""

    first: int
    """The first slice of the volume, 0 or below."""
    last: int
    """The last slice of the volume, 0 or above."""
    step_mm: float
    """Distance of two adjacent slices in mm."""
    values: Callable[[int], FloatImage]
    """Returns the native values of a slice, of the shape of the one asked about; read when they are asked for."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One 2-D slice: native values (height, width), their spacing in mm, and the mapping to displayed grey levels.

    Raises ValueError for an array that is not 2-D, is empty, or has values that are not finite.
    """

    values: FloatImage
    spacing: Spacing
    mapping: IntensityMap = as_displayed
    units: Units = Units.UNKNOWN
    stack: Stack | None = None
    """The slices beside it, where the source is a volume."""
    window: Window | None = None
    """The intensity window that a call of the tool ``window`` chose, instead of the recipe's mapping; else None."""
    away: int = 0
    """How many slices away it lies from the slice asked about: 0 for that slice."""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or 0 in self.values.shape:
            raise ValueError(f"a slice needs a 2-D array with pixels, got shape {self.values.shape}")
        # Values that broadcasting repeats are looked at once: an image without pixels costs nothing.
        held = self.values[tuple(slice(1) if step == 0 else slice(None) for step in self.values.strides)]
        if not np.isfinite(held).all():
            raise ValueError("a slice needs finite pixel values, found NaN or infinity")

    @cached_property
    def size(self) -> Size:
        """Height and width in native pixels."""
        return Size(*self.values.shape)

    @cached_property
    def region(self) -> Region:
        """The whole slice as a region of itself."""
        return Region(0.0, 0.0, float(self.size.width), float(self.size.height))

    @property
    def away_mm(self) -> float:
        """Distance in mm from the slice asked about, along the volume; negative before it, 0 without a volume."""
        return self.away * self.stack.step_mm if self.stack else 0.0

    def beside(self, away: int, *, nearest: bool = False) -> "Slice":
        """Return the slice of the volume that lies *away* slices from the one asked about, shown in the same way.

        If there is no such slice, ValueError is raised; with *nearest*, the last slice in this direction (or the slice
        asked about) is returned instead.
        """
        first, last = (self.stack.first, self.stack.last) if self.stack else (0, 0)
        there = min(max(away, first), last)
        if there != away and not nearest:
            raise ValueError(f"the volume has no slice {away} slices away from the one asked about: {first} to {last}")
        return replace(self, values=self.stack.values(there) if self.stack else self.values, away=away)

    @property
    def windowed(self) -> "Slice":
        """The slice with its native values clipped to its window; the slice itself where no window was chosen."""
        if self.window is None:
            return self
        return replace(self, values=np.clip(self.values, self.window.low, self.window.high))

    @cached_property
    def grey(self) -> Grey:
        """The displayed grey values of the whole slice."""
        return self.mapping(self.values)


def grey_slice(pixels: NDArray[Any], spacing: Spacing) -> Slice:
    """Return a slice whose values are display grey levels already, for instance an 8-bit picture."""
    return Slice(pixels.astype(np.float32), spacing, units=Units.GREY)
