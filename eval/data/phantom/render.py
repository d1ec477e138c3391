"""Pixels of a phantom: a shape covers each edge pixel by its exact share, so that edges lie where geometry says.

An ellipse's chords are exact along x; down, each row of pixels is cut into ``_STEPS`` rows. Crosses are exact. Grey
levels are whole and clipped to 0..255.
"""

import math

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.phantom.geometry import PIXELS, Marker, Oval, Phantom, bits
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.slice import FloatImage

__all__ = ["MARKER_CONTRAST", "covered", "render"]

MARKER_CONTRAST = 70.0
"""Grey levels of a bright marker above tissue."""
_STEPS = 16
_RADIUS, _ARM, _BREADTH = 2.0, 3.0, 0.75
"""Of a disc; length and half the breadth of a cross's arm: in pixels of the longer side."""
_SPLINE = 151 / 315
"""Mean of the summed squares of cubic B-spline weights: the variance that one direction of smoothing leaves."""

Plane = NDArray[np.float64]


def render(phantom: Phantom) -> FloatImage:
    """Return the image of a phantom, (height, width), in whole grey levels."""
    size, spacing = phantom.size, phantom.spacing
    levels = phantom.tissue + phantom.contrast * covered(phantom.lesion, size, spacing)
    for marker in phantom.markers:
        levels += (MARKER_CONTRAST if marker.bright else -MARKER_CONTRAST) * _marked(marker, size, spacing)
    source = bits(phantom.seed, phantom.index, PIXELS)
    levels += phantom.texture * _field(source, size, spacing, phantom.knots_mm)
    shape = (size.height, size.width)
    levels += phantom.noise * _bell(source, shape)
    if phantom.rician:
        levels = np.sqrt(levels**2 + (phantom.noise * _bell(source, shape)) ** 2)
    return np.clip(np.rint(levels), 0, 255).astype(np.float32)


def covered(oval: Oval, size: Size, spacing: Spacing) -> Plane:
    """Return the share of each pixel that an ellipse covers, 0..1, as an array (height, width)."""
    a, b = oval.major / 2, oval.minor / 2
    cos, sin = math.cos(math.radians(oval.angle)), math.sin(math.radians(oval.angle))
    xx, xy = (cos / a) ** 2 + (sin / b) ** 2, cos * sin * (a**-2 - b**-2)
    first, last = (max(0, math.floor((oval.y + sign * oval.reach[1]) / spacing.height_mm)) for sign in (-1, 1))
    left, right = (max(0, math.floor((oval.x + sign * oval.reach[0]) / spacing.width_mm)) for sign in (-1, 1))
    rows, columns = np.arange(first, min(last + 1, size.height)), np.arange(left, min(right + 1, size.width))
    down = (rows[:, None] + (np.arange(_STEPS) + 0.5) / _STEPS) * spacing.height_mm - oval.y
    # xx dx² + 2 xy dx dy + yy dy² = 1, with xx yy - xy² = 1 / (a b)².
    half = np.sqrt(np.maximum(xx - (down / (a * b)) ** 2, 0.0)) / xx
    middle = oval.x - xy * down / xx
    start, end = (((middle + sign * half) / spacing.width_mm)[:, :, None] for sign in (-1, 1))
    share = np.clip(np.minimum(end, columns + 1) - np.maximum(start, columns), 0.0, None).mean(axis=1)
    plane = np.zeros((size.height, size.width))
    plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = share
    return plane


def _marked(marker: Marker, size: Size, spacing: Spacing) -> Plane:
    """Return the share of each pixel that a marker covers, 0..1, as an array (height, width)."""
    unit = max(spacing.height_mm, spacing.width_mm)
    if not marker.cross:
        return covered(Oval(marker.x, marker.y, 2 * _RADIUS * unit, 2 * _RADIUS * unit, 0.0), size, spacing)
    along = [_span(size.width, spacing.width_mm, marker.x, half * unit) for half in (_ARM, _BREADTH)]
    down = [_span(size.height, spacing.height_mm, marker.y, half * unit) for half in (_ARM, _BREADTH)]
    return np.asarray(np.outer(down[1], along[0]) + np.outer(down[0] - down[1], along[1]), np.float64)


def _span(count: int, side: float, middle: float, half: float) -> Plane:
    """Return the share, 0..1, of each of *count* pixels in a row that a stretch along the row covers.

    The stretch goes from middle - half to middle + half. *side*, the length of a pixel, *middle* and *half* are in mm,
    *middle* from the row's first edge.
    """
    start, end, at = (middle - half) / side, (middle + half) / side, np.arange(count)
    return np.asarray(np.clip(np.minimum(end, at + 1) - np.maximum(start, at), 0.0, None), np.float64)


def _bell(source: "np.random.PCG64", shape: tuple[int, int]) -> Plane:
    """Return an array of *shape* of nearly normal random numbers, mean 0 and variance 1.

    Each is the sum of twelve uniform numbers, which is exact on any machine.
    """
    raw = source.random_raw(3 * shape[0] * shape[1]).reshape(3, *shape)
    low = np.uint64(0x0000FFFF0000FFFF)
    pairs = ((raw & low) + ((raw >> np.uint64(16)) & low)).sum(axis=0)  # six of sixteen bits in each half
    total = (pairs & np.uint64(0xFFFFFFFF)) + (pairs >> np.uint64(32))
    return np.asarray((total.astype(np.float64) - 12 * 32767.5) / 65536, np.float64)


def _field(source: "np.random.PCG64", size: Size, spacing: Spacing, knots_mm: float) -> Plane:
    """Return a smooth random field (height, width): cubic B-splines over a grid of random knots, variance 1 on average.

    *knots_mm* is the distance of the knots in mm.
    """
    down = _weights(size.height, spacing.height_mm, knots_mm)
    along = _weights(size.width, spacing.width_mm, knots_mm)
    knots = _bell(source, (down.shape[1], along.shape[1]))
    return np.asarray(down @ knots @ along.T / _SPLINE, np.float64)


def _weights(count: int, side: float, knots_mm: float) -> Plane:
    """Return the weight of each knot for each of *count* pixels, (count, knots); *side* is a pixel's length in mm."""
    at = (np.arange(count) + 0.5) * side / knots_mm
    away = np.abs(at[:, None] + 1 - np.arange(math.floor(at[-1]) + 4))
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - np.minimum(away, 2.0)) ** 3 / 6
    return np.asarray(np.where(away < 1, near, far), np.float64)
