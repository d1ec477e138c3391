"""The size at which a model's image encoder perceives a picture.

MedVision states pixel sizes of the picture *as the encoder sees it*: a guess corrupts every millimetre, so a
rule is part of each model's configuration. Rules follow MedVision's table of perceived sizes (its
``get_resized_img_shape``, release 1.2.1) and are plain data with one method; tools apply the same rule to crops.
"""

import math
from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from medvision_agent.tools.geometry import Size

__all__ = [
    "Fixed",
    "Kimi",
    "LongestSide",
    "Multiples",
    "Native",
    "Padded",
    "Patches",
    "PerceivedRule",
    "Tiles",
]


class _Rule(BaseModel, ABC):
    """What all rules share: most encoders see nothing but the content of the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def perceived(self, sent: Size) -> Size:
        """Return the size at which the content of a picture of size *sent* is perceived."""

    def canvas(self, sent: Size) -> Size:
        """Return the size of all the encoder sees, padding included: what MedVision 1.2 states as image size."""
        return self.perceived(sent)


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
    """A budget of pixels and a longest side; sides floored to whole patches (OpenAI patches, Claude, Gemma 4)."""

    rule: Literal["patches"] = "patches"
    patch: int = Field(gt=0, default=32)
    """Side of a patch, or of the block of patches that sides are floored to."""
    pixels: int = Field(gt=0)
    """The budget: OpenAI's patches times 32 x 32, Claude's tokens times 750."""
    longest: int | None = Field(gt=0, default=None)
    grow: bool = False
    """Small pictures are enlarged to the budget (Gemma 4)."""

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived; a side is at least one patch."""
        scale = math.sqrt(self.pixels / (sent.height * sent.width))
        if not self.grow:
            scale = min(1.0, scale)
        if self.longest is not None:
            scale = min(scale, self.longest / max(sent.height, sent.width))
        return Size(*(max(self.patch, _floor(side * scale, self.patch)) for side in (sent.height, sent.width)))


class Kimi(_Rule):
    """Kimi's image processor: a budget of patches, a longest side, and whole pairs of patches."""

    rule: Literal["kimi"] = "kimi"
    patch: int = Field(gt=0, default=14)
    budget: int = Field(gt=0, default=16384)
    longest: int = Field(gt=0, default=7168)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived; a side is at least two patches."""
        patches = max(1, sent.height // self.patch) * max(1, sent.width // self.patch)
        scale = min(1.0, math.sqrt(self.budget / patches), self.longest / sent.width, self.longest / sent.height)
        block = 2 * self.patch
        sides = [max(block, _floor(side * scale, block)) for side in (sent.height, sent.width)]
        while (sides[0] // self.patch) * (sides[1] // self.patch) > self.budget:
            sides[0 if sides[0] >= sides[1] else 1] -= block
        return Size(*sides)


class Multiples(_Rule):
    """Sides rounded to a multiple, then one factor to stay within a range of pixels (Qwen-VL and its kin).

    The rule of the processors in the transformers library (``smart_resize``): half-way cases go to the even multiple.
    """

    rule: Literal["multiples"] = "multiples"
    multiple: int = Field(gt=0, default=28)
    least: int = Field(gt=0, default=3_136)
    most: int = Field(gt=0, default=12_845_056)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived; a side is at least one multiple."""
        step = self.multiple
        height, width = (max(step, round(side / step) * step) for side in (sent.height, sent.width))
        if height * width > self.most:
            shrink = math.sqrt(sent.height * sent.width / self.most)
            height, width = (max(step, _floor(side / shrink, step)) for side in (sent.height, sent.width))
        elif height * width < self.least:
            enlarge = math.sqrt(self.least / (sent.height * sent.width))
            height, width = (math.ceil(side * enlarge / step) * step for side in (sent.height, sent.width))
        return Size(height, width)


class Padded(_Rule):
    """Shrunk or enlarged into a square and padded: the content keeps its shape (LLaVA-Med and its kin)."""

    rule: Literal["padded"] = "padded"
    side: int = Field(gt=0, default=336)

    def perceived(self, sent: Size) -> Size:
        """Return the size of the content within the square."""
        longest = max(sent.height, sent.width)
        return Size(*(max(1, round(side * self.side / longest)) for side in (sent.height, sent.width)))

    def canvas(self, sent: Size) -> Size:  # noqa: ARG002
        """Return the square."""
        return Size(self.side, self.side)


def _floor(side: float, multiple: int) -> int:
    return math.floor(side / multiple) * multiple


def _scaled(size: Size, scale: float) -> Size:
    return Size(max(1, int(size.height * scale)), max(1, int(size.width * scale)))


PerceivedRule = Annotated[
    Native | Fixed | LongestSide | Tiles | Patches | Kimi | Multiples | Padded, Field(discriminator="rule")
]
"""Any of the rules, told apart by their ``rule`` key."""
