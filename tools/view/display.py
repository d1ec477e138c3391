"""What is drawn on every view for a condition of the display: ticks, a grid, or a scale bar.

It is drawn on the grey pixels sent, so that their number and every coordinate stay as they are. It covers what lies
under it: ticks and numbers a strip along the edges, a scale bar a lower corner, a grid thin lines across the whole
picture, through which half of the contrast shows. Tools measure the native values and never see it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.lettering import USUAL, put_text, text_size
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.slice import Grey
from medvision_agent.tools.view.views import Display, View, ViewSet

__all__ = ["PARTS", "SMALLEST", "check_drawable", "is_drawn", "numbers", "picture_of", "shown"]

SMALLEST: Final[Mapping[Display, int]] = {"plain": 0, "ticks": 40, "grid": 64, "scale-bar": 40}
"""Pixels of the shorter side below which nothing is drawn: numbers would not be legible, or lines cover the picture."""
PARTS: Final = 10
"""Ticks and lines divide each side into so many equal parts."""
_WHITE, _BLACK = 255, 0
_MARGIN = 2
_TINY = 160
"""Pixels of the shorter side below which letters and ticks are smaller."""
_PER_WIDTH = 640
"""Pixels of the longer side for each pixel of a line's width."""


def check_drawable(size: Size, display: Display, where: str = "") -> None:
    """Raise DataError where an image is too small for what is to be drawn on it; *where* begins the message."""
    if min(size.height, size.width) < SMALLEST[display]:
        raise DataError(
            f"{where}its image has {size.height} x {size.width} pixels, too few to draw the display {display} legibly "
            f"(at least {SMALLEST[display]}); leave the sample out, use --display plain, or enlarge images by --reshape"
        )


def is_drawn(views: ViewSet, view: View) -> bool:
    """Return whether ticks, a grid or a scale bar is drawn on a view: not for "plain", nor if it is too small."""
    return views.display != "plain" and min(view.pixels.shape) >= SMALLEST[views.display]


def shown(views: ViewSet, view: View) -> Grey:
    """Return the grey pixels (h, w) of a view as they are sent: with the ticks, grid or scale bar of the display."""
    if not is_drawn(views, view):
        return view.pixels
    pixels, width = view.pixels.copy(), _width(view)
    if views.display == "scale-bar":
        _scale_bar(pixels, view, width)
        return pixels
    if views.display == "grid":
        _grid(pixels, width)
    else:
        _ticks(pixels, width)
    _numbers(pixels, views, view, width)
    return pixels


def picture_of(views: ViewSet, view: View, caption: str) -> Picture:
    """Return the picture of a new view that a tool sends, with a caption.

    The caption adds where the view is too small for what is to be drawn on it, and where it shows v0 instead of another
    slice or another window.
    """
    if not views.new_detail and view.slice is not views.slice:
        caption = f"view {view.id}, shown with the pixels of v0"
    if views.display != "plain" and not is_drawn(views, view):
        caption += f"; too small for its {views.display}"
    return Picture(shown(views, view), caption)


def _width(view: View) -> int:
    """Return the width of a line in pixels sent: about one pixel as perceived, and seen on a large picture."""
    shrunk = max(view.size.height / view.perceived.height, view.size.width / view.perceived.width)
    return max(1, round(shrunk), round(max(view.size.height, view.size.width) / _PER_WIDTH))


def _scale(pixels: Grey) -> float:
    """Return the scale of letters for ``put_text``: smaller on a small view."""
    return USUAL if min(pixels.shape) >= _TINY else 0.3


def _tick(pixels: Grey) -> int:
    """Return the length of a tick, as a multiple of a line's width."""
    return 6 if min(pixels.shape) >= _TINY else 2


def _band(place: float, width: int) -> slice:
    """Return the rows or columns of a line whose middle lies within half a pixel of *place*, a pixel coordinate."""
    start = math.floor(place - (width - 1) / 2)
    return slice(start, start + width)


def _places(side: int) -> list[float]:
    """Return the pixel coordinates of the nine lines that divide *side* pixels into ten equal parts."""
    return [side * part / PARTS for part in range(1, PARTS)]


