"""Native values in 16-bit pictures: how an export stores them, and how they are read back.

Integers that span at most 65,535 are stored exactly, shifted. Other values are rounded to 65,536 levels of the
slice's own range. Slope and offset stand in the sample's MedVision facts: native = stored x slope + offset.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage

__all__ = ["from_levels", "to_levels"]

_TOP = 65_535


def to_levels(native: NativeImage, sample: Sample) -> tuple[NDArray[Any], Sample]:
    """Return what a PNG stores, 8-bit for display levels and 16-bit for native values, and the sample that says so."""
    values = native.values.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.rint(values)).all())
    if whole and low >= 0 and high <= (255 if native.displayed else _TOP):
        return values.astype(np.uint8 if native.displayed else np.uint16), sample
    if native.displayed or sample.medvision is None:
        raise DataError(f"{sample.id}: its values do not fit a PNG; export cannot keep them")
    slope = 1.0 if whole and high - low <= _TOP else (high - low) / _TOP
    stored = np.clip(np.rint((values - low) / slope), 0, _TOP).astype(np.uint16)
    facts = sample.medvision.model_copy(update={"stored_slope": slope, "stored_offset": low})
    return stored, sample.model_copy(update={"medvision": facts})


def from_levels(native: NativeImage, sample: Sample) -> NativeImage:
    """Return the native values of a picture that was read."""
    facts = sample.medvision
    if facts is None or (facts.stored_slope, facts.stored_offset) == (1.0, 0.0):
        return native
    values = native.values.astype(np.float64) * facts.stored_slope + facts.stored_offset
    return NativeImage(values.astype(np.float32), displayed=native.displayed)
