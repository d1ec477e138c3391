"""Masks of a DICOM series that are drawn slice by slice: one picture for each image of the series, of the same name."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.masks import numbered, read_levels
from medvision_agent.eval.importing import pictures
from medvision_agent.eval.importing.found import Ledger, Scan

__all__ = ["read_stack", "slice_files"]

_DICOM = (".dcm", ".dicom", ".ima")
"""Suffixes of DICOM files that a mask's name leaves out; other dots belong to the name."""


def slice_files(root: Path, scan: Scan, *, only: bool) -> dict[int, Path]:
    """Return the mask of each slice of a series, by the slice's index; empty where its masks are of another form.

    The pictures lie in the folder of *root* at the series' own path, or in *root* itself where there is *only* one
    image. Raises DataError where some of them, but not all, have the name of an image of the series.
    """
    folder = root / scan.below
    if not folder.is_dir():
        folder = root
        if not (only and root.is_dir()):
            return {}
    names = {_bare(path.name): index for path, index in scan.members.items()}
    if len(names) < len(scan.members):
        return {}
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in pictures.SUFFIXES]
    found = {names[path.stem]: path for path in files if path.stem in names}
    if found and len(found) < len(files):
        raise DataError(
            f"{len(files) - len(found)} of the {len(files)} pictures in its folder of masks belong to no image of the "
            "series, or to one that has another; name each like its image, and remove the others"
        )
    return found


def read_stack(files: dict[int, Path], scan: Scan, ledger: Ledger) -> NDArray[np.int64]:
    """Return the numbers of the structures on the voxels of a series; slices without a picture hold none."""
    columns, rows, slices = scan.values.shape
    numbers = np.zeros(scan.values.shape, np.int64)
    for index, path in files.items():
        numbers[:, :, index] = read_levels(path, (rows, columns)).T
    ledger.note("mask", "one picture for each slice", len(files))
    if len(files) < slices:
        ledger.note("mask", "slices without a picture: taken as free of structures", slices - len(files))
    return numbered(numbers)


def _bare(name: str) -> str:
    return name.rpartition(".")[0] if name.lower().endswith(_DICOM) else name
