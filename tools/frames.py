"""The coordinate convention a model speaks, converted to and from the unit frame here and nowhere else.

A frame turns a model's numbers into unit coordinates of a view's content (x right, y down, 0..1) and back.
Prompts, tool arguments, tool results and final boxes all go through it.
"""

from dataclasses import dataclass

__all__ = ["FRAMES", "MEDVISION", "Frame"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A convention with x in 0..1 to the right and y in 0..1, upwards or downwards.

    ``upward`` is MedVision's own convention (origin at the lower left of the image).
    """

    name: str
    upward: bool
    sentence: str
    """How the prompt states the convention."""

    def to_unit(self, x: float, y: float) -> tuple[float, float]:
        """Return unit coordinates (u right, v down) of model coordinates."""
        return x, (1.0 - y if self.upward else y)

    def from_unit(self, u: float, v: float) -> tuple[float, float]:
        """Return model coordinates of unit coordinates (u right, v down)."""
        return u, (1.0 - v if self.upward else v)


MEDVISION = Frame(
    name="medvision",
    upward=True,
    sentence=(
        "x runs from 0 at the left edge to 1 at the right edge, y from 0 at the bottom edge to 1 at the top "
        "edge; the origin (0, 0) is the lower-left corner of the image"
    ),
)

FRAMES = {MEDVISION.name: MEDVISION}
"""All conventions by name."""
