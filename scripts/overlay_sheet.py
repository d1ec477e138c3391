"""Draw the contact sheet of docs/tools.md: ``python scripts/overlay_sheet.py [FOLDER]``.

One image of the demo set at five sizes, with what tools draw on it and with every display, each enlarged or reduced to
one size. With a folder, every picture is also written to it at 512 pixels, to be looked at.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.data.sources import open_source
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.display import shown
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Spacing
from medvision_agent.tools.view.overlay import Overlay
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import Display, ViewSet

TARGET = Path(__file__).parent.parent / "docs" / "pictures" / "overlays.jpg"
SAMPLE = "pyrad_brain1_z16__size_tumour"
SIDES = (32, 120, 300, 600, 2048)
"""Longer sides of the pictures, in pixels."""
TILE = 240
"""Side of one picture of the sheet, in pixels."""
DISPLAYS: tuple[Display, ...] = ("ticks", "grid", "scale-bar")
Picture = NDArray[np.uint8]


def main(folder: Path | None = None) -> None:
    """Write the sheet, and the pictures at 512 pixels where a folder is given."""
    columns = [_column(side) for side in SIDES]
    for side, column in zip(SIDES, columns, strict=True):
        for name, picture in column.items():
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / f"{name}-{side}.png"), _fitted(picture, 512)[:, :, ::-1])
    rows = [np.hstack([_framed(column[name]) for column in columns]) for name in columns[0]]
    cv2.imwrite(str(TARGET), np.vstack(rows)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


def _column(side: int) -> dict[str, Picture]:
    """Return the drawings on the image, by name, where its longer side has *side* pixels."""
    views, ends = _views(side)
    at = [views.coordinates(views.whole, end) for end in ends]
    lines = [(*at[0], *at[1]), (*at[2], *at[3])]
    names = ("x0", "y0", "x1", "y1")
    a, b = (dict(zip(names, line, strict=True)) for line in lines)
    xs, ys = zip(*at, strict=True)
    region = dict(zip(names, (min(xs), min(ys), max(xs), max(ys)), strict=True))
    both = {f"{name}{key}": value for name, line in (("a", a), ("b", b)) for key, value in line.items()}
    calls = {"ruler": a, "protractor": both, "fit_contour": region}
    drawn = {name: _called(name, views, arguments) for name, arguments in calls.items()}
    drawn["points"] = Overlay(views.whole).point(ends[0], "left").point(ends[1], "right").picture("").pixels
    for display in DISPLAYS:
        one = ViewSet(views.slice, Native(), FRAMES["pixel" if display == "grid" else "medvision"], display)
        drawn[display] = np.stack([shown(one, one.whole)] * 3, axis=-1)
    return drawn


def _views(side: int) -> tuple[ViewSet, list[Point]]:
    """Return the views of the image at a size, and the ends of its tumour's axes."""
    source = open_source("demo")
    sample = next(sample for sample in source.samples if sample.id == SAMPLE)
    values = source.load(sample).values
    scale = side / max(values.shape)
    size = (round(values.shape[1] * scale), round(values.shape[0] * scale))
    resized = cv2.resize(values, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    spacing = Spacing(sample.pixel_size.height_mm / scale, sample.pixel_size.width_mm / scale)
    ends = [Point(point.x * scale, point.y * scale) for point in sample.truth_points]
    return ViewSet(grey_slice(resized, spacing), Native()), ends


def _called(name: str, views: ViewSet, arguments: dict[str, float | str]) -> Picture:
    reply = TOOLS[name].call(views, arguments)
    if reply.picture is None:
        sys.exit(f"{name}: {reply.text}")
    return reply.picture.pixels


def _fitted(picture: Picture, side: int) -> Picture:
    """Return a picture with its longer side at *side* pixels; an enlarged one shows its pixels."""
    scale = side / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def _framed(picture: Picture) -> Picture:
    return cv2.copyMakeBorder(_fitted(picture, TILE), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(128, 128, 128))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
