"""Marker watershed in a region: the middle of its oval is inside, what lies well beyond it is outside."""

import cv2
import numpy as np

from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.square import INSIDE, OUTSIDE, Square, region_alone
from medvision_agent.tools.view.slice import Slice

__all__ = ["watershed"]

_SIDE = 160


def watershed(image: Slice, prompt: Prompt) -> list[Candidate]:
    """Return the structure in a region; raises ToolError without a region. Its cost is 0: it has no confidence."""
    square = Square(region_alone("watershed", prompt), _SIDE)
    markers = np.where(square.radius < INSIDE, 1, np.where(square.radius > OUTSIDE, 2, 0)).astype(np.int32)
    blurred = cv2.GaussianBlur(square.levels(image), (0, 0), 2.0)
    labels = cv2.watershed(cv2.merge([blurred] * 3), markers)
    # The line between the two is neither: the edge runs along it, one place outside of the ring.
    return [square.candidate(labels == 1, image, out=1.0)]
