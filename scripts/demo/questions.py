"""Turns an image into samples: boxes and axes from masks, distances and angles from landmarks."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from demo.pictures import AFIDS, Picture

from medvision_agent.eval.data.sample import Landmark, Marks, PixelSize, Sample
from medvision_agent.tools.segment.contour import Mask, component, measure_mask
from medvision_agent.tools.view.geometry import Point, acute_angle_deg, distance_mm

DIGITS = 4
"""Decimals of a pixel, a millimetre or a degree that are stored."""
_WHOLE = {
    "AC": "anterior commissure (AC)",
    "PC": "posterior commissure (PC)",
    "PMJ": "pontomesencephalic junction (PMJ)",
}
_PARTS = {
    "LMS": "lateral mesencephalic sulcus",
    "LV": "lateral ventricle",
    "CC": "corpus callosum",
    "R ": "right ",
    "L ": "left ",
}
"""How the fiducials' short labels are spoken."""


def detection(picture: Picture, name: str, label: str, **fields: Any) -> Sample:
    """Return the question for the box of *label*; its ground truth is the box of the mask, at pixel edges."""
    mask = _one_piece(picture.masks(label), f"{picture.stem}: {label}")
    box, (height, width) = measure_mask(mask, picture.spacing).box, mask.shape
    corners = {"lower left": Point(box.x0, box.y1), "upper right": Point(box.x1, box.y0)}
    target = (box.x0 / width, 1 - box.y1 / height, box.x1 / width, 1 - box.y0 / height)
    return _sample(picture, f"det_{name}", "detection", target, corners.items(), label=label, **fields)


def size(picture: Picture, label: str) -> Sample:
    """Return the question for the axes of *label*; their ground truth is an ellipse fitted to the mask's outline."""
    ellipse = measure_mask(_one_piece(picture.masks(label), picture.stem), picture.spacing).ellipse
    ends = zip(("major 1", "major 2", "minor 1", "minor 2"), (*ellipse.major, *ellipse.minor), strict=True)
    name = label.rsplit(maxsplit=1)[-1].replace("lesion", "tumour")
    return _sample(picture, f"size_{name}", "size", (ellipse.major_mm, ellipse.minor_mm), ends, label=label)


def distance(picture: Picture, name: str, points: Sequence[tuple[str, Point]], **fields: Any) -> Sample:
    """Return the question for the distance of two named points."""
    (_, a), (_, b) = points
    target = (distance_mm(_rounded(a), _rounded(b), picture.spacing),)
    return _sample(picture, f"dist_{name}", "distance", target, points, landmarks=_names(points), **fields)


def angle(picture: Picture, name: str, points: Sequence[tuple[str, Point]], **fields: Any) -> Sample:
    """Return the question for the acute angle of two lines: points 1-2 and points 3-4."""
    target = (acute_angle_deg(*(_rounded(point) for _, point in points), picture.spacing),)
    if points[1] == points[2]:
        meant = f"the angle at {points[1][0]}, given as the acute angle of the two lines that meet there"
        fields["source"] = f"{picture.facts['source']}; {meant}"
    return _sample(picture, f"angle_{name}", "angle", target, points, landmarks=_names(points), **fields)


def afids(picture: Picture, root: Path, *labels: str) -> list[tuple[str, Point]]:
    """Return anatomical fiducials of the template by the labels of their file, with spoken names."""
    table = _read_fcsv(root / f"{AFIDS}_desc-groundtruth_afids.fcsv")
    return [(_spoken(label), picture.volume.place(picture.plane, table[label])[0]) for label in labels]


def corners(picture: Picture, body: str) -> Mapping[str, tuple[str, Point]]:
    """Return corners of a vertebral body in a sagittal mask by short name (SA: superior-anterior), pixel centres."""
    rows, columns = np.nonzero(picture.masks(body))
    found = {}
    for short, spoken, score in (
        ("SA", "superior-anterior", -rows - columns),
        ("SP", "superior-posterior", columns - rows),
        ("IP", "inferior-posterior", rows + columns),
    ):
        best = int(np.argmax(score))
        point = Point(float(columns[best]) + 0.5, float(rows[best]) + 0.5)
        found[short] = f"{spoken} corner of the {body}", point
    return found


def _sample(picture: Picture, name: str, task: str, target: Any, points: Any, **fields: Any) -> Sample:
    digits = 10 if task == "detection" else DIGITS
    spacing = picture.spacing
    return Sample(
        id=f"{picture.stem}__{name}",
        task=task,
        pixel_size=PixelSize(height_mm=round(spacing.height_mm, 8), width_mm=round(spacing.width_mm, 8)),
        target=tuple(round(float(number), digits) for number in target),
        truth_points=tuple(Landmark(name=name, x=_rounded(at).x, y=_rounded(at).y) for name, at in points),
        marks=fields.pop("marks", Marks(silver=picture.facts["dataset"] == "totalsegmentator")),
        **picture.facts | fields,
    )


def _one_piece(mask: Mask, what: str) -> Mask:
    if not np.array_equal(component(mask), mask):
        raise ValueError(f"{what}: in several pieces, so it has no single box")
    return mask


def _rounded(point: Point) -> Point:
    return Point(round(float(point.x), DIGITS), round(float(point.y), DIGITS))


def _names(points: Sequence[tuple[str, Point]]) -> tuple[str, ...]:
    return tuple(name for name, _ in points)


def _spoken(label: str) -> str:
    if label in _WHOLE:
        return _WHOLE[label]
    for short, spoken in _PARTS.items():
        label = label.replace(short, spoken)
    return label


def _read_fcsv(path: Path) -> dict[str, np.ndarray]:
    """Read a 3D Slicer fiducial file; its first comment lines say the coordinates are RAS mm."""
    lines = path.read_text().splitlines()
    if "# CoordinateSystem = 0" not in lines:
        raise ValueError(f"{path}: not in RAS coordinates")
    rows = csv.reader(line for line in lines if not line.startswith("#"))
    return {row[12]: np.array([float(number) for number in row[1:4]]) for row in rows}
