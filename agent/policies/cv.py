"""``baseline-cv``: a scripted policy that looks at a coarse version of the image.

It finds the most salient blob at a glance (at most COARSE pixels a side) and answers from that. With tools it crops
around the blob, outlines it there and measures. It knows no anatomy: for landmarks it takes the ends of the blob.
Nothing in it was fitted to any data; it shows what plain image processing achieves, not a good model.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.agent.policies.policy import Calls, Look, Reading, Unit, clipped, cropped, final, measured
from medvision_agent.quantity import ANGLE_DEG, AREA_MM2, BOX, LENGTH_MM
from medvision_agent.tools.base import Tool
from medvision_agent.tools.view.slice import Grey

__all__ = ["COARSE", "Blob", "baseline_cv", "glance"]

COARSE = 48
"""Longest side of the coarse image in pixels."""
SHARES = (0.02, 0.04, 0.08)
"""Standard deviations of the blobs searched for, as fractions of the longest side."""
OUTLINERS = ("fit_contour", "segment")
"""Tools for outlining the blob; the first one offered is used."""
MARGIN = 0.2
"""Margin on each side of the region given to an outlining tool, relative to the blob's side (docs/tools.md)."""
GOOD_FIT = 0.8
"""Quality of an outline below which the policy uses the coarse blob instead."""


@dataclass(frozen=True, slots=True)
class Blob:
    """The box around a salient blob, in MedVision's frame of the whole image (x right, y up, 0..1).

    ``bright``: whether the blob is brighter than what surrounds it.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    bright: bool

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, as (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


def baseline_cv(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Yield calls that crop, outline and measure the blob, if such tools are offered; return the final message.

    Without such tools the answer comes from the coarse image.
    """
    blob = glance(look.picture())
    brief = look.brief
    fitted = yield from _fit(look, blob)
    if brief.quantity == BOX:
        return look.final_box(fitted or (blob.x0, blob.y0, blob.x1, blob.y1), brief.decimals)
    if fitted is None:
        fitted = yield from _from_glance(look, blob)
    return final(*fitted, decimals=brief.decimals) if fitted else f"I cannot measure this: {brief.quantity.name}."


