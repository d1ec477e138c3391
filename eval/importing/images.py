"""The images of an import, each with its names: listed all at once, and read one at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.importing import nifti, pictures
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.dicom import open_series
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.inputs import Inputs
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.names import ImageNames, Names

__all__ = ["Image", "is_one", "list_images", "read_images"]


@dataclass(frozen=True)
class Image:
    """One image that may be read."""

    tag: str
    """``image-N``, the name of the image in everything that is written."""
    path: Path
    """The file; of a series, the first one."""
    names: ImageNames
    read: Callable[[Choices, Ledger], Scan]


def list_images(inputs: Inputs, root: Path, ledger: Ledger) -> list[Image]:
    """Return all images that may be read: volumes, then 2-D images, then DICOM series, numbered from 1.

    *root* is the file or folder of images. DICOM files without an image are noted in *ledger* as left out.
    """
    files: list[tuple[tuple[Path, ...], Callable[[Choices, Ledger], Scan]]] = [
        ((path,), partial(read, path))
        for paths, read in ((inputs.volumes, nifti.read_nifti), (inputs.pictures, pictures.read_picture_file))
        for path in paths
    ]
    found = [*files, *((one.paths, one.read) for one in open_series(inputs.dicom, ledger))]
    return [
        Image(f"image-{number}", paths[0], ImageNames.of(paths, root), read)
        for number, (paths, read) in enumerate(found, start=1)
    ]


def is_one(inputs: Inputs, images: list[Image]) -> bool:
    """Return whether a single mask surely belongs to one image: the only image, or a series beside its localisers.

    The series of one folder have different geometries, so a mask of one does not lie on the voxels of the others; where
    it could, ``Beside`` refuses it.
    """
    if len(images) == 1:
        return True
    in_one_folder = len({image.path.parent for image in images}) == 1
    return in_one_folder and not inputs.volumes and not inputs.pictures and any(one.names.members for one in images)


def read_images(
    images: list[Image], names: Names, choices: Choices, ledger: Ledger
) -> Iterator[tuple[Image, Scan | None, Ledger]]:
    """Yield each image, what was read of it, and a ledger of this image alone.

    An image that cannot be read is noted in *ledger* as left out, and None is yielded for what was read.
    """
    for image in images:
        part = ledger.part()
        try:
            scan = image.read(choices, part)
        except DataError as error:
            ledger.leave(image.tag, image.path, str(error))
            yield image, None, part
            continue
        for tags in part.unknown.values():  # what was asked while it was read, without its number
            tags.add(image.tag)
        scan.tag, scan.aliases = image.tag, names.of(image.names)
        members = names.of_members(image.names)
        scan.members = {name: scan.slices[path] for name, path in members.items() if path in scan.slices}
        yield image, scan, part
