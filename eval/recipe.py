"""Recipes: how a sample is asked. Part of a run's identity, never to be confused with a protocol.

``medvision-1.2``: 8-bit pictures are shown as they are; other values are clipped to their 0.5 and 99.5
percentiles, scaled to 0..255 and truncated (upstream's mapping for everything but windowed CT).
"""

from collections.abc import Callable

import numpy as np

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.sample import Sample
from medvision_agent.eval.source import NativeImage
from medvision_agent.tools.geometry import Spacing
from medvision_agent.tools.slice import FloatImage, IntensityMap, Slice, Window, as_displayed

__all__ = ["RECIPES", "check_recipe", "slice_of"]


def _percentiles(values: FloatImage) -> IntensityMap:
    low, high = np.percentile(values, (0.5, 99.5))
    return Window(float(low), float(high))


RECIPES: dict[str, Callable[[FloatImage], IntensityMap]] = {"medvision-1.2": _percentiles}
"""Recipe name to the intensity mapping it makes of native values."""


def check_recipe(name: str) -> str:
    """Return *name* if it is a recipe; raises ConfigError with the nearest known one."""
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}; known: {', '.join(RECIPES)}.{nearest(name, RECIPES)}")
    return name


def slice_of(native: NativeImage, sample: Sample, recipe: str) -> Slice:
    """Return the slice every view of *sample* is made from, with the recipe's intensity mapping."""
    spacing = Spacing(sample.pixel_size.height_mm, sample.pixel_size.width_mm)
    mapping = as_displayed if native.displayed else RECIPES[recipe](native.values)
    return Slice(native.values, spacing, mapping)
