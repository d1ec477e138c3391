"""Marker watershed: the middle of a region's oval and a point inside are inside, what lies well beyond is outside."""

import cv2
import numpy as np

from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.contour import component
from medvision_agent.tools.segment.square import Square
from medvision_agent.tools.view.slice import Slice

__all__ = ["watershed"]

_SIDE = 160


def watershed(image: Slice, prompt: Prompt) -> list[Candidate]:
    """Return the structure in a region or at a point, as one candidate of cost 0, found by a marker watershed.

    Raises ToolError where nothing is found, and for a prompt with neither region nor point inside.
    """
    square = Square.around(image, prompt, _SIDE)
    inside, outside = square.markers(prompt)
    markers = np.where(inside, 1, np.where(outside, 2, 0)).astype(np.int32)
    blurred = cv2.GaussianBlur(square.levels(image), (0, 0), 2.0)
    labels = cv2.watershed(cv2.merge([blurred] * 3), markers)
    # The line between the two is neither: the edge runs along it, one place outside of the ring.
    found = labels == 1 if prompt.inside is None else component(labels == 1, square.middle(prompt))
    return [square.candidate(found, image, out=1.0)]
