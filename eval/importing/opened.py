"""Opens the images of a user one after the other, each with its number and the names by which it may be called.

A name that several images have is nobody's: a mask, a markup or a row under it would be that of the wrong person.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from medvision_agent.errors import DataError
from medvision_agent.eval.importing import nifti, pictures
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.dicom import open_series
from medvision_agent.eval.importing.found import Ledger, Scan
from medvision_agent.eval.importing.inputs import Inputs, longer_names, stem_of_alias

__all__ = ["aliases_of", "open_scans"]


class _Found(NamedTuple):
    """One image that is yet to be read."""

    path: Path
    below: str
    """Its path below the folder of images, without the suffix; of a series, that of its folder."""
    aliases: tuple[str, ...]
    read: Callable[[Choices, Ledger], Scan]
    files: int = 0
    """The number of files of a series; 0 for other images."""


def open_scans(inputs: Inputs, choices: Choices, ledger: Ledger) -> Iterator[tuple[Scan, Ledger]]:
    """Yield each image with the ledger of what was derived for it; unreadable images are reported as left out."""
    root = choices.images
    found = list(_found(inputs, root, ledger))
    names = Counter(name for one in found for name in set(one.aliases))
    folders = Counter(name for name, _ in {(name, one.below) for one in found for name in one.aliases})
    crowds = Counter((one.below, one.files) for one in found if one.files)
    longer = longer_names({stem_of_alias(name) for one in found for name in one.aliases})
    files = Counter(path.name for path in inputs.dicom)
    for number, (path, below, aliases, read, count) in enumerate(found, start=1):
        part = ledger.part()
        tag = f"image-{number}"
        try:
            scan = read(choices, part)
        except DataError as error:
            ledger.leave(tag, path, str(error))
            continue
        for tags in part.unknown.values():  # what was asked while it was read, without its number
            tags.add(tag)
        # The path below the folder comes first, and is unique; a name that several images share is not used.
        scan.aliases = tuple(name for at, name in enumerate(aliases) if names[name] == 1 or (at == 0 and "." in name))
        scan.tag, scan.below = tag, below
        scan.longer = frozenset[str]().union(*(longer.get(stem_of_alias(name), ()) for name in scan.aliases))
        scan.twins, scan.crowded = folders[aliases[-1]] > 1, crowds[below, count] > 1
        scan.named = {_inside(member, root).as_posix(): index for member, index in scan.members.items()} | {
            member.name: index for member, index in scan.members.items() if files[member.name] == 1
        }
        yield scan, part


def aliases_of(path: Path, root: Path) -> tuple[str, ...]:
    """Return the names that tables may use for a file: its path below the folder, its name, its stem."""
    return tuple(dict.fromkeys((_inside(path, root).as_posix(), path.name, nifti.stem_of(path))))


def _found(inputs: Inputs, root: Path, ledger: Ledger) -> Iterator[_Found]:
    for paths, read in ((inputs.volumes, nifti.read_nifti), (inputs.pictures, pictures.read_picture_file)):
        for path in paths:
            yield _Found(path, _bare(path, root), aliases_of(path, root), partial(read, path))
    for series in open_series(inputs.dicom, ledger):
        path, files = series.path, len(series.paths)
        if files == 1:
            yield _Found(path, _bare(path, root), aliases_of(path, root), series.read)
        else:
            yield _Found(path, _inside(path.parent, root).as_posix(), series.aliases, series.read, files)


def _inside(path: Path, root: Path) -> Path:
    """Return the path of a file or folder below the folder of images; its name where it is that folder itself."""
    return path.relative_to(root) if path != root and path.is_relative_to(root) else Path(path.name)


def _bare(path: Path, root: Path) -> str:
    return _inside(path, root).with_name(nifti.stem_of(path)).as_posix()
