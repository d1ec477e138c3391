"""Markups of 3D Slicer: points in mm, in files that state their frame.

``.mrk.json`` states ``coordinateSystem``, ``.fcsv`` ``CoordinateSystem``: LPS or RAS, where older files write 1 or 0. A
file that states none is refused: nobody could see that a point is mirrored through the body.
"""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.text import plural

__all__ = ["SUFFIXES", "Markup", "Named", "read_markups"]

SUFFIXES = (".fcsv", ".mrk.json")
MAX_BYTES = 64 << 20
_FRAMES = {"LPS": (1.0, 1.0), "RAS": (-1.0, -1.0), "1": (1.0, 1.0), "0": (-1.0, -1.0)}
"""Signs of x and y that turn a frame to LPS."""
_COUNTS = {"Line": 2, "Angle": 3}
_EXPECTED = "expected a file (.mrk.json) with a list 'markups', as 3D Slicer saves it"
_LONGEST = 100
"""Longest name of a point, in characters."""


@dataclass(frozen=True, eq=False)
class Named:
    """A point with its names; ``position`` is in mm in LPS."""

    names: tuple[str, ...]
    """Its label, then its description where it has one."""
    position: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Markup:
    """One markup: points (Fiducial), a line of two points, or an angle of three with the vertex in the middle."""

    kind: str
    points: tuple[Named, ...]


def read_markups(path: Path) -> list[Markup]:
    """Return the markups of a file of 3D Slicer; raises DataError with the reason, without the path."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"the markup file is larger than {MAX_BYTES >> 20} MB; split it in 3D Slicer")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"the markup file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError("the markup file is not UTF-8 text; save it in 3D Slicer again") from None
    return _of_fcsv(text) if path.suffix.lower() == ".fcsv" else _of_json(text)


def _of_fcsv(text: str) -> list[Markup]:
    lines = text.splitlines()
    said = {
        name.strip(): value.strip()
        for name, equals, value in (line.lstrip("# ").partition("=") for line in lines if line.startswith("#"))
        if equals
    }
    signs = _signs(said.get("CoordinateSystem"), "CoordinateSystem")
    columns = [name.strip() for name in said.get("columns", "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc").split(",")]
    if not {"x", "y", "z", "label"} <= set(columns):
        raise DataError("the line '# columns' must name x, y, z and label; save the markups in 3D Slicer again")
    points: list[Named] = []
    for row in csv.reader(line for line in lines if line.strip() and not line.startswith("#")):
        cells = dict(zip(columns, row, strict=False))
        position = [cells.get(axis, "") for axis in "xyz"]
        names = _names(len(points) + 1, cells.get("label"), cells.get("desc"))
        points.append(Named(names, _position(position, signs)))
    return [Markup("Fiducial", tuple(points))]


def _of_json(text: str) -> list[Markup]:
    try:
        whole = json.loads(text)
        found = whole["markups"]
        return [_markup(one) for one in found]
    except (ValueError, RecursionError):
        raise DataError("the markup file is not valid JSON; save it in 3D Slicer again") from None
    except KeyError as error:
        raise DataError(f"the key {error} is missing; {_EXPECTED}") from None
    except (TypeError, AttributeError) as error:
        raise DataError(f"not a markup file ({error}); {_EXPECTED}") from None


def _markup(one: dict[str, Any]) -> Markup:
    kind = str(one["type"])
    if kind not in {"Fiducial", *_COUNTS}:
        raise DataError(f"type: a markup has the type {kind[:40]!r}; expected Fiducial (points), Line or Angle")
    units = one.get("coordinateUnits", "mm")
    if units not in ("mm", ["mm", "mm", "mm"]):
        raise DataError(f"coordinateUnits: {str(units)[:40]!r}; expected mm")
    signs = _signs(one.get("coordinateSystem"), "coordinateSystem")
    points = tuple(
        Named(_names(number, point.get("label"), point.get("description")), _position(point["position"], signs))
        for number, point in enumerate(one["controlPoints"], start=1)
        if point.get("positionStatus", "defined") == "defined"
    )
    if len(points) != _COUNTS.get(kind, len(points)):
        raise DataError(
            f"controlPoints: a markup of the type {kind} has {plural(len(points), 'placed point')}; expected "
            f"{_COUNTS[kind]}"
        )
    return Markup(kind, points)


def _signs(stated: object, key: str) -> tuple[float, float]:
    if str(stated) not in _FRAMES:
        raise DataError(
            f"{key}: {'is missing' if stated is None else repr(str(stated)[:20])}; expected LPS or RAS, the frame in "
            "which the points are given; save the markups in 3D Slicer again"
        )
    return _FRAMES[str(stated)]


def _position(cells: list[Any], signs: tuple[float, float]) -> NDArray[np.float64]:
    try:
        x, y, z = (float(cell) for cell in cells)
    except (TypeError, ValueError, OverflowError):
        x, y, z = (math.nan,) * 3
    if not all(map(math.isfinite, (x, y, z))):
        raise DataError("the position of a point is not three finite numbers; correct it in 3D Slicer")
    return np.array((x * signs[0], y * signs[1], z))


def _names(number: int, label: object, description: object) -> tuple[str, ...]:
    given = {"label": label, "description": description}
    names = {what: text for what, name in given.items() if name and (text := str(name).strip())}
    if not names:
        raise DataError(f"point {number} of a markup has neither a label nor a description; name it in 3D Slicer")
    for what, text in names.items():
        if len(text) > _LONGEST or not text.isprintable():
            raise DataError(
                f"point {number} of a markup: its {what} has over {_LONGEST} characters, or one that cannot be "
                "printed, such as a line break; change it in 3D Slicer"
            )
    return tuple(names.values())
