"""Turns masks into ground truth: one function for each task, and the rule that chooses slices.

Boxes and ellipses are measured as everywhere in this program (``tools/segment/contour.py``): boxes at the outer edges
of pixels, ellipses fitted in mm to the true edge. A task that can be derived from a mask is one entry of ``FROM_MASK``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices, Convention
from medvision_agent.eval.importing.found import Question, Scan
from medvision_agent.eval.importing.grid import Cut
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.tasks import TaskName
from medvision_agent.tools.segment.contour import Mask, component, measure_mask
from medvision_agent.tools.view.geometry import Point, Size, Spacing

__all__ = ["FROM_MASK", "box_target", "from_masks"]

Truth = tuple[tuple[float, ...], tuple[tuple[str, Point], ...]]
"""A target, and the points in the slice frame from which it was made."""
Numbers = NDArray[np.int64]
"""The numbers of structures, as the voxels of an image: (i, j, k), or (h, w, 1)."""

_LARGEST = "the slice with most pixels of the structure"
_MIDDLE = "several slices have most pixels of the structure: the middle one of these (the first of the middle two)"


def box_target(edges: tuple[float, float, float, float], size: Size, convention: Convention) -> Truth:
    """Return the target, in *convention*, of a box at true pixel edges x0, y0, x1, y1 (slice frame), and its corners.

    The target is x1, y1, x2, y2 as fractions of the image's *size*, y upwards. ``inclusive-index`` boxes run from the
    index of the first pixel to that of the last, so they are one pixel short: DataError if the box is one pixel wide or
    high.
    """
    x0, y0, x1, y1 = edges
    if convention == "inclusive-index":
        x1, y1 = x1 - 1, y1 - 1
        if x1 <= x0 or y1 <= y0:
            raise DataError(
                "the structure is one pixel wide or high, so the box is empty in the convention inclusive-index; give "
                "--convention edge"
            )
    corners = (("lower left", Point(x0, y1)), ("upper right", Point(x1, y0)))
    return (x0 / size.width, 1 - y1 / size.height, x1 / size.width, 1 - y0 / size.height), corners


def _box(mask: Mask, spacing: Spacing, convention: Convention) -> Truth:
    box = measure_mask(mask, spacing).box
    return box_target((box.x0, box.y0, box.x1, box.y1), Size(*mask.shape), convention)


def _axes(mask: Mask, spacing: Spacing, convention: Convention) -> Truth:  # noqa: ARG001 - of boxes alone
    ellipse = measure_mask(mask, spacing).ellipse
    names = ("major 1", "major 2", "minor 1", "minor 2")
    return (ellipse.major_mm, ellipse.minor_mm), tuple(zip(names, (*ellipse.major, *ellipse.minor), strict=True))


def _area(mask: Mask, spacing: Spacing, convention: Convention) -> Truth:  # noqa: ARG001 - of boxes alone
    return (int(mask.sum()) * spacing.height_mm * spacing.width_mm,), ()


@dataclass(frozen=True)
class Rule:
    """A rule by which the ground truth of a task follows from a mask."""

    truth: Callable[[Mask, Spacing, Convention], Truth]
    words: str
    """The rule in words; may name the ``{convention}``."""
    of_one_piece: bool = True
    """Whether a structure in several pieces has no single answer."""


FROM_MASK: Mapping[TaskName, Rule] = {
    "detection": Rule(_box, "box around the pixels of the mask ({convention})"),
    "size": Rule(_axes, "axes in mm of the ellipse fitted to the edge of the mask"),
    "area": Rule(_area, "pixels of the mask times the pixel size, in mm2", of_one_piece=False),
}
"""Every task that can be made from masks."""


def from_masks(scan: Scan, numbers: Numbers, choices: Choices, ledger: Ledger) -> Iterator[Question]:
    """Yield the possible questions about the structures of an image's mask; what is left out is noted in *ledger*.

    *numbers* are the numbers of structures at the image's voxels.
    """
    yield from _Structures(scan, numbers, choices, ledger).questions()


class _Structures:
    """The structures in the mask of one image, and the questions about them."""

    def __init__(self, scan: Scan, numbers: Numbers, choices: Choices, ledger: Ledger) -> None:
        self._scan, self._numbers, self._choices, self._ledger = scan, numbers, choices, ledger
        self._cut: Cut = scan.cut(choices.plane)

    def questions(self) -> Iterator[Question]:
        """Yield the questions about every structure that the user chose (default: all)."""
        labels, tag = self._choices.labels, self._scan.tag
        present = {int(one) for one in np.unique(self._numbers) if one}
        self._ledger.structures |= present
        asked = sorted(present & set(labels) if labels else present)
        for number in asked:
            if self._redacted(number):
                self._leave(
                    f"{self._label(number)}: a rectangle of --redact covers a part of this structure, so nothing is "
                    "asked about it"
                )
                continue
            if number not in labels:
                self._ledger.ask(
                    f"What is the structure number {number} of the masks? Give --labels {number}=NAME.", tag
                )
            for index in self._slices(number):
                yield from self._on(number, index)
        for number in sorted(set(labels) - set(present)):
            if asked:  # not every person has every structure
                self._ledger.note("structures", f"{number} ({labels[number]}) is not in the mask, others are")
            else:
                self._leave(f"the mask has no structure {number} ({labels[number]}) of --labels; is this number right?")

    def _redacted(self, number: int) -> bool:
        """Return whether a part of this structure lies in a blackened rectangle of the image."""
        return any(
            (
                self._numbers[(slice(x0, x1), slice(y0, y1)) if self._scan.grid else (slice(y0, y1), slice(x0, x1))]
                == number
            ).any()
            for x0, y0, x1, y1 in self._choices.redact
        )

    def _slices(self, number: int) -> list[int]:
        """Return the indices of the slices on which this structure is asked about.

        Empty if it is not on the named slice.
        """
        others = tuple(axis for axis in range(3) if axis != self._cut.axis)
        counts, asked = (self._numbers == number).sum(axis=others), self._choices.slices
        if asked == "all":
            return [int(index) for index in np.flatnonzero(counts)]
        if asked == "largest":
            largest = np.flatnonzero(counts == counts.max())
            if len(counts) > 1:
                self._ledger.note("slices", _LARGEST if len(largest) == 1 else _MIDDLE)
            return [int(largest[(len(largest) - 1) // 2])]
        if asked >= len(counts) or not counts[asked]:
            self._leave(f"{self._label(number)}: is not on {self._cut.plane} slice {asked}, which --slices names")
            return []
        return [asked]

    def _on(self, number: int, index: int) -> Iterator[Question]:
        """Yield the questions about structure *number* on slice *index*."""
        mask: Mask = np.ascontiguousarray(self._cut.picture(self._numbers, index) == number)
        pieces = int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0]) - 1
        where = f"{self._label(number)}, {self._cut.plane} slice {index}"
        if mask[[0, -1]].any() or mask[:, [0, -1]].any():
            self._ledger.ask("A structure touches the edge of its image. Is it cut off there?", self._scan.tag)
        single = [task for task in self._choices.tasks if pieces > 1 and FROM_MASK[task].of_one_piece]
        if single and self._choices.pieces == "one":
            self._leave(
                f"{where}: in {pieces} pieces, so there is no single answer to {' and '.join(single)}; give --pieces "
                "largest to ask about the largest piece"
            )
        elif single:
            self._ledger.note("mask", "the largest of several pieces on the slice")
        for task in self._choices.tasks:
            if task in single and self._choices.pieces == "one":
                continue
            shown = component(mask) if task in single else mask
            try:
                target, points = FROM_MASK[task].truth(shown, self._cut.spacing, self._choices.convention)
            except DataError as error:
                self._leave(f"{where}, {task}: {error}")
                continue
            self._ledger.note(f"target of {task}", FROM_MASK[task].words.format(convention=self._choices.convention))
            yield Question(
                task=task,
                index=index,
                label=self._label(number),
                target=target,
                points=points,
                derived=True,
                plane=self._cut.plane if self._scan.grid else "",
            )

    def _label(self, number: int) -> str:
        return self._choices.labels.get(number, f"structure {number}")

    def _leave(self, reason: str) -> None:
        self._ledger.leave(self._scan.tag, self._scan.path, reason)
