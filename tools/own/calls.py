"""Generates views and calls, valid and invalid, as a model may write them, from a seed.

A call is drawn once and can then be written in every coordinate convention: a coordinate is kept as the share of its
side that it lies at, from the left or from the top.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medvision_agent.tools.base import Tool
from medvision_agent.tools.view.frames import FRAMES, MEDVISION, Frame
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Fixed, Native
from medvision_agent.tools.view.slice import Slice, Stack, Units, as_displayed, grey_slice
from medvision_agent.tools.view.views import Perceives, ViewSet

__all__ = ["DrawnCall", "DrawnScene", "any_call", "any_scene", "usable_call", "usable_scene"]

_RULES: tuple[Perceives, ...] = (Native(), Fixed(height=896, width=640))
_NUMBERS = (0, 1, -1, 0.5, -0.0, 5e-324, 1e-9, 1 - 1e-16, 1e9, 1e308, math.nan, math.inf, -math.inf, 10**400, True)
_TEXTS = ("", "1 + 1", "1 / 0", "liver", "v0", "a\nb", "\x1b[31m", "\ud800", "9" * 5000, "{", "0.5")
_JUNK: tuple[Any, ...] = (
    None,
    True,
    "",
    "left",
    "0.5",
    "9" * 5000,
    [],
    [0.5, 0.5],
    {"x": 1},
    {},
    math.nan,
    10**400,
    -7,
)
_VIEWS = ("v0", "v0", "v0", "v1", "v99", "", "v" * 9000)

_MARKS = {"A": (0.1, 0.1), "B": (0.9, 0.9), "C": (0.5, 0.5), "D": (0.15, 0.85)}
"""Marks that exist before a call, with their places in the image."""
_UNFIT = ("v0: x=0.5", "v0: x=1e99, y=nan", "v0: x=1, x=1", "9" * 5000)
"""Texts that are neither a mark nor a point."""
_MARK = re.compile(r"(^|_)mark(_|\d|$)")
"""Names of the arguments that take a mark or a point."""
_BESIDE = 1000
"""Slices of a drawn volume before and after the slice asked about."""
_BANDS = ((0.02, 0.2), (0.8, 0.98), (0.4, 0.6))
"""Where the first, second and third coordinate of an axis lie in a usable call: around the disc, then inside it."""


@dataclass(frozen=True)
class _Share:
    """A coordinate not yet written in a frame: a fraction of the view's width or height, from the left or the top.

    From 0 to 1 it lies within the view.
    """

    axis: Literal["x", "y"]
    share: float

    def written(self, frame: Frame, size: Size) -> float:
        """Return the model coordinate in *frame*, in a view that is perceived at *size*."""
        x, y = frame.from_unit(self.share, self.share, size)
        return x if self.axis == "x" else y


@dataclass(frozen=True)
class _Elsewhere:
    """A point of a view, given as text: fractions of the width (from the left) and height (from the top)."""

    view: str
    x: float
    y: float

    def written(self, views: ViewSet) -> str:
        """Return the text ``VIEW: x=..., y=...`` in the frame of *views*; an unknown view has v0's size."""
        size = views.get(self.view).perceived if self.view in views else views.whole.perceived
        x, y = views.frame.from_unit(self.x, self.y, size)
        return f"{self.view}: x={x:.17g}, y={y:.17g}"


@dataclass(frozen=True, eq=False)
class DrawnCall:
    """Arguments of one generated call, whose coordinates are not yet written in a coordinate convention."""

    values: Mapping[str, Any]

    def written(self, views: ViewSet) -> dict[str, Any]:
        """Return the arguments as a model writes them whose coordinate convention is the frame of *views*."""
        try:
            size = views.get(str(self.values.get("view", "v0"))).perceived
        except Exception:  # noqa: BLE001 - an unknown view has no size; any will do
            size = views.whole.perceived
        return {name: _written(value, views, size) for name, value in self.values.items()}


