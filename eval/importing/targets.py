"""Masks made into ground truth: one function for each task, and the rule which slices are asked about.

Boxes and ellipses are measured as everywhere in this program (``tools/segment/contour.py``): boxes at the outer edges of
pixels, ellipses fitted in mm to the true edge. A task that can be derived from a mask is one entry of ``FROM_MASK``.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices, Convention
from medvision_agent.eval.importing.found import Ledger, Question, Scan
from medvision_agent.eval.importing.grid import Cut
from medvision_agent.eval.tasks import TaskName
from medvision_agent.text import plural
from medvision_agent.tools.segment.contour import Mask, component, measure_mask
from medvision_agent.tools.view.geometry import Point, Size, Spacing

__all__ = ["FROM_MASK", "box_target", "from_masks"]

Truth = tuple[tuple[float, ...], tuple[tuple[str, Point], ...]]
"""A target, and the points it was made from in the slice frame."""
Numbers = NDArray[np.int64]
"""The numbers of structures, as the voxels of an image: (i, j, k), or (h, w, 1)."""


def box_target(x0: float, y0: float, x1: float, y1: float, size: Size, convention: Convention) -> Truth:
    """Return the target of a box at true pixel edges (slice frame), in *convention*; DataError where it is empty there.

    ``inclusive-index`` boxes run from the index of the first pixel to that of the last, so they are one pixel short.
    """
    if convention == "inclusive-index":
        x1, y1 = x1 - 1, y1 - 1
        if x1 <= x0 or y1 <= y0:
            raise DataError("one pixel wide or high: its box is empty in the convention inclusive-index; use edge")
    corners = (("lower left", Point(x0, y1)), ("upper right", Point(x1, y0)))
    return (x0 / size.width, 1 - y1 / size.height, x1 / size.width, 1 - y0 / size.height), corners


def _box(mask: Mask, spacing: Spacing, convention: Convention) -> Truth:
    box = measure_mask(mask, spacing).box
    return box_target(box.x0, box.y0, box.x1, box.y1, Size(*mask.shape), convention)


def _axes(mask: Mask, spacing: Spacing, convention: Convention) -> Truth:  # noqa: ARG001 - of boxes alone
    ellipse = measure_mask(mask, spacing).ellipse
    names = ("major 1", "major 2", "minor 1", "minor 2")
    return (ellipse.major_mm, ellipse.minor_mm), tuple(zip(names, (*ellipse.major, *ellipse.minor), strict=True))


FROM_MASK: Mapping[TaskName, Callable[[Mask, Spacing, Convention], Truth]] = {"detection": _box, "size": _axes}
"""How the ground truth of each task follows from a mask."""
_HOW = {
    "detection": "box around the pixels of the mask ({convention})",
    "size": "axes in mm of the ellipse fitted to the edge of the mask",
}


def from_masks(scan: Scan, numbers: Numbers, choices: Choices, ledger: Ledger) -> Iterator[Question]:
    """Yield what can be asked about the structures of a mask; what is left out goes to the ledger."""
    cut = scan.cut(choices.plane)
    if scan.grid is not None and cut.tilt_deg > 1:
        ledger.note("plane", f"{cut.plane}: the axes of the array, {cut.tilt_deg:.0f} degrees oblique, not resampled")
    present = [int(one) for one in np.unique(numbers) if one]
    for number in present if not choices.labels else [one for one in present if one in choices.labels]:
        if number not in choices.labels:
            ledger.ask(f"What is the structure number {number} of the masks? Give --labels {number}=NAME.", scan.tag)
        for index in _slices(numbers == number, cut, choices, scan, ledger):
            yield from _questions(scan, cut, numbers, number, index, choices, ledger)
    for number in sorted(set(choices.labels) - set(present)):
        ledger.leave(scan.tag, scan.path, f"the mask has no structure {number} ({choices.labels[number]})")


def _slices(inside: NDArray[np.bool_], cut: Cut, choices: Choices, scan: Scan, ledger: Ledger) -> list[int]:
    """Return which slices of a structure are asked about."""
    counts = inside.sum(axis=tuple(axis for axis in range(3) if axis != cut.axis))
    if choices.slices == "all":
        return [int(index) for index in np.flatnonzero(counts)]
    if choices.slices == "largest":
        return [int(counts.argmax())]
    if choices.slices >= len(counts) or not counts[choices.slices]:
        ledger.leave(scan.tag, scan.path, f"{cut.plane} slice {choices.slices} does not show the structure")
        return []
    return [choices.slices]


def _questions(
    scan: Scan, cut: Cut, numbers: Numbers, number: int, index: int, choices: Choices, ledger: Ledger
) -> Iterator[Question]:
    label = choices.labels.get(number, f"structure {number}")
    mask: Mask = cut.picture(numbers, index) == number
    pieces = int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0]) - 1
    where = f"{label}, {cut.plane} slice {index}"
    if pieces > 1:
        if choices.pieces == "one":
            reason = (
                f"{where}: in {plural(pieces, 'piece')}, so no single box or size; --pieces largest takes the largest"
            )
            ledger.leave(scan.tag, scan.path, reason)
            return
        ledger.note("mask", "the largest of several pieces on the slice")
        mask = component(mask)
    for task in choices.tasks:
        try:
            target, points = FROM_MASK[task](mask, cut.spacing, choices.convention)
        except DataError as error:
            ledger.leave(scan.tag, scan.path, f"{where}, {task}: {error}")
            continue
        ledger.note(f"target of {task}", _HOW[task].format(convention=choices.convention))
        yield Question(
            task=task, index=index, label=label, target=target, points=points, derived=True, plane=cut.plane
        )  # fmt: skip
