"""Compares a target with its image: lengths longer than the image, or shorter than one of its pixels."""

import math
from collections.abc import Iterator

from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.data.sample import Sample
from medvision_agent.quantity import AREA_MM2, LENGTH_MM

__all__ = ["extent_faults", "order_faults"]

_SLACK = 1.02
"""Factor by which a length may exceed the diagonal, because axes are fitted and numbers rounded."""


def extent_faults(sample: Sample, height: int, width: int) -> Iterator[Fault]:
    """Yield the problems with the size of a sample's target, compared with its image of *height* x *width* pixels."""
    if sample.asks.is_box:
        yield from _box(sample, height, width)
        return
    if sample.asks.quantity == AREA_MM2:
        yield from _area(sample, height, width)
    if sample.asks.quantity != LENGTH_MM:
        return
    down, across = sample.pixel_size.height_mm, sample.pixel_size.width_mm
    diagonal = math.hypot(height * down, width * across)
    longest, shortest = max(sample.target), min(sample.target)
    if longest > diagonal * _SLACK:
        units = {"micrometres": 1000.0, "1/10 mm": 10.0}
        fits = next((unit for unit, factor in units.items() if longest / factor <= diagonal / 2), "")
        guess = "" if not fits or shortest / units[fits] < min(down, across) else f"is the target in {fits}, or "
        yield Fault(
            "target-size",
            "target",
            f"{longest:g} mm is longer than the image's diagonal, {diagonal:g} mm ({width} x {height} px of "
            f"{across:g} x {down:g} mm); {guess}is pixel_size not in mm? Correct the one that is wrong",
        )
    elif shortest < min(down, across):
        yield Fault(
            "target-size",
            "target",
            f"{shortest:g} mm is shorter than one pixel ({across:g} mm wide, {down:g} mm high); is the target in cm or "
            "metres instead of mm?",
            refused=False,
        )


def order_faults(sample: Sample) -> Iterator[Fault]:
    """Yield a warning if a sample's minor axis is longer than its major one.

    MedVision's samples are not checked: MedVision names axes by their lengths in pixels, so that this can be right.
    """
    if len(sample.target) == 2 and sample.medvision is None and sample.target[0] < sample.target[1]:
        yield Fault(
            "axes-order",
            "target",
            f"the major axis, {sample.target[0]:g} mm, is shorter than the minor one, {sample.target[1]:g} mm: "
            "expected the major axis first",
            refused=False,
        )


def _area(sample: Sample, height: int, width: int) -> Iterator[Fault]:
    area, pixel = sample.target[0], sample.pixel_size.height_mm * sample.pixel_size.width_mm
    whole = height * width * pixel
    if area > whole * _SLACK:
        yield Fault(
            "target-size",
            "target",
            f"{area:g} mm2 is larger than the image, {whole:g} mm2 ({width} x {height} px of {pixel:g} mm2); "
            "is the target not in mm2, or pixel_size not in mm? Correct the one that is wrong",
        )
    elif area < pixel:
        yield Fault(
            "target-size",
            "target",
            f"{area:g} mm2 is smaller than one pixel ({pixel:g} mm2); is the target in cm2 instead of mm2?",
            refused=False,
        )


def _box(sample: Sample, height: int, width: int) -> Iterator[Fault]:
    x1, y1, x2, y2 = sample.target
    if (x2 - x1) * width < 1 or (y2 - y1) * height < 1:
        yield Fault(
            "target-size",
            "target",
            f"the box has {(x2 - x1) * width:.2g} x {(y2 - y1) * height:.2g} px, and so a side below one pixel; check "
            "its corners x1, y1, x2, y2",
            refused=False,
        )