def _grid(pixels: Grey, width: int) -> None:
    """Draw lines across *pixels*, half way to white where the image is dark, half way to black where it is bright."""
    height, across = pixels.shape
    on = np.zeros(pixels.shape, bool)
    for place in _places(across):
        on[:, _band(place, width)] = True
    for place in _places(height):
        on[_band(place, width), :] = True
    pixels[on] = np.where(pixels < 128, 128 + pixels // 2, pixels // 2)[on]


def _ticks(pixels: Grey, width: int) -> None:
    """Draw ticks on all four edges, white with a black rim."""
    height, across = pixels.shape
    length = _tick(pixels) * width
    for turned, side in ((pixels, across), (pixels.T, height)):
        for paint, rim in ((_BLACK, width), (_WHITE, 0)):
            for place in _places(side):
                band = _band(place, width)
                wide = slice(max(0, band.start - rim), band.stop + rim)
                turned[: length + rim, wide] = paint
                turned[-length - rim :, wide] = paint


def _numbers(pixels: Grey, views: ViewSet, view: View, width: int) -> None:
    """Write coordinates beside the ticks of the two edges that meet in the frame's origin, as many as have room."""
    height, across = pixels.shape
    texts, lower = numbers(views, view)
    scale, off = _scale(pixels), (_tick(pixels) + _MARGIN) * width
    high = text_size("0", width, scale)[1]
    widest = max(text_size(text, width, scale)[0] for text in texts)
    for at in _with_room(across / PARTS, widest + 3 * width):
        wide = text_size(texts[at], width, scale)[0]
        y = height - off - high if views.frame.upward else off
        put_text(
            pixels,
            texts[at],
            (round((at + 1) * across / PARTS - wide / 2), y),
            width=width,
            paint=(_WHITE,),
            scale=scale,
        )
    for at in _with_room(height / PARTS, high + 4 * width):
        y = round((at + 1) * height / PARTS - high / 2)
        if off + high + 2 * width < y + high / 2 < height - off - high - 2 * width:  # the other row of numbers is there
            put_text(pixels, lower[at], (off, y), width=width, paint=(_WHITE,), scale=scale)


def numbers(views: ViewSet, view: View) -> tuple[list[str], list[str]]:
    """Return the model coordinates at the ticks of a view, as texts: x from left to right, y from top to bottom."""
    units = [part / PARTS for part in range(1, PARTS)]
    places = [views.frame.from_unit(unit, unit, view.perceived) for unit in units]
    return [f"{x:.5g}" for x, _ in places], [f"{y:.5g}" for _, y in places]


def _with_room(apart: float, needed: float) -> Sequence[int]:
    """Return the indices of the lines to number: each, every second or every fifth, or only the middle one.

    *apart* is the distance of two lines and *needed* the room of a number, in pixels.
    """
    for step in (1, 2, 5):
        if apart * step >= needed:
            return range(step - 1, PARTS - 1, step)
    return (PARTS // 2 - 1,)


def _scale_bar(pixels: Grey, view: View, width: int) -> None:
    """Draw a horizontal bar of a round length, a quarter of the view's width at most, in the lower left corner."""
    height, across = pixels.shape
    length_mm = round_length(view.field_mm[1] / 4)
    x0 = 2 * _MARGIN * width
    x1 = x0 + length_mm / view.field_mm[1] * across
    bottom, end = height - 2 * _MARGIN * width, round(x1)
    for paint, rim in ((_BLACK, width), (_WHITE, 0)):
        pixels[bottom - 2 * width - rim : bottom + rim, x0 - rim : end + rim] = paint
    text, scale = f"{length_mm:g} mm", _scale(pixels)
    high = text_size(text, width, scale)[1]
    put_text(
        pixels,
        text,
        (x0, bottom - 2 * width - high - _MARGIN * width - width),
        width=width,
        paint=(_WHITE,),
        scale=scale,
    )


def round_length(largest: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is no larger than *largest* (above 0)."""
    power = 10.0 ** math.floor(math.log10(largest))
    return float(f"{max(factor * power for factor in (1, 2, 5) if factor * power <= largest * (1 + 1e-9)):.3g}")
