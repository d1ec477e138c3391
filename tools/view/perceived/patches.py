"""Rules for encoders whose sides are whole patches, within a budget of pixels or patches."""

import math
from typing import Literal

from pydantic import Field

from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.perceived.rule import Rule, floored

__all__ = ["Kimi", "Multiples", "Patches"]


class Patches(Rule):
    """A budget of pixels and a longest side; sides floored to whole patches (OpenAI patches, Claude, Gemma 4)."""

    rule: Literal["patches"] = "patches"
    patch: int = Field(gt=0, default=32)
    """Side of a patch, or of the block of patches that sides are floored to."""
    pixels: int = Field(gt=0)
    """The budget: OpenAI's patches times 32 x 32, Claude's tokens times 750, Gemma 4's patches times 16 x 16."""
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
        return Size(*(max(self.patch, floored(side * scale, self.patch)) for side in (sent.height, sent.width)))


class Kimi(Rule):
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
        sides = [max(block, floored(side * scale, block)) for side in (sent.height, sent.width)]
        while (sides[0] // self.patch) * (sides[1] // self.patch) > self.budget:
            sides[0 if sides[0] >= sides[1] else 1] -= block
        return Size(*sides)


class Multiples(Rule):
    """Sides rounded to a multiple, then one factor to stay within a range of pixels (Qwen-VL and its kin).

    The ``smart_resize`` of the processors in the transformers library, where half-way cases go to the even multiple:
    Qwen2-VL and 2.5-VL, Lingshu (28), Qwen3-VL (32), MiniMax M3 (28, ``most`` 451,584), GLM-4V (28, ``enlarge``, and
    the half of its configured pixels, since it counts a picture twice, as two frames).
    """

    rule: Literal["multiples"] = "multiples"
    multiple: int = Field(gt=0, default=28)
    """Side of a patch times the patches merged along a side."""
    least: int = Field(gt=0, default=3_136)
    most: int = Field(gt=0, default=12_845_056)
    enlarge: bool = False
    """A picture with a side below one multiple is first enlarged until that side is one (GLM-4V)."""

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived; a side is at least one multiple."""
        step = self.multiple
        if self.enlarge and min(sent.height, sent.width) < step:
            grow = max(step / sent.height, step / sent.width)
            sent = Size(int(sent.height * grow), int(sent.width * grow))
        # A side far below one multiple becomes 0 here: the image is then below the minimum, and enlarged.
        height, width = (round(side / step) * step for side in (sent.height, sent.width))
        if height * width > self.most:
            shrink = math.sqrt(sent.height * sent.width / self.most)
            height, width = (max(step, floored(side / shrink, step)) for side in (sent.height, sent.width))
        elif height * width < self.least:
            grow = math.sqrt(self.least / (sent.height * sent.width))
            height, width = (math.ceil(side * grow / step) * step for side in (sent.height, sent.width))
        return Size(height, width)
