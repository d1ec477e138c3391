"""Finds the images among files, by their format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.other_forms import is_dicom
from medvision_agent.eval.importing import nifti, pictures

__all__ = ["Inputs", "find_inputs", "has_volumes", "walk"]

_DICOM = (".dcm", ".dicom", ".ima")
"""Suffixes of DICOM files; most DICOM files have none of these."""
_MOST = 200_000
"""Largest number of files in a folder and its subfolders."""


@dataclass(frozen=True)
class Inputs:
    """The image files of an import, by format; each list is sorted by path."""

    volumes: list[Path]
    pictures: list[Path]
    dicom: list[Path]
    others: int
    """How many files have none of these formats."""


def find_inputs(images: Path, without: set[Path]) -> Inputs:
    """Return the image files in *images*, a file or a folder with its subfolders; those in *without* are skipped.

    Raises DataError if *images* does not exist, or has no image or too many files.
    """
    if not images.exists():
        raise DataError(f"{images}: there is no such file or folder; give one with images")
    files = [images] if images.is_file() else list(walk(images, {path.resolve() for path in without}))
    found = Inputs([], [], [], 0)
    others = 0
    for path in sorted(files):
        name = path.name.lower()
        if name.endswith(nifti.SUFFIXES):
            found.volumes.append(path)
        elif name.endswith(pictures.SUFFIXES):
            found.pictures.append(path)
        elif name.endswith(_DICOM) or is_dicom(path):
            found.dicom.append(path)
        else:
            others += 1
    if not (found.volumes or found.pictures or found.dicom):
        raise DataError(f"{images}: no image was found; expected NIfTI (.nii, .nii.gz), DICOM, PNG, JPEG or TIFF files")
    return Inputs(found.volumes, found.pictures, found.dicom, others)


def walk(folder: Path, without: set[Path]) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders in order, without hidden files and those in *without*.

    Raises DataError if they are too many.
    """
    for count, path in enumerate(_below(folder, without)):
        if count == _MOST:
            raise DataError(
                f"{folder}: the folder holds more than {_MOST:,} files; import one of its subfolders at a time"
            )
        yield path


def _below(folder: Path, without: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.resolve() in without:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, without)
        elif path.is_file():
            yield path


def has_volumes(images: Path) -> bool:
    """Return whether *images*, a file or folder, holds NIfTI volumes; raises DataError if it has no image at all."""
    return bool(find_inputs(images, set()).volumes)
