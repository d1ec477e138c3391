"""The ground truth as a method: it shows how a model performs with a tool of known quality.

The outline that is handed over stands for whatever a method would have found. It is returned as it is (``oracle``), or
degraded by a stated amplitude (``noise:A``): every point of the outline moves away from the centre of its box, or
towards it, so that its distance in mm is multiplied by ``exp(A * g(angle))``. The function g is smooth,

    g(angle) = (c0 + sum over k = 1, 2, 3 of a_k cos(k angle) + b_k sin(k angle)) / 2,

with independent standard normal c0, a_k, b_k, so that g has variance 1 at every angle: A is the standard deviation of
the logarithm of the distance. c0 is an error of size, k = 1 and 3 mostly one of position, k = 2 one of elongation. The
numbers are drawn by a generator that is seeded with the sample and the prompt of the call (region and points, to a
thousandth of a pixel), and not with A: the same call has the same error, larger as A is larger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.contour import measure_outline
from medvision_agent.tools.segment.ellipse import Points
from medvision_agent.tools.view.slice import Slice

__all__ = ["Truth", "told"]

_WAVES = 3
_DIGITS = 3


@dataclass(frozen=True, eq=False)
class Truth:
    """The true outline of the structure that a sample asks about."""

    outline: Points
    """A closed contour in the slice frame, shape (n, 2)."""
    sample: str
    """The id of the sample, which seeds the noise."""


def told(truth: Truth, amplitude: float = 0.0) -> Callable[[Slice, Prompt], list[Candidate]]:
    """Return a method that returns the ground truth's outline, degraded by *amplitude* (0 to 1), whatever the prompt.

    The degradation is the formula at the head of this file. The candidate's cost is 0.
    """

    def outline(image: Slice, prompt: Prompt) -> list[Candidate]:
        points = truth.outline
        if amplitude:
            native = np.array((image.spacing.width_mm, image.spacing.height_mm))
            points = _degraded(points * native, amplitude, _seed(truth, prompt)) / native
        return [Candidate(measure_outline(points, image.size, image.spacing), 0.0)]

    return outline


def _degraded(points: Points, amplitude: float, seed: int) -> Points:
    """Return points (n, 2) in mm, moved away from or towards the centre of their box by the formula of this file."""
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    x, y = (points - center).T
    angles, waves = np.arctan2(y, x), np.arange(1, _WAVES + 1)[:, None]
    draws = np.random.default_rng(seed).standard_normal(1 + 2 * _WAVES)
    a, b = draws[1 : 1 + _WAVES, None], draws[1 + _WAVES :, None]
    g = (draws[0] + (a * np.cos(waves * angles) + b * np.sin(waves * angles)).sum(axis=0)) / np.sqrt(1 + _WAVES)
    return np.asarray(center + (points - center) * np.exp(amplitude * g)[:, None])


def _seed(truth: Truth, prompt: Prompt) -> int:
    """Return the seed of the noise, from the sample's id and the prompt's coordinates to a thousandth of a pixel."""
    region, inside, outside = prompt.region, prompt.inside, prompt.outside
    numbers = [
        None if region is None else (region.x0, region.y0, region.x1, region.y1),
        *(None if point is None else (point.x, point.y) for point in (inside, outside)),
    ]
    rounded = [None if one is None else tuple(round(value, _DIGITS) + 0.0 for value in one) for one in numbers]
    return int.from_bytes(sha256(f"{truth.sample}\0{rounded}".encode()).digest()[:8], "big")
