"""Masks of a DICOM series that are drawn slice by slice: one file for each image of the series, of the same name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.masks import numbered, read_levels
from medvision_agent.eval.importing import pictures
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.names import stem_of

__all__ = ["read_stack", "slice_files"]


def slice_files(folder: Path, slices: Mapping[Path, int]) -> dict[int, Path]:
    """Return the mask files of a series in *folder*, by the index of their slice; empty if none has a slice's name.

    *slices* are the files of the series, with the index of each one's slice. Raises DataError where some of the images
    in the folder, but not all, have the name of a file of the series.
    """
    names = {stem_of(path): index for path, index in slices.items()}
    if len(names) < len(slices):
        return {}
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in pictures.SUFFIXES]
    found = {names[path.stem]: path for path in files if path.stem in names}
    if found and len(found) < len(files):
        raise DataError(
            f"{len(files) - len(found)} of the {len(files)} images in the folder of masks belong to no file of the "
            "series, or to one that has another mask; give each mask the name of its image file, and remove the others"
        )
    return found


def read_stack(files: dict[int, Path], scan: Scan, ledger: Ledger) -> NDArray[np.int64]:
    """Return the numbers of structures at the voxels of a series, (i, j, k); 0 on slices without a mask.

    *files* are the masks by the index of their slice. Raises DataError with that index if a mask cannot be read, or has
    another size.
    """
    columns, rows, slices = scan.values.shape
    numbers = np.zeros(scan.values.shape, np.int64)
    for index, path in files.items():
        try:
            numbers[:, :, index] = read_levels(path, (rows, columns)).T
        except DataError as error:
            raise DataError(f"slice {index} (from 0): {error}") from None
    ledger.note("mask", "one image for each slice", len(files))
    if len(files) < slices:
        ledger.note("mask", "slices without a mask: taken as free of structures", slices - len(files))
    return numbered(numbers)
