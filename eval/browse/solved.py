"""Shapes that a tool found by itself (outline, ellipse, box), from the trace or, in older runs, from the result."""

from collections.abc import Iterator, Mapping
from typing import Any

from medvision_agent.eval.browse.forms import Mark
from medvision_agent.eval.browse.marks import WITHHELD, Pen, millimetres
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.scene import Scene
from medvision_agent.tools.view.geometry import Point

__all__ = ["solved"]

_AXES = ("major_x0", "major_y0", "major_x1", "major_y1", "minor_x0", "minor_y0", "minor_x1", "minor_y1")
_BOX = ("v0_box_x0", "v0_box_y0", "v0_box_x1", "v0_box_y1")


def solved(call: Call, entry: Mapping[str, Any], scene: Scene, pen: Pen, *, words: bool = True) -> Iterator[Mark]:
    """Yield a mark for each shape that a call found; *entry* is the call as the trace stores it.

    Each mark has its measured value, unless *words* is false; in a blind arm it says that the model did not see the
    value. Raises ValueError if a stored shape is malformed.
    """
    shapes = _kept(entry) or (_stated(call, scene) if words else {})
    for kind, points in shapes.items():
        value = _value(call, kind) if words else ""
        if kind == "outline":
            yield pen.outline(points, f"{call.tool}, outline", value)
        elif kind == "ellipse":
            yield pen.ellipse(points, f"{call.tool}, ellipse", value)
        else:
            yield pen.corners(points[0], points[1], f"{call.tool}, box", value)


def _kept(entry: Mapping[str, Any]) -> dict[str, list[Point]]:
    """Return the points (slice frame) of each shape that the trace stores, by kind; ValueError if one is malformed."""
    found = {
        str(one["kind"]): [Point(float(x), float(y)) for x, y in one["points"]] for one in entry.get("drawn") or ()
    }
    counts = {"box": 2, "ellipse": 4}
    if any(len(points) != counts.get(kind, max(3, len(points))) for kind, points in found.items()):
        raise ValueError("the shape stored in the trace is invalid")
    return found


def _stated(call: Call, scene: Scene) -> dict[str, list[Point]]:
    """Return the points (slice frame) of the ellipse and of the box that a call's result states, by kind.

    Empty if they were withheld from the model. Raises KeyError, ValueError or ToolError if the result lacks them.
    """
    if any(call.withheld(name) for name in (*_AXES, *_BOX)):
        return {}
    views = scene.views

    def placed(names: tuple[str, ...], view_id: str) -> list[Point]:
        view = views.get(view_id)
        numbers = [float(call.result[name]) for name in names]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return [view.region.at(*views.frame.to_unit(x, y, view.perceived)) for x, y in pairs]

    return {"ellipse": placed(_AXES, str(call.result.get("view"))), "box": placed(_BOX, "v0")}


def _value(call: Call, kind: str) -> str:
    names = {"outline": ("area_mm2",), "ellipse": ("major_mm", "minor_mm"), "box": ("box_width_mm", "box_height_mm")}
    if any(call.withheld(name) for name in names.get(kind, ())):
        return WITHHELD
    numbers = [number for name in names.get(kind, ()) if (number := call.number(name)) is not None]
    if kind == "outline":
        return "".join(f"{number:.1f} mm²" for number in numbers)
    return f"{numbers[0]:.2f} x {millimetres(numbers[1])}" if len(numbers) == 2 else ""
