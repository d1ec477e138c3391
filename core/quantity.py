"""The quantities that are measured in an image, each with its unit: the word that tools and tasks share.

A tool declares which quantities its result holds (``tools/base.py``), and a task which one it asks for
(``eval/tasks``). Neither knows the other.
"""

from dataclasses import dataclass

__all__ = ["ANGLE_DEG", "AREA_MM2", "BOX", "LENGTH_MM", "NUMBER", "Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of value and its unit."""

    name: str
    unit: str
    numbers: int = 1
    """How many numbers one value has."""
    points: int = 0
    """How many points determine one value: 2 a length, 4 the acute angle of two lines; 0 where points do not."""


LENGTH_MM = Quantity("length", "mm", points=2)
ANGLE_DEG = Quantity("angle", "degrees", points=4)
"""The acute angle of two lines, each through two points."""
AREA_MM2 = Quantity("area", "mm2")
BOX = Quantity("box", "image sides", numbers=4)
"""Two opposite corners in the coordinates of the whole image."""
NUMBER = Quantity("number", "")
"""A number that was worked out: only the caller knows what it stands for."""
