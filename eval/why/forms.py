"""The forms in which a length or an angle can be written: the unit asked for, then the known slips.

A form is a straight line, ``written = scale * plain + shift``, with the plain value in mm or in degrees (0..90).
"""

import math
from dataclasses import dataclass

from medvision_agent.quantity import ANGLE_DEG, LENGTH_MM, Quantity

__all__ = ["CLOSE", "PLAIN", "Form", "forms_of", "nearest_form"]

CLOSE = 0.02
"""Relative tolerance for a model's own result from its points: prompts state pixel sizes with three decimals."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a value, such as in cm; the plain value is in mm or degrees."""

    name: str
    scale: float = 1.0
    shift: float = 0.0

    def of(self, plain: float) -> float:
        """Return a plain value as written in this form."""
        return self.scale * plain + self.shift

    def back(self, written: float) -> float:
        """Return the plain value of a written one."""
        return (written - self.shift) / self.scale

    def after(self, other: "Form") -> "Form":
        """Return the form of a value that is first written in *other* and then in this form."""
        if PLAIN in {self, other}:
            return other if self == PLAIN else self
        scale, shift = self.scale * other.scale, self.scale * other.shift + self.shift
        plain = math.isclose(scale, 1.0) and math.isclose(shift, 0.0, abs_tol=1e-9)
        return PLAIN if plain else Form(f"{other.name}, {self.name}", scale, shift)


PLAIN = Form("as asked")
_FORMS: dict[Quantity, tuple[Form, ...]] = {
    LENGTH_MM: (
        PLAIN,
        Form("in cm", 0.1),
        Form("in m", 0.001),
        Form("as if mm were cm", 10.0),
        Form("as if mm were m", 1000.0),
    ),
    ANGLE_DEG: (PLAIN, Form("180 degrees minus it", -1.0, 180.0), Form("in radians", math.pi / 180)),
}


def forms_of(quantity: Quantity) -> tuple[Form, ...]:
    """Return the forms in which a quantity may have been written, ``PLAIN`` first."""
    return _FORMS.get(quantity, (PLAIN,))


def nearest_form(written: float, plain: float, quantity: Quantity) -> Form | None:
    """Return the first form in which *plain* (mm or degrees) is within 2% (``CLOSE``) of *written*; None if none is."""
    return next((one for one in forms_of(quantity) if abs(written - one.of(plain)) <= CLOSE * abs(one.of(plain))), None)
