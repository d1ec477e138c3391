"""The quantities that are measured in an image, each with its unit, shared by tools and tasks.

A tool declares which quantities its result holds (``tools/base.py``), and a task which quantity it asks for
(``eval/tasks``). Tools and tasks do not depend on each other.
"""

from dataclasses import dataclass

__all__ = ["ANGLE_DEG", "AREA_MM2", "BOX", "LENGTH_MM", "NUMBER", "Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of measured value with its unit, such as a length in mm."""

    name: str
    unit: str
    numbers: int = 1
    """Number of numbers in one value."""
    points: int = 0
    """Number of points that determine one value: 2 for a length, 4 for the acute angle of two lines; 0 if none do."""


LENGTH_MM = Quantity("length", "mm", points=2)
"""The distance of two points."""
ANGLE_DEG = Quantity("angle", "degrees", points=4)
"""The acute angle of two lines, each through two points."""
AREA_MM2 = Quantity("area", "mm2")
BOX = Quantity("box", "image sides", numbers=4)
"""Two opposite corners in coordinates of the whole image: as a target, fractions of its sides; in a tool's result, in
the model's own coordinates."""
NUMBER = Quantity("number", "")
"""A computed number, whose meaning only the caller knows."""
