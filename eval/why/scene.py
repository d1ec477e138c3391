"""The views of a finished conversation, or the reason why they are missing.

A scene is rebuilt from a stored run (``stored.py``), or made from a result file's facts about its image
(``whole_scene``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.geometry import Point, Region, Size, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import Slice
from medvision_agent.tools.view.views import Perceives, View, ViewSet

__all__ = ["Missing", "Scene", "whole_scene"]


class Missing(StrEnum):
    """A reason why the origin of an answer's number is unknown, so that its error cannot be split into parts."""

    NO_ANSWER = "the model gave no answer"
    NO_NUMBERS = "the answer does not parse"
    TOO_LARGE = "a number of the answer is beyond 1e12"
    NO_PICTURE = "the image as sent is not stored"
    NO_SIZE = "the image was reshaped, and its native size is not known"
    NO_VIEWS = "the views of the calls cannot be rebuilt"
    NO_TEXT = "the file holds the numbers read from the response, not its text"
    NO_IMAGE_SIZE = "the size of the image is not in the file"
    NO_SPACING = "the pixel size of the image is not in the file"
    NO_SCALE = "the factors of the scaled pixel size are not in the file"
    NO_PERCEIVED = "the size at which the model saw the image is not in the file"
    DAMAGED = "the conversation or the image as sent is missing or damaged"
    WITHHELD = "what the tools measured was withheld (blind)"
    AMBIGUOUS = "the answer can be made of the conversation's numbers in several ways"
    COPIED = "a number of the answer is one of the conversation that measures something else"
    IGNORED = "a number of the answer is made of nothing that was measured"
    NO_POINTS = "nothing was measured and no points are stated"
    UNCLEAR_POINTS = "the points stated are not exactly those of the task"
    SEVERAL_VIEWS = "points are stated where there are several views"
    SAME_POINTS = "two points of a line coincide"
    NO_PLACES = "no points determine an area"


@dataclass(frozen=True, eq=False)
class Scene:
    """The views of one conversation (images as sent: the whole slice and crops), and the ground truth's points."""

    views: ViewSet
    truth: tuple[Point, ...]
    """The true points in the slice frame of these views; empty if the ground truth has none."""
    cropped: bool
    """Whether there are views besides v0."""
    stated: tuple[float, ...] = ()
    """Numbers stated in the question: pixel sizes, sizes of the image."""
    sized: bool = True
    """Whether the size at which the model saw the image is known; if not, ``views`` use the image's own size."""

    @property
    def spacing(self) -> Spacing:
        """Millimetres per pixel of the slice."""
        return self.views.slice.spacing


class _Unseen(ViewSet):
    """Views of an image without pixels: each has its region and size, but nothing is resampled."""

    def _made(self, image: Slice, region: Region, size: Size) -> View:
        x0, y0, x1, y1 = region.pixels(image.size)
        return self._add(image, Region(x0, y0, x1, y1), np.broadcast_to(np.uint8(0), (size.height, size.width)))


@lru_cache(maxsize=256)
def _empty(size: Size, spacing: Spacing) -> Slice:
    """Return a slice of this size and spacing whose pixels are all 0 and take no memory; equal requests share it."""
    nothing = np.broadcast_to(np.float32(0), (size.height, size.width))
    return Slice(nothing, spacing, lambda values: np.broadcast_to(np.uint8(0), values.shape))


def whole_scene(
    size: Size,
    spacing: Spacing,
    truth: Sequence[Point],
    perceives: Perceives | None = None,
    frame: Frame = MEDVISION,
    *,
    stated: tuple[float, ...] | None = None,
    sized: bool = True,
) -> Scene:
    """Return a scene of the whole image without its pixels; *size* and *spacing* are those of the image as sent.

    *truth* are the true points in its pixels. Without *perceives*, the model sees the image unchanged; if not *sized*,
    the perceived size is unknown. *stated* are the numbers in the question; default: those in our prompts, the view's
    pixel size and size.
    """
    views = _Unseen(_empty(size, spacing), perceives or Native(), frame)
    whole = views.whole
    said = (whole.spacing.width_mm, whole.spacing.height_mm, whole.perceived.width, whole.perceived.height)
    return Scene(views, tuple(truth), cropped=False, stated=said if stated is None else stated, sized=sized)