def _written(value: Any, views: ViewSet, size: Size) -> Any:
    """Return the value of an argument in the frame of *views*; the view that the call names is perceived at *size*."""
    if isinstance(value, _Elsewhere):
        return value.written(views)
    return value.written(views.frame, size) if isinstance(value, _Share) else value


@dataclass(frozen=True, eq=False)
class DrawnScene:
    """An image, its pixel size and a coordinate frame for generated calls.

    Tools may add views, so each call gets a fresh set of views made from it.
    """

    pixels: NDArray[Any]
    spacing: Spacing
    perceives: Perceives = _RULES[0]
    frame: Frame = MEDVISION
    cropped: bool = True
    """Whether there is a second view, ``v1``."""
    volume: bool = False
    """Whether it is a slice of a volume whose values are in HU, not a picture with 8 bits."""

    def views(self) -> ViewSet:
        """Return a new set of views with four marks: v0, and v1 (the whole image enlarged) if ``cropped`` is true."""
        views = ViewSet(self._slice(), self.perceives, self.frame)
        if self.cropped:
            views.crop(views.slice.region, 2.0)
        for name, place in _MARKS.items():
            views.marks.place(name, views.slice.region.at(*place), "v0")
        return views

    def _slice(self) -> Slice:
        """Return the image as a slice: grey levels of a picture, or values in HU with the other slices of a volume."""
        if not self.volume:
            return grey_slice(self.pixels, self.spacing)
        values = self.pixels.astype(np.float32)
        beside = Stack(-_BESIDE, _BESIDE, 1.5, lambda away: np.roll(values, away))
        return Slice(values, self.spacing, as_displayed, Units.HU, beside)

    def other_image(self) -> "DrawnScene":
        """Return the scene with other pixels and another pixel size."""
        spacing = Spacing(self.spacing.height_mm * 1.7, self.spacing.width_mm * 0.6)
        return replace(self, pixels=255 - self.pixels.T.reshape(self.pixels.shape), spacing=spacing)

    def otherwise_perceived(self) -> "DrawnScene":
        """Return the scene as perceived by a model that stretches every image to 896 x 640 pixels (height x width)."""
        return replace(self, perceives=_RULES[1])


def any_scene(rng: Random) -> DrawnScene:
    """Return a generated scene whose image may be tiny, empty or stretched, in any coordinate convention."""
    shape = rng.choice((1, 2, 3, 7, 24, 48)), rng.choice((1, 2, 3, 7, 24, 48))
    noise = np.random.default_rng(rng.randrange(2**32))
    pixels: NDArray[Any] = {
        "constant": np.full(shape, 77),
        "black": np.zeros(shape),
        "noise": noise.integers(0, 256, shape),
        "two levels": np.where(noise.random(shape) > 0.5, 200, 100),
        "disc": _disc(*shape),
    }[rng.choice(("constant", "black", "noise", "two levels", "disc"))]
    spacing = Spacing(rng.choice((0.01, 0.5, 1.0, 5.0, 300.0)), rng.choice((0.01, 0.627, 1.0)))
    frame = rng.choice(list(FRAMES.values()))
    return DrawnScene(pixels, spacing, rng.choice(_RULES), frame, rng.random() < 0.5, noise.random() < 0.5)


def usable_scene(rng: Random) -> DrawnScene:
    """Return a generated scene: a bright disc on a dark ground with some noise, in anisotropic pixels, in a volume."""
    noise = np.random.default_rng(rng.randrange(2**32)).integers(0, 20, (48, 64))
    spacing = Spacing(rng.uniform(0.5, 2.0), rng.uniform(0.5, 2.0))
    return DrawnScene(_disc(48, 64) + noise, spacing, volume=True)


