"""The mask that a sample names: whether the structure is there, and whether box, axes, area and points agree with it.

Contract: a box or an area that the pixels contradict is refused. Axes and points beside the structure are a warning:
readers measure by eye, and landmarks may lie at its edge. Tolerances are those of ``points.py``.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.checking.finding import Fault
from medvision_agent.eval.checking.points import contradiction
from medvision_agent.eval.data.medvision.volume import VolumeCache, read_header
from medvision_agent.eval.data.sample import MaskFile, Sample
from medvision_agent.eval.data.sources.masks import read_numbers
from medvision_agent.eval.data.sources.picture import path_inside
from medvision_agent.quantity import AREA_MM2
from medvision_agent.tools.segment.contour import Mask, component, measure_mask
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["Masks"]

_BESIDE_PX = 2.5
"""Pixels, between centres, by which a point may lie beside the structure: it may be given to a whole pixel."""


class Masks:
    """A reader of the masks that the samples of one file name; masks are in the file's folder or below it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._volumes = VolumeCache()

    def faults(self, sample: Sample, named: MaskFile, height: int, width: int, place: str) -> Iterator[Fault]:
        """Yield each contradiction between a sample and the mask *named* by it, or the reason why it cannot be read.

        The image has *height* x *width* pixels; *place* says in words where the sample is.
        """
        try:
            mask = self._read(sample, named, (height, width), place)
        except DataError as error:
            yield Fault("mask", "mask", str(error))
            return
        if not mask.any():
            told = f"{named.file} has no structure {named.number} on this image; correct the file or mask.number"
            yield Fault("mask", "mask", told)
        elif sample.asks.landmarks:
            yield from _beside(sample, mask)
        else:
            yield from _measured(sample, mask)

    def _read(self, sample: Sample, named: MaskFile, size: tuple[int, int], place: str) -> Mask:
        """Return the mask (height, width) of a sample's structure; DataError if it cannot be read or does not fit.

        The error does not repeat *place*, where the sample is.
        """
        try:
            path = path_inside(self._folder, named.file, place)
        except DataError as error:
            raise DataError(str(error).removeprefix(f"{place}: ").removeprefix("image: ")) from None
        try:
            if sample.volume is None:
                return np.asarray(read_numbers(path, size)[:, :, 0] == named.number)
            shape, asked = read_header(path).shape, sample.volume
            kept = tuple(side for axis, side in enumerate(shape) if axis != asked.slice_dim)
            if kept != size or asked.slice_idx >= shape[asked.slice_dim]:
                raise DataError(f"its shape {shape} is not that of the image; give the mask of this volume")
            return np.asarray(self._volumes.slice(path, asked.slice_dim, asked.slice_idx) == named.number)
        except DataError as error:
            raise DataError(f"{named.file}: {str(error).removeprefix(f'{path}: ')}") from None


def _measured(sample: Sample, mask: Mask) -> Iterator[Fault]:
    """Yield a fault if the target disagrees with the mask.

    It may be that of all pixels of the structure or, except for areas, that of its largest connected piece.
    """
    area = sample.asks.quantity == AREA_MM2
    found = [
        contradiction(sample, _target(sample, shown), *mask.shape, by="mask")
        for shown in ((mask,) if area else (mask, component(mask)))
    ]
    if all(found):
        yield Fault("mask", "target", found[0], refused=area or sample.asks.is_box)


def _target(sample: Sample, mask: Mask) -> tuple[float, ...]:
    """Return a sample's target as measured on a mask: mm, mm2 or, for a box at true pixel edges, fractions."""
    found = measure_mask(mask, Spacing(sample.pixel_size.height_mm, sample.pixel_size.width_mm))
    if sample.asks.is_box:
        (height, width), box = mask.shape, found.box
        return box.x0 / width, 1 - box.y1 / height, box.x1 / width, 1 - box.y0 / height
    if sample.asks.quantity == AREA_MM2:
        return (found.area_mm2,)
    return found.ellipse.major_mm, found.ellipse.minor_mm


def _beside(sample: Sample, mask: Mask) -> Iterator[Fault]:
    """Yield a warning for the first point that lies beside the structure."""
    # Distance of each pixel's centre to the nearest pixel of the structure, in pixels.
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    height, width = mask.shape
    for point in sample.truth_points:
        row, column = min(int(max(point.y, 0)), height - 1), min(int(max(point.x, 0)), width - 1)
        if (far := float(away[row, column])) > _BESIDE_PX:
            told = (
                f"{point.name!r} ({point.x:g}, {point.y:g}) lies {far:.1f} px beside the structure of the mask (at "
                f"most {_BESIDE_PX:g} px are expected); check the point and the mask"
            )
            yield Fault("mask", "truth_points", told, refused=False)
            return
