"""Checks the pixel size: a size that no scanner makes is a mistake of the unit."""

from collections.abc import Iterator

from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.data.sample import Sample

__all__ = ["LEAST_MM", "MOST_MM", "spacing_faults"]

LEAST_MM, MOST_MM = 0.01, 10.0
"""Range of pixel sizes in clinical images; outside it are microscopes and mistakes of the unit."""
_UNITS = {"cm": 10.0, "metres": 1000.0, "micrometres": 0.001}
_TYPICAL = (0.05, 6.0)
"""Pixel sizes in mm by which a unit is guessed."""


def spacing_faults(sample: Sample) -> Iterator[Fault]:
    """Yield a message for each side of a pixel that is smaller than 0.01 mm or larger than 10 mm."""
    for name, size in sample.pixel_size.model_dump().items():
        if LEAST_MM <= size <= MOST_MM:
            continue
        low, high = _TYPICAL
        unit = next((unit for unit, factor in _UNITS.items() if low <= size * factor <= high), "")
        guess = f"; it would be {size * _UNITS[unit]:g} mm if it is in {unit}" if unit else ""
        yield Fault(
            "pixel-size",
            f"pixel_size.{name}",
            f"is {size:g} mm; expected {LEAST_MM:g} to {MOST_MM:g} mm{guess}. Convert it to mm, or confirm that it is "
            "right with --unchecked pixel-size",
        )