def glance(picture: Grey) -> Blob:
    """Return the box of the most salient blob: strongest centre-surround contrast, centre of the image preferred.

    The blob is searched for in a coarse version of *picture*.
    """
    height, width = picture.shape
    scale = min(1.0, COARSE / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    coarse = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = _centre_weight(coarse.shape)
    contrast = max((_contrast(coarse, share) for share in SHARES), key=lambda one: float(np.abs(one * weight).max()))
    row, column = np.unravel_index(int(np.argmax(np.abs(contrast) * weight)), coarse.shape)
    bright = bool(contrast[row, column] >= 0)
    signed = contrast if bright else -contrast
    mask = (signed >= signed[row, column] / 2).astype(np.uint8)
    labels = cv2.connectedComponents(mask, connectivity=4)[1]
    rows, columns = np.nonzero(labels == labels[row, column])
    y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    return Blob(x0 / size[0], 1 - y1 / size[1], x1 / size[0], 1 - y0 / size[1], bright)


def _contrast(coarse: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return the signed difference of Gaussians for blobs whose size is *share* of the image's longest side."""
    inner = share * max(coarse.shape)
    difference: NDArray[np.float32] = cv2.GaussianBlur(coarse, (0, 0), inner) - cv2.GaussianBlur(
        coarse, (0, 0), 2 * inner
    )
    return difference


def _centre_weight(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return weights of 1 in the middle, falling to 0 at the border, where centre-surround contrast is meaningless."""
    y, x = (np.linspace(-1, 1, side) for side in shape)
    weight: NDArray[np.float64] = np.outer(1 - y**2, 1 - x**2)
    return weight


def _fit(look: Look, blob: Blob) -> Calls:
    """Yield the calls that outline the blob in a crop, and return the numbers of the answer from the outline.

    None where no outlining tool is offered, where it does not measure what is asked for, and where the tool gives an
    error, no number, or an outline of a quality below GOOD_FIT.
    """
    offered = {tool.name: tool for tool in look.brief.tools if tool.name in look.tools}
    tool = next((offered[name] for name in OUTLINERS if name in offered), None)
    wanted = tool.measurand(look.brief.quantity) if tool is not None else None
    if tool is None or wanted is None or len(wanted.fields) != look.brief.numbers:  # two axes are not one distance
        return None
    region, around = _grown(blob, MARGIN), _grown(blob, 0.5)
    corners = [(region["x0"], region["y0"]), (region["x1"], region["y1"])]
    view, points, _ = yield from cropped(look, around, 4.0, [*corners, blob.centre])
    fit = yield tool.name, {"view": view, **_asked(tool, points, blob.bright)}
    # An outline may reach beyond its region, to an edge outside.
    good = "major_mm" in fit and fit.get("quality", 1.0) >= GOOD_FIT
    return [fit[field] for field in wanted.fields] if good else None


def _grown(blob: Blob, margin: float) -> dict[str, float]:
    """Return the region of a blob with a margin on each side, a fraction of the blob's size; clipped to the image."""
    width, height = margin * (blob.x1 - blob.x0), margin * (blob.y1 - blob.y0)
    return clipped(blob.x0 - width, blob.y0 - height, blob.x1 + width, blob.y1 + height)


def _asked(tool: Tool, points: Sequence[Unit], bright: bool) -> dict[str, Any]:
    """Return the tool's arguments for a region and a point inside, and the polarity if the tool asks for it."""
    (x0, y0), (x1, y1), (x, y) = points
    declared = tool.arguments.model_fields
    inside = "seed" if "seed_x" in declared else "inside"
    target = {"target": "bright" if bright else "dark"} if "target" in declared else {}
    return {**target, f"{inside}_x": x, f"{inside}_y": y, **clipped(x0, y0, x1, y1)}


def _from_glance(look: Look, blob: Blob) -> Calls:
    """Return the numbers of the answer from the blob's box (mm, mm² or degrees); None if a box does not give them."""
    if look.brief.quantity == LENGTH_MM and look.brief.numbers == 2:
        return _axes_mm(look, blob)
    if look.brief.quantity == LENGTH_MM:
        return ((yield from _extent_mm(look, blob)),)
    if look.brief.quantity == AREA_MM2:  # of the ellipse that fits into its box
        return (math.pi / 4 * math.prod(_axes_mm(look, blob)),)
    if look.brief.quantity == ANGLE_DEG:
        return ((yield from _angle_deg(look, blob)),)
    return None


def _axes_mm(look: Look, blob: Blob) -> tuple[float, float]:
    width, height = look.field_mm()
    sides = (blob.x1 - blob.x0) * width, (blob.y1 - blob.y0) * height
    return max(sides), min(sides)


def _extent_mm(look: Look, blob: Blob) -> Calls:
    """Return the length in mm of the blob's box diagonal, measured by a tool where one for it is offered."""
    length = yield from measured(look, LENGTH_MM, "v0", [(blob.x0, blob.y0), (blob.x1, blob.y1)])
    return math.hypot(*_axes_mm(look, blob)) if length is None else length


def _angle_deg(look: Look, blob: Blob) -> Calls:
    """Return the angle in degrees between the blob's box diagonal and its lower side, measured by a tool if offered."""
    corner = (blob.x0, blob.y0)
    angle = yield from measured(look, ANGLE_DEG, "v0", [corner, (blob.x1, blob.y1), corner, (blob.x1, blob.y0)])
    if angle is not None:
        return angle
    width, height = look.field_mm()
    return math.degrees(math.atan2((blob.y1 - blob.y0) * height, (blob.x1 - blob.x0) * width))
