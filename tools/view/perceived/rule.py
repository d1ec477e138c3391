"""What all size rules share. Sizes are (height, width) in pixels."""

import math
from abc import ABC, abstractmethod

from pydantic import BaseModel, ConfigDict

from medvision_agent.tools.view.geometry import Size

__all__ = ["Rule", "floored", "scaled"]


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
        """Return the size to which MedVision's first generation scaled pixel sizes: padding counts as content."""
        return self.canvas(sent)

    def resolved(self) -> "Rule":
        """Return the rule as plain numbers; only a rule that stands elsewhere is another one."""
        return self


def floored(side: float, multiple: int) -> int:
    """Return the largest whole multiple that is no longer than *side*."""
    return math.floor(side / multiple) * multiple


def scaled(size: Size, scale: float) -> Size:
    """Return a size times a factor, cut to whole pixels of which there is one at least."""
    return Size(max(1, int(size.height * scale)), max(1, int(size.width * scale)))
