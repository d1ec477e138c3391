"""The size at which a model's image encoder perceives a picture.

MedVision states pixel sizes of the picture *as the encoder sees it*: a guess corrupts every millimetre, so a
rule is part of each model's configuration. Rules follow MedVision's table of perceived sizes (its
``get_resized_img_shape``, release 1.2.1) and are plain data with small methods; tools apply the same rule to crops.
What the first generation took for the perceived size, where that differed, is ``in_paper_v1``.
"""

from typing import Annotated

from pydantic import Field

from medvision_agent.tools.view.perceived.canvases import AnyResolution, Grid, LlamaTiles, Splits
from medvision_agent.tools.view.perceived.patches import Kimi, Multiples, Patches
from medvision_agent.tools.view.perceived.processor import Processor
from medvision_agent.tools.view.perceived.rule import Cropped, Fixed, LongestSide, Native, Padded, Rule, Tiles

__all__ = [
    "AnyResolution",
    "Cropped",
    "Fixed",
    "Grid",
    "Kimi",
    "LlamaTiles",
    "LongestSide",
    "Multiples",
    "Native",
    "Padded",
    "Patches",
    "PerceivedRule",
    "Processor",
    "Rule",
    "Splits",
    "Tiles",
]

PerceivedRule = Annotated[
    Native
    | Fixed
    | LongestSide
    | Tiles
    | Padded
    | Cropped
    | Patches
    | Kimi
    | Multiples
    | LlamaTiles
    | AnyResolution
    | Grid
    | Splits
    | Processor,
    Field(discriminator="rule"),
]
"""Any of the rules, told apart by their ``rule`` key."""
