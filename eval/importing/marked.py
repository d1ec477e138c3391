"""Turns markups into questions: points are projected onto the one slice whose plane contains them.

Points farther from the plane than half a slice are refused and reported: their measure does not lie on one slice.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError, nearest
from medvision_agent.eval.importing.choices import Choices, Measure
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.grid import PLANES, Cut
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.markups import Markup, Named, read_markups
from medvision_agent.eval.importing.measures import angle, axes, distance
from medvision_agent.tools.view.geometry import Point

__all__ = ["from_markups"]

_PLAIN = re.compile(r"[A-Z]{1,2}(_\d+)?-?\d+")
"""Default labels of 3D Slicer, such as L-1 and F_2-3."""
_SLACK_MM = 1e-3
_OPTIONS = {"distance": "--distance", "angle": "--angle", "size": "--axes"}
"""The option that defines a measure of each task."""
_SHORTER = 0.01
"""Share by which a projected length may be shorter before the summary reports it."""


def from_markups(scan: Scan, files: list[Path], choices: Choices, ledger: Ledger) -> Iterator[Question]:
    """Yield the questions from the markup *files* of an image; what is left out is noted in *ledger*."""
    found: list[Markup] = []
    at = scan.path
    try:
        if scan.grid is None:
            raise DataError(
                "markups are points in mm in the patient, but this image states no position in the patient; give its "
                "points in pixels with --table"
            )
        for at in files:
            found += read_markups(at)
        asked = list(_asked(found, choices))
    except DataError as error:
        ledger.leave(scan.tag, at, str(error))
        return
    if not files:
        ledger.leave(
            scan.tag, scan.path, "--markups has no file of this image; its name must begin with that of the image"
        )
    for measure, points in asked:
        try:
            yield _question(scan, measure, points, choices, ledger)
        except DataError as error:
            ledger.leave(scan.tag, scan.path, f"{measure.task} {measure.name or '-'.join(measure.parts)}: {error}")


def _asked(found: Sequence[Markup], choices: Choices) -> Iterator[tuple[Measure, list[Named]]]:
    """Yield each measure with its points: those that the user defined, or else every line and angle of the markups.

    Raises DataError for a point that does not exist, and for points that no measure uses.
    """
    if not choices.measures:
        if found and all(markup.kind == "Fiducial" for markup in found):
            raise DataError(
                "the markups are points without lines or angles; say what the points measure with --distance "
                "NAME=A,B, --angle NAME=A,B,C or --axes NAME=A,B,C,D"
            )
        for markup in found:
            if markup.kind != "Fiducial":
                names = tuple(point.names[0] for point in markup.points)
                yield Measure("distance" if markup.kind == "Line" else "angle", _common(names), names), [*markup.points]
        return
    known = _by_name(found)
    for measure in choices.measures:
        for part in measure.parts:
            if part not in known:
                raise DataError(
                    f"{_OPTIONS[measure.task]} {measure.name}: no point of the markups has the name {part!r}; correct "
                    f"the option, or rename the point.{nearest(part, known)}"
                )
        yield measure, [known[part] for part in measure.parts]


def _by_name(found: Sequence[Markup]) -> dict[str, Named]:
    known: dict[str, Named] = {}
    for point in (point for markup in found for point in markup.points):
        for name in point.names:
            if known.setdefault(name, point) is not point:
                raise DataError(f"two points of the markups have the name {name!r}; rename one of them")
    return known


def _question(scan: Scan, measure: Measure, points: list[Named], choices: Choices, ledger: Ledger) -> Question:
    cut, index, places = _projected(scan, [point.position for point in points], choices.plane)
    named = list(zip(measure.parts, places, strict=True))
    if measure.task == "size":
        question = axes(places, cut.spacing, index, measure.name)
    else:
        question = (distance if measure.task == "distance" else angle)(named, cut.spacing, index, measure.name)
        if any(map(_PLAIN.fullmatch, measure.parts)):
            ledger.ask("What are the points called? Their labels are 3D Slicer's own; rename them there.", scan.tag)
    if measure.task == "distance":
        length = float(np.linalg.norm(points[0].position - points[1].position))
        if question.target[0] < length * (1 - _SHORTER):
            ledger.note("target of distance", "shorter in the plane of the slice than between the points by over 1%")
    ledger.note(f"target of {measure.task}", "markups, projected to the slice that holds them")
    return replace(question, plane=cut.plane)


def _projected(scan: Scan, positions: list[NDArray[np.float64]], plane: str) -> tuple[Cut, int, list[Point]]:
    """Return the cut and the index of the slice that contains all positions, and these positions in its image.

    *positions* are in mm in LPS, the returned points in pixels of the slice frame. *plane* empty: any plane. Raises
    DataError if no slice contains them all.
    """
    assert scan.grid is not None  # noqa: S101 - checked by the caller
    first = scan.cut(plane)
    reasons = []
    for cut in [first] if plane else [first, *(scan.cut(name) for name in PLANES if name != first.plane)]:
        inverse = np.linalg.inv(scan.grid.affine)
        along = [float((inverse @ np.append(one, 1.0))[cut.axis]) for one in positions]
        index = round(float(np.mean(along)))
        away = max(abs(one - index) for one in along) * cut.thickness_mm
        most = (scan.thickness_mm if cut is first and scan.thickness_mm else cut.thickness_mm) / 2
        shape = scan.grid.shape
        inside = 0 <= index < shape[cut.axis]
        if inside and away <= most + _SLACK_MM:
            return cut, index, [cut.point(scan.grid.foot(cut, one, index), shape) for one in positions]
        far = f"one is {away:.1f} mm from slice {index}, the limit (half a slice) is {most:.1f} mm"
        reasons.append(f"{cut.plane}: {far if inside else 'they lie outside the volume'}")
    raise DataError(f"the points lie on no common slice ({'; '.join(reasons)}); place all of them on one slice")


def _common(names: tuple[str, ...]) -> str:
    """Return the name of a markup, which 3D Slicer puts before the number of each of its points.

    Empty if the labels *names* have no common name, or are 3D Slicer's defaults.
    """
    stems = {name.rpartition("-")[0] for name in names}
    stem = stems.pop() if len(stems) == 1 else ""
    return "" if any(map(_PLAIN.fullmatch, names)) else stem
