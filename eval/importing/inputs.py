"""Finds the images among files, their format, and the mask or markup that belongs to each image."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sources.other_forms import is_dicom
from medvision_agent.eval.importing import nifti, pictures
from medvision_agent.eval.importing.found import Scan

__all__ = ["Inputs", "find_inputs", "has_volumes", "longer_names", "matching", "stem_of_alias"]

_DICOM = (".dcm", ".dicom", ".ima")
"""Suffixes of DICOM files; most DICOM files have none of these."""
_SEPARATORS = frozenset("_-.")
_MOST = 200_000
"""Largest number of files in a folder."""


@dataclass(frozen=True)
class Inputs:
    """The images of a file or folder, by form; each list is sorted by path."""

    volumes: list[Path]
    pictures: list[Path]
    dicom: list[Path]
    others: int
    """How many files have none of these formats."""


def find_inputs(images: Path, without: set[Path]) -> Inputs:
    """Return the images of a file, or of a folder and its subfolders; files and folders in *without* are skipped."""
    if not images.exists():
        raise DataError(f"{images}: no such file or folder")
    files = [images] if images.is_file() else list(_walk(images, {path.resolve() for path in without}))
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
        raise DataError(f"{images}: contains no image; expected NIfTI (.nii, .nii.gz), DICOM, PNG, JPEG or TIFF files")
    return Inputs(found.volumes, found.pictures, found.dicom, others)


def _walk(folder: Path, without: set[Path]) -> Iterator[Path]:
    count = 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.resolve() in without:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, without)
        elif path.is_file():
            count += 1
            if count > _MOST:
                raise DataError(f"{folder}: more than {_MOST} files; import a part of it at a time")
            yield path


def matching(root: Path, scan: Scan, only: bool, suffixes: tuple[str, ...], what: str) -> list[Path]:
    """Return the files of *root*, a file or a folder, that belong to an image.

    The name of such a file begins with that of its image (``case-7.nii.gz``: ``case-7.png``, ``case-7_mask.nii.gz``).
    With *only* one image, a single file belongs to it under any name. A file at the same path below *root* as its image
    below the folder of images is taken first, so that images in several folders may have one name.
    """
    if not root.exists():
        raise DataError(f"{root}: no such file or folder")
    if scan.crowded:
        raise DataError(
            f"its folder holds another series of as many images, so it is unclear whose {what} is; move each series to "
            "a folder of its own"
        )
    if root.is_file():
        if not only:
            raise DataError(f"{what} is one file, but there are several images; give a folder of files named like them")
        return [root]
    files = [path for path in _walk(root, set()) if path.name.lower().endswith(suffixes)]
    if only and len(files) == 1:
        return files
    if same := [path for path in files if _below(path, root) == scan.below]:
        return same
    if scan.twins:
        raise DataError(
            f"several images have this name, so it is unclear whose {what} is; give the file of each the path below "
            f"{what} that the image has below its folder, or give each image its own name"
        )
    stems = {stem_of_alias(alias) for alias in scan.aliases}
    exact = [path for path in files if nifti.stem_of(path) in stems]
    begin = [path for path in files if _begins(nifti.stem_of(path), stems)]
    return exact or [
        path
        for path in begin
        if nifti.stem_of(path) not in scan.longer and not _begins(nifti.stem_of(path), scan.longer)
    ]


def longer_names(stems: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, for each name, the other names that begin with it and go on with a separator."""
    known = set(stems)
    found: dict[str, set[str]] = {}
    for name in known:
        for at in (at for at, sign in enumerate(name) if sign in _SEPARATORS and name[:at] in known):
            found.setdefault(name[:at], set()).add(name)
    return {name: frozenset(others) for name, others in found.items()}


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).with_name(nifti.stem_of(path)).as_posix()


def stem_of_alias(alias: str) -> str:
    """Return the name of an image with which those of its masks begin, without nnU-Net's channel number."""
    return nifti.stem_of(Path(alias)).removesuffix("_0000")


def _begins(name: str, stems: Collection[str]) -> bool:
    return any(name.startswith(stem) and name[len(stem) : len(stem) + 1] in _SEPARATORS for stem in stems)


def has_volumes(images: Path) -> bool:
    """Return whether a file or folder holds NIfTI volumes, which are cut into planes; DICOM may be radiographs."""
    return bool(find_inputs(images, set()).volumes)
