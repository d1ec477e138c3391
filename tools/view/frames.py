"""The coordinate frame of a model's answers, converted to and from the unit frame here and nowhere else.

A frame turns a model's numbers into unit coordinates of a view's content (x right, y down, 0..1) and back, and has
the words in which prompts and declarations speak of it. Prompts, tool arguments, tool results and final boxes all go
through it. Sizes are those of a view as the model perceives it, in pixels; only a frame in pixels looks at them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.tools.view.geometry import Size

__all__ = ["FRAMES", "MEDVISION", "Frame", "frame_named"]

_COUNTS = ("no decimals", "one decimal", "two decimals", "three decimals", "four decimals")
_SLACK = 1.1
"""How far beyond its view a coordinate may lie, in units of the last reported decimal: rounding and float noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A coordinate convention of a model: x to the right, y upwards or downwards, from 0 to an extent or in pixels.

    ``medvision`` is MedVision's own convention (origin at the lower left of the image).
    """

    name: str
    upward: bool = False
    """Whether y runs upwards, from an origin at the lower left; else downwards, from the upper left."""
    extent: int | None = 1
    """The value at the right edge and at the far end of y; None: the view's width and height in perceived pixels."""
    y_first: bool = False
    """Whether y comes before x where numbers stand in sequence; where they have names (tools), the names decide."""
    decimals: int = 6
    """Decimals of coordinates in tool results: a millionth of the view, or finer."""
    box_decimals: int = 4
    """Decimals asked for in a final box: about a ten-thousandth of the picture."""
    sentence: str
    """How the prompt states the convention."""

    # Numbers.

    def ends(self, size: Size) -> tuple[float, float]:
        """Return the largest x and the largest y of model coordinates in a view perceived at *size*."""
        return (size.width, size.height) if self.extent is None else (self.extent, self.extent)

    def to_unit(self, x: float, y: float, size: Size) -> tuple[float, float]:
        """Return the unit coordinates (u right, v down, 0 to 1) of model coordinates in a view perceived at *size*."""
        width, height = self.ends(size)
        u, v = x / width, y / height
        return u, (1.0 - v if self.upward else v)

    def from_unit(self, u: float, v: float, size: Size) -> tuple[float, float]:
        """Return the model coordinates (x, y) of unit coordinates (u right, v down) in a view perceived at *size*."""
        width, height = self.ends(size)
        return u * width, (1.0 - v if self.upward else v) * height

    def holds(self, x: float, y: float, size: Size) -> bool:
        """Return whether model coordinates lie in a view, with tolerance for the rounding of reported ones."""
        slack = _SLACK * 10.0**-self.decimals
        return all(-slack <= value <= end + slack for value, end in zip((x, y), self.ends(size), strict=True))

    def box_to_medvision(self, numbers: Sequence[float], size: Size) -> tuple[float, float, float, float]:
        """Return MedVision's ``x1, y1, x2, y2`` (0..1, y up, lower-left corner first) of a final box of this frame.

        *numbers* are the box's four numbers in the order in which this frame asks for them. Swapped corners stay
        swapped; infinite numbers stay infinite.
        """
        (u0, v0), (u1, v1) = (self.to_unit(*self._xy(pair), size) for pair in (numbers[:2], numbers[2:]))
        return (u0, 1.0 - v0, u1, 1.0 - v1) if self.upward else (u0, 1.0 - v1, u1, 1.0 - v0)

    def box_from_medvision(self, box: Sequence[float], size: Size) -> tuple[float, float, float, float]:
        """Return the four numbers of a final box of this frame, in their order, for a box in MedVision's convention."""
        x1, y1, x2, y2 = box
        first, second = ((x1, y1), (x2, y2)) if self.upward else ((x1, y2), (x2, y1))
        a, b = (self._xy(self.from_unit(x, 1.0 - y, size)) for x, y in (first, second))
        return (*a, *b)

    def _xy(self, pair: Sequence[float]) -> tuple[float, float]:
        """Return two numbers, swapped where this frame writes y before x."""
        a, b = pair
        return (b, a) if self.y_first else (a, b)

    # Words.

    @property
    def in_pixels(self) -> bool:
        """True if coordinates are pixels of the view as perceived; to give them, a model must know the view's size."""
        return self.extent is None

    @property
    def corners(self) -> tuple[str, str]:
        """The names of the two corners by which a final box is asked for, in the order of its numbers."""
        return ("lower-left", "upper-right") if self.upward else ("top-left", "bottom-right")

    @property
    def order(self) -> str:
        """The order of a point's numbers, in words: "x and y" or "y and x"."""
        return "y and x" if self.y_first else "x and y"

    @property
    def box_format(self) -> str:
        """The number of decimals that the prompt asks for in a final box, such as "four decimals"."""
        return _COUNTS[self.box_decimals]

    @property
    def coordinates(self) -> str:
        """What a prompt calls the coordinates, such as "relative coordinates"."""
        if self.in_pixels:
            return "pixel coordinates"
        return "relative coordinates" if self.extent == 1 else f"coordinates from 0 to {self.extent}"

    @property
    def box_range(self) -> str:
        """The range of the numbers of a final box, in words."""
        origin = "lower left" if self.upward else "top left"
        if self.in_pixels:
            kind, ends = "pixel", "x from 0 to width_px and y from 0 to height_px,"
            return f"{kind} coordinates of the picture, {ends} with the origin at the {origin}"
        return f"relative coordinates of the picture from 0 to {self.extent}, with the origin at the {origin}"

    @property
    def across_mm(self) -> str:
        """The formula, as text, of the horizontal step from point 1 to point 2 in mm."""
        return f"(x2 - x1){self._per_unit('width_px')} * width_mm_per_px"

    @property
    def down_mm(self) -> str:
        """The formula, as text, of the vertical step from point 1 to point 2 in mm."""
        return f"(y2 - y1){self._per_unit('height_px')} * height_mm_per_px"

    def _per_unit(self, side: str) -> str:
        """Return the part of a formula that turns model coordinates into pixels; *side* names the number of pixels."""
        if self.in_pixels:
            return ""
        return f" * {side}" if self.extent == 1 else f" / {self.extent} * {side}"

    def point(self, number: int) -> str:
        """Return the symbols of point *number* in the frame's order, such as "(x1, y1)"."""
        return f"(y{number}, x{number})" if self.y_first else f"(x{number}, y{number})"

    def told(self, text: str) -> str:
        """Return a tool's text with numbers or words of this frame for ``{width}``, ``{height}``, ``{extent}``."""
        ends = ("width_px of the view", "height_px of the view", "its width_px and height_px")
        for mark, end in zip(("{width}", "{height}", "{extent}"), ends, strict=True):
            text = text.replace(mark, end if self.in_pixels else str(self.extent))
        return text

    def limits(self, size: Size) -> str:
        """Return the allowed x and y in a view perceived at *size*, in words."""
        if self.in_pixels:
            return f"x must be from 0 to {size.width} and y from 0 to {size.height}"
        return f"x and y must be from 0 to {self.extent}"

    def shown(self, x: float, y: float, digits: int = 6) -> str:
        """Return model coordinates as a message shows them, with *digits* significant digits, in the frame's order."""
        if self.y_first:
            return f"(y = {y:.{digits}g}, x = {x:.{digits}g})"
        return f"({x:.{digits}g}, {y:.{digits}g})"

    def rounded(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return model coordinates rounded to the decimals that tool results report."""
        return tuple(round(value, self.decimals) for value in values)


_DOWN = "the origin (0, 0) is the top-left corner of the image"

MEDVISION = Frame(
    name="medvision",
    upward=True,
    sentence=(
        "x runs from 0 at the left edge to 1 at the right edge, y from 0 at the bottom edge to 1 at the top "
        "edge; the origin (0, 0) is the lower-left corner of the image"
    ),
)
_TOP_LEFT = Frame(
    name="top-left",
    sentence=(
        "x runs from 0 at the left edge to 1 at the right edge, y from 0 at the top edge to 1 at the bottom "
        f"edge; {_DOWN}"
    ),
)
_NORM1000 = Frame(
    name="norm1000",
    extent=1000,
    decimals=3,
    box_decimals=1,
    sentence=(
        "x runs from 0 at the left edge to 1000 at the right edge, y from 0 at the top edge to 1000 at the bottom "
        f"edge; {_DOWN}"
    ),
)
_NORM1000_YX = replace(
    _NORM1000,
    name="norm1000-yx",
    y_first=True,
    sentence=(
        f"{_NORM1000.sentence}; where a point or a box is written as a sequence of numbers, y comes before x, and "
        "where the numbers have names, the names decide"
    ),
)
_PIXEL = Frame(
    name="pixel",
    extent=None,
    box_decimals=2,
    sentence=(
        "in pixels of the picture as you see it, x runs from 0 at the left edge to width_px at the right edge, y from "
        f"0 at the top edge to height_px at the bottom edge; {_DOWN}; every picture has a width_px and a height_px "
        "of its own"
    ),
)

FRAMES = {frame.name: frame for frame in (MEDVISION, _TOP_LEFT, _NORM1000, _NORM1000_YX, _PIXEL)}
"""All conventions by name."""


def frame_named(name: str) -> Frame:
    """Return the convention called *name*; raises ConfigError with the nearest known name."""
    if name not in FRAMES:
        raise ConfigError(
            f"unknown frame {name!r} (the coordinate convention of a model's points); known frames: "
            f"{', '.join(FRAMES)}.{nearest(name, FRAMES)}"
        )
    return FRAMES[name]
