"""How far an outline borders on the background of the picture, as the outline of the whole body does.

Air around a body makes the strongest edge of many pictures, so that an outline around a point is drawn to it. Who
points to a structure means something in the body. The background is the level of the picture's own border.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from medvision_agent.tools.segment.ellipse import Points
from medvision_agent.tools.view.slice import FloatImage

__all__ = ["Background"]

_TOLERANCE = 0.06
"""Difference from the level of the border up to which a pixel is background, relative to the range of all values."""
_BEYOND = np.array((1.08, 1.15, 1.25))
"""Where beyond the outline it is looked for, relative to the distance from its middle."""
_SAMPLE = 256
"""Rows and columns at most from which the range of all values is taken."""


@dataclass(frozen=True, eq=False)
class Background:
    """The grey level of an image's background, and the image that it was taken from, in native values.

    A pixel is background where its value differs from ``level`` by at most ``tolerance``.
    """

    values: FloatImage
    level: float
    tolerance: float

    @classmethod
    def of(cls, values: FloatImage) -> Self:
        """Return the background of an image (h, w): the median of its border, and 6% of the range of its values."""
        border = np.concatenate((values[0], values[-1], values[:, 0], values[:, -1]))
        down, across = (max(1, side // _SAMPLE) for side in values.shape)
        low, high = np.percentile(values[::down, ::across], (1, 99))
        return cls(values, float(np.median(border)), _TOLERANCE * float(high - low))

    def share(self, outline: Points) -> float:
        """Return the fraction, 0 to 1, of points just beyond an *outline* that are background or outside the image.

        *outline* is (n, 2) in the slice frame.
        """
        middle = outline.mean(axis=0)
        beyond = np.floor(middle + (outline - middle) * _BEYOND[:, None, None]).astype(np.intp)
        x, y = beyond[..., 0], beyond[..., 1]
        height, width = self.values.shape
        out = (x < 0) | (x >= width) | (y < 0) | (y >= height)
        values = self.values[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        return float(np.mean(out | (np.abs(values - self.level) <= self.tolerance)))
