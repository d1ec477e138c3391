"""The common part of all size rules, and the rules of encoders that take the whole image at one size.

That size is as sent, stretched, shrunk, padded to a square, or its middle. Sizes are (height, width) in pixels.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.geometry import Size

__all__ = ["Cropped", "Fixed", "LongestSide", "Native", "Padded", "Rule", "Tiles", "floored"]


class Rule(BaseModel, ABC):
    """The size at which an encoder perceives a picture; most encoders see nothing but the picture's content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def perceived(self, sent: Size) -> Size:
        """Return the size at which the content of a picture of size *sent* is perceived."""

    def canvas(self, sent: Size) -> Size:
        """Return the size of all the encoder sees, padding included: what MedVision 1.2 states as image size."""
        return self.perceived(sent)

    def in_paper_v1(self, sent: Size) -> Size:
        """Return the size to which MedVision's first generation scaled pixel sizes; here padding counts as content."""
        return self.canvas(sent)

    def resolved(self) -> "Rule":
        """Return the rule as plain numbers: this object, except for a rule that is read from files (``Processor``)."""
        return self


def floored(side: float, multiple: int) -> int:
    """Return the largest multiple of *multiple* that is no larger than *side*, in pixels."""
    return math.floor(side / multiple) * multiple


def _scaled(size: Size, scale: float) -> Size:
    """Return *size* times *scale*, each side cut to whole pixels and at least 1."""
    return Size(max(1, int(size.height * scale)), max(1, int(size.width * scale)))


class Native(Rule):
    """The encoder sees the pixels sent, whatever their number."""

    rule: Literal["native"] = "native"

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        return sent


class Fixed(Rule):
    """The encoder stretches every picture to one size."""

    rule: Literal["fixed"] = "fixed"
    height: int = Field(gt=0)
    width: int = Field(gt=0)

    def perceived(self, sent: Size) -> Size:  # noqa: ARG002 - one signature for all rules
        """Return the fixed size."""
        return Size(self.height, self.width)


class LongestSide(Rule):
    """Unchanged up to a longest side, else scaled down to it (Gemini: 3072 px)."""

    rule: Literal["longest_side"] = "longest_side"
    limit: int = Field(gt=0)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        return _scaled(sent, min(1.0, self.limit / max(sent.height, sent.width)))


class Tiles(Rule):
    """Fit into a square of side ``longest``, then shrink until the shorter side is ``shortest`` (OpenAI tiles)."""

    rule: Literal["tiles"] = "tiles"
    longest: int = Field(gt=0, default=2048)
    shortest: int = Field(gt=0, default=768)

    def perceived(self, sent: Size) -> Size:
        """Return the size at which a picture of size *sent* is perceived."""
        sides = (sent.height, sent.width)
        return _scaled(sent, min(1.0, self.longest / max(sides), self.shortest / min(sides)))


class Padded(Rule):
    """Shrunk or enlarged into a square and padded: the content keeps its shape (LLaVA-Med and its kin)."""

    rule: Literal["padded"] = "padded"
    side: int = Field(gt=0, default=336)

    def perceived(self, sent: Size) -> Size:
        """Return the size of the content within the square."""
        longest = max(sent.height, sent.width)
        return Size(*(max(1, round(side * self.side / longest)) for side in (sent.height, sent.width)))

    def canvas(self, sent: Size) -> Size:  # noqa: ARG002
        """Return the size of the padded square."""
        return Size(self.side, self.side)


class Cropped(Rule):
    """Scaled until the shorter side fits a square, of which the middle is cut out (CLIP).

    Only square pictures are seen whole. Of any other the encoder never sees the ends, so that neither positions nor
    sizes in it mean anything: such a picture is refused.
    """

    rule: Literal["cropped"] = "cropped"
    side: int = Field(gt=0, default=336)

    def perceived(self, sent: Size) -> Size:
        """Return the square; raises ConfigError for a picture that is not square."""
        if sent.height != sent.width:
            raise ConfigError(
                f"perceived: this model's image processor crops images to their middle square (the rule 'cropped'), so "
                f"the model would not see the ends of an image of {sent.width} x {sent.height} pixels (width x height) "
                "and could not be asked about them. Use square images, or a processor without do_center_crop."
            )
        return Size(self.side, self.side)