def _disc(height: int, width: int) -> NDArray[Any]:
    """Return an image (height, width) with a disc (an ellipse unless square) of level 200 in the middle of level 30."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot((y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5) < 0.25
    return np.where(inside, 200, 30)


def any_call(tool: Tool, rng: Random) -> DrawnCall:
    """Return a generated call of *tool*: it may be right, at a limit, incomplete, or wrong in any way."""
    values = {}
    for name, schema in _properties(tool).items():
        luck = rng.random()
        if luck < (0.7 if _MARK.search(name) else 0.05):
            continue  # missing
        values[name] = (
            rng.choice(_JUNK) if luck < 0.12 else _edge(name, schema, rng) if luck < 0.3 else _usual(schema, rng)
        )
        if name == "view" and rng.random() < 0.3:
            values[name] = rng.choice(_VIEWS)
        if _MARK.search(name):
            values[name] = rng.choice([*_MARKS, "E", "", None, *_UNFIT, *(_elsewhere(rng) for _ in _MARKS)])
    if rng.random() < 0.05:
        values[rng.choice(("unit", "", "\x1b", "x" * 500))] = rng.choice(_JUNK)
    return DrawnCall(values)


def usable_call(tool: Tool, rng: Random) -> DrawnCall:
    """Return a generated call of *tool* with valid values; arguments that may be left out are left out in some calls.

    Points are given by coordinates in some calls, and by marks or as text in others.
    """
    properties, required = _properties(tool), tool.arguments.model_json_schema().get("required", ())
    left_out, bands = rng.random() < 0.3, {"x": cycle(_BANDS), "y": cycle(_BANDS)}
    marks, marked = iter(_MARKS), any(map(_MARK.search, properties)) and rng.random() < 0.3
    values: dict[str, Any] = {}
    for name, schema in properties.items():
        if _MARK.search(name):
            if marked:
                values[name] = _Elsewhere("v1", *_MARKS[next(marks)]) if rng.random() < 0.5 else next(marks)
        elif marked and _axis(schema) and name not in required:
            continue
        elif (axis := _axis(schema)) and rng.random() < 0.9:
            values[name] = _Share(axis, rng.uniform(*next(bands[axis])))
        elif name in required or not left_out:
            values[name] = _usual(schema, rng)
    return DrawnCall(values)


def _elsewhere(rng: Random) -> _Elsewhere:
    """Return a random point as text, in an existing or an unknown view, perhaps slightly outside the view."""
    return _Elsewhere(rng.choice(("v0", "v1", "v9")), rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1))


def _properties(tool: Tool) -> dict[str, dict[str, Any]]:
    """Return the schema of each argument; the descriptions still hold the marks of the frame."""
    properties: dict[str, dict[str, Any]] = tool.arguments.model_json_schema().get("properties", {})
    return properties


def _axis(schema: Mapping[str, Any]) -> Literal["x", "y"] | None:
    """Return whether the description of an argument states the range of an x or of a y; None if of neither."""
    text = str(schema.get("description", ""))
    return "x" if "{width}" in text else "y" if "{height}" in text else None


def _usual(schema: Mapping[str, Any], rng: Random) -> Any:
    """Return a value within the range that the schema of an argument states."""
    if axis := _axis(schema):
        return _Share(axis, rng.uniform(0.02, 0.98))
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if schema.get("type") not in {"number", "integer"}:
        return schema.get("default", rng.choice(_TEXTS[1:4]))
    low = float(schema.get("minimum", schema.get("exclusiveMinimum", 0)))
    high = float(schema.get("maximum", schema.get("exclusiveMaximum", low + 1)))
    return rng.randint(math.ceil(low), math.floor(high)) if schema["type"] == "integer" else rng.uniform(low, high)


def _edge(name: str, schema: Mapping[str, Any], rng: Random) -> Any:
    """Return a value at or beyond the limits that the schema of the argument *name* states."""
    if axis := _axis(schema):
        return rng.choice([_Share(axis, share) for share in (0.0, 1.0, 0.5, -0.1, 1.1)] + list(_NUMBERS))
    if schema.get("type") in {"number", "integer"}:
        return rng.choice([*_NUMBERS, schema.get("minimum", 0), schema.get("maximum", 1)])
    return rng.choice(_VIEWS if name == "view" else _TEXTS)
