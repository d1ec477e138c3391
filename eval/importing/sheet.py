"""Contact sheets: small images of all samples with their ground truth drawn on, for a check by eye."""

import textwrap
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.truth import draw_truth
from medvision_agent.tools.view.lettering import put_text, text_size
from medvision_agent.tools.view.png import encode_png
from medvision_agent.tools.view.slice import Slice

__all__ = ["Sheet"]

_SIDE, _GAP, _LINE, _LINES = 320, 12, 18, 4
_COLUMNS, _ROWS = 4, 4
_SCALE = 0.32
_LETTERS = 24
"""Characters on one line; the rest is cut (``tools/view/lettering.py``)."""


class Sheet:
    """A writer of contact sheets: it collects small images and writes a sheet whenever one is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tiles: list[NDArray[np.uint8]] = []
        self._count = 0

    def add(self, shown: Slice, sample: Sample) -> None:
        """Add a sample; *shown* is its slice as grey levels."""
        self._tiles.append(_tile(draw_truth(shown, sample), sample))
        if len(self._tiles) == _COLUMNS * _ROWS:
            self._write()

    def close(self) -> int:
        """Write the last sheet, and return how many sheets were written."""
        if self._tiles:
            self._write()
        return self._count

    def _write(self) -> None:
        self._count += 1
        height, width = self._tiles[0].shape[:2]
        columns = min(_COLUMNS, len(self._tiles))
        rows = -(-len(self._tiles) // columns)
        page = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 30, np.uint8)
        for at, tile in enumerate(self._tiles):
            y, x = (
                _GAP + place * (side + _GAP) for place, side in zip(divmod(at, columns), (height, width), strict=True)
            )
            page[y : y + height, x : x + width] = tile
        (self._folder / f"sheet-{self._count}.png").write_bytes(encode_png(page))
        self._tiles = []


def _tile(picture: NDArray[np.uint8], sample: Sample) -> NDArray[np.uint8]:
    """Return the drawing of a sample with a caption below: its id, what is asked, and the target."""
    tile = np.zeros((_SIDE + _LINES * _LINE + 4, _SIDE, 3), np.uint8)
    share = _SIDE / max(picture.shape[:2])
    height, width = (max(1, min(_SIDE, round(side * share))) for side in picture.shape[:2])
    y, x = (_SIDE - height) // 2, (_SIDE - width) // 2
    tile[y : y + height, x : x + width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    numbers = ", ".join(f"{number:.3f}" if sample.asks.is_box else f"{number:.1f}" for number in sample.target)
    asked = sample.label or " - ".join(sample.landmarks)
    ids = textwrap.wrap(sample.id, 2 * _LETTERS)
    lines = [ids[0], asked, f"{sample.task} {numbers}{sample.asks.unit_after}", ""]
    if not sample.truth_points and not sample.asks.is_box:
        lines[3] = "no points: nothing drawn"
    for row, line in enumerate(lines):
        x = 4
        for part in (line[:_LETTERS], line[_LETTERS : 2 * _LETTERS]):  # as many letters as are written at once
            if part.strip():
                put_text(tile, part, (x, _SIDE + 4 + row * _LINE), width=1, paint=(230, 230, 230), scale=_SCALE)
                x += text_size(part, 1, _SCALE)[0]
    return tile
