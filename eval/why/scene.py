"""The views of a finished conversation, and why one cannot be explained.

A scene is rebuilt from a stored run (``stored.py``), or made of what a result file says of its image (``whole_scene``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.geometry import Point, Size, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Slice
from medvision_agent.tools.view.views import Perceives, ViewSet

__all__ = ["Missing", "Scene", "whole_scene"]


class Missing(StrEnum):
    """A reason why an answer is not decomposed."""

    NO_ANSWER = "the model gave no answer"
    NO_NUMBERS = "the answer does not parse"
    TOO_LARGE = "a number of the answer is beyond 1e12"
    NO_PICTURE = "the picture as sent is not stored"
    NO_SIZE = "the picture was reshaped, and its native size is not known"
    NO_VIEWS = "the views of the calls cannot be rebuilt"
    DAMAGED = "the conversation or the picture as sent is missing or damaged"
    WITHHELD = "what the tools measured was withheld (blind)"
    AMBIGUOUS = "the answer can be made of the conversation's numbers in several ways"
    COPIED = "a number of the answer is one of the conversation that measures something else"
    IGNORED = "a number of the answer is made of nothing that was measured"
    NO_POINTS = "nothing was measured and no points are stated"
    UNCLEAR_POINTS = "the points stated are not exactly those of the task"
    SEVERAL_VIEWS = "points are stated where there are several views"
    SAME_POINTS = "two points of a line coincide"


@dataclass(frozen=True, eq=False)
class Scene:
    """The views of one conversation, and the truth's points in the slice frame of these views."""

    views: ViewSet
    truth: tuple[Point, ...]
    cropped: bool
    """Whether there are views besides v0."""

    @property
    def spacing(self) -> Spacing:
        """Millimetres per pixel of the slice."""
        return self.views.slice.spacing


def whole_scene(
    size: Size, spacing: Spacing, truth: Sequence[Point], perceives: Perceives | None = None, frame: Frame = MEDVISION
) -> Scene:
    """Return a scene of the whole image alone, without its pixels: *size* and *spacing* are those of the image as sent.

    *truth* are the ground truth's points in its pixels. Without *perceives* a model sees the image as it is.
    """
    empty = Slice(
        np.zeros((size.height, size.width), np.float32), spacing, lambda values: np.zeros(values.shape, np.uint8)
    )
    return Scene(ViewSet(empty, perceives or Native(), frame), tuple(truth), cropped=False)
