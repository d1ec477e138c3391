"""The size at which a model's image encoder perceives a picture.

MedVision states pixel sizes of the picture *as the encoder sees it*: a guess corrupts every millimetre, so a
rule is part of each model's configuration. Rules follow MedVision's table of perceived sizes (its
``get_resized_img_shape``, release 1.2.1) and are plain data with one method; tools apply the same rule to crops.
"""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from medvision_agent.tools.geometry import Size

__all__ = ["Fixed", "LongestSide", "Native", "Patches", "PerceivedRule", "Tiles"]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Native(_Rule):
    """The encoder sees the pixels sent, whatever their number."""

    rule: Literal["native"] = "native"

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        return sent


class Fixed(_Rule):
    """The encoder stretches every picture to one size."""

    rule: Literal["fixed"] = "fixed"
    height: int = Field(gt=0)
    width: int = Field(gt=0)

    def perceived(self, sent: Size) -> Size:  # noqa: ARG002 - one signature for all rules
        """Return the fixed size."""
        return Size(self.height, self.width)


class LongestSide(_Rule):
    """Unchanged up to a longest side, else scaled down to it (Gemini: 3072 px)."""

    rule: Literal["longest_side"] = "longest_side"
    limit: int = Field(gt=0)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        longest = max(sent.height, sent.width)
        if longest <= self.limit:
            return sent
        return _scaled(sent, self.limit / longest)


class Tiles(_Rule):
    """Fit into a square of side ``longest``, then shrink until the shorter side is ``shortest`` (OpenAI tiles)."""

    rule: Literal["tiles"] = "tiles"
    longest: int = Field(gt=0, default=2048)
    shortest: int = Field(gt=0, default=768)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        sides = (sent.height, sent.width)
        return _scaled(sent, min(1.0, self.longest / max(sides), self.shortest / min(sides)))


class Patches(_Rule):
    """A budget of square patches and a longest side; sides floored to whole patches (OpenAI patches)."""

    rule: Literal["patches"] = "patches"
    patch: int = Field(gt=0, default=32)
    budget: int = Field(gt=0)
    longest: int | None = Field(gt=0, default=None)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived; a side is at least one patch."""
        scale = min(1.0, math.sqrt(self.budget * self.patch**2 / (sent.height * sent.width)))
        if self.longest is not None:
            scale = min(scale, self.longest / max(sent.height, sent.width))
        height, width = (
            max(self.patch, math.floor(side * scale / self.patch) * self.patch) for side in (sent.height, sent.width)
        )
        return Size(height, width)


def _scaled(size: Size, scale: float) -> Size:
    return Size(max(1, int(size.height * scale)), max(1, int(size.width * scale)))


PerceivedRule = Annotated[Native | Fixed | LongestSide | Tiles | Patches, Field(discriminator="rule")]
"""Any of the rules, told apart by their ``rule`` key."""
