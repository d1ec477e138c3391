"""Pictures that show digits: what only an eye can tell. White on grey, one digit a cell, the same bytes everywhere."""

import cv2
import numpy as np

from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import Grey, Slice, grey_slice

__all__ = ["CELL", "digits_picture", "digits_slice"]

CELL = (96, 72)
"""Height and width of a digit's cell in pixels."""


def digits_picture(digits: str) -> Grey:
    """Return a picture (96, 72 a digit) of *digits*."""
    height, width = CELL
    picture = np.full((height, width * len(digits)), 40, np.uint8)
    for number, digit in enumerate(digits):
        origin = (width * number + 12, height - 18)
        cv2.putText(picture, digit, origin, cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, 6)
    return picture


def digits_slice(digits: str) -> Slice:
    """Return the picture as a slice of 1 mm pixels."""
    return grey_slice(digits_picture(digits), Spacing(1.0, 1.0))
