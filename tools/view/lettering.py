"""Small letters on a picture, with a rim that makes them legible on any grey."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["USUAL", "put_text", "text_size"]

USUAL = 0.4
"""Scale of letters whose strokes are one pixel wide: capitals 9 pixels high."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BELOW = frozenset("gjpqyQ,;_|()[]{}@$")
"""Letters that reach below the line."""
_LONGEST = 24
"""Characters of a text that are written."""


def text_size(text: str, width: int, scale: float = USUAL) -> tuple[int, int]:
    """Return width and height in pixels of *text* in strokes of *width* pixels, without its rim.

    *scale* is the size of the letters relative to the width of their strokes.
    """
    (across, down), below = cv2.getTextSize(_written(text), _FONT, scale * width, width)
    return across, down + (below if _BELOW & set(text) else 0)


def put_text(
    pixels: NDArray[np.uint8],
    text: str,
    corner: tuple[int, int],
    *,
    width: int,
    paint: tuple[int, ...],
    scale: float = USUAL,
) -> None:
    """Write *text* into *pixels*, (h, w) or (h, w, channels), its top-left corner at *corner* (x, y), rimmed black.

    *paint* is the colour, a number for each channel; *width* and *scale* are those of ``text_size``.
    """
    (x, y), down = corner, text_size("0", width, scale)[1]
    ink = np.zeros(pixels.shape[:2], np.uint8)
    cv2.putText(ink, _written(text), (x, y + down), _FONT, scale * width, 255, width, cv2.LINE_AA)
    rim = cv2.dilate(ink, np.ones((2 * width + 1, 2 * width + 1), np.uint8))
    box = cv2.boundingRect(rim)
    part = (slice(box[1], box[1] + box[3]), slice(box[0], box[0] + box[2]))
    inked, rimmed = (mask[part].astype(np.float32) / 255 for mask in (ink, rim))
    if pixels.ndim == 3:
        inked, rimmed = inked[:, :, None], rimmed[:, :, None]
    colour = np.array(paint if pixels.ndim == 3 else paint[0], np.float32)
    pixels[part] = np.rint(pixels[part] * (1 - rimmed) * (1 - inked) + colour * inked).astype(np.uint8)


def _written(text: str) -> str:
    """Return *text* cut to 24 characters, with "?" for letters that the font does not have."""
    return text.encode("ascii", "replace").decode()[:_LONGEST]
