"""The names by which tables, masks and markups mean an image. A name that several images have means none of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

__all__ = ["ImageNames", "Names", "place_of", "stem_of"]

_SUFFIXES = (
    ".nii.gz", ".nii", ".mrk.json", ".fcsv", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom", ".ima",
)  # fmt: skip
_CHANNEL = "_0000"
"""nnU-Net's number of the first channel, which the names of masks leave out."""


def stem_of(path: PurePath) -> str:
    """Return a file's name without its suffix; the end of another name, such as ``1.2.840``, is no suffix."""
    name = path.name
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)]


@dataclass(frozen=True)
class ImageNames:
    """All names that could mean one image, some of which may mean others too."""

    exact: str
    """The path below the folder of images, which no other image has; empty for a series of several files."""
    short: tuple[str, ...]
    """Shorter ones; the last is the one with which the names of its masks and markups begin."""
    members: Mapping[Path, tuple[str, ...]]
    """The names of each file of a series, the path below the folder first."""
    below: str
    """Its path below the folder of images, without the suffix; of a series of several files, that of their folder."""

    @classmethod
    def of(cls, paths: tuple[Path, ...], root: Path) -> "ImageNames":
        """Return the names of an image of one file, or of a series of files; *root* is a file or a folder."""
        if len(paths) == 1:
            (path,) = paths
            exact = _inside(path, root)
            return cls(exact, (path.name, stem_of(path)), {}, place_of(PurePosixPath(exact)))
        folder = paths[0].parent
        below = _inside(folder, root)
        return cls("", (below, folder.name), {path: (_inside(path, root), path.name) for path in paths}, below)

    @property
    def every(self) -> set[str]:
        """All names, also those of the files of a series."""
        return {self.exact, *self.short, *(name for own in self.members.values() for name in own)} - {""}

    @property
    def stem(self) -> str:
        """The name with which those of its masks and markups begin; nnU-Net's number of a channel is no part of it."""
        return self.short[-1].removesuffix(_CHANNEL)

    @property
    def places(self) -> tuple[str, ...]:
        """Where a mask or a file of markups that has the path of the image lies, without its suffix; best first."""
        return tuple(dict.fromkeys((self.below.removesuffix(_CHANNEL), self.below)))

    @property
    def home(self) -> str:
        """The file, or the folder of a series: series of one folder share their name without being confused by it."""
        return self.exact or self.below

    @property
    def crowd(self) -> tuple[str, int]:
        """The folder and the number of files: what it has in common with images that a mask would fit as well."""
        return (self.below if self.members else str(PurePosixPath(self.exact).parent)), max(len(self.members), 1)


class Names:
    """The names of all images of an import."""

    def __init__(self, images: Iterable[ImageNames]) -> None:
        every = list(images)
        self._counts = Counter(name for one in every for name in _counted(one))
        self._stems = Counter(stem for stem, _ in {(one.stem, one.home) for one in every})
        self._places = Counter(place for place, _ in {(one.places[0], one.home) for one in every})
        self._crowds = Counter(one.crowd for one in every)

    def of(self, image: ImageNames) -> tuple[str, ...]:
        """Return the names that mean this image alone."""
        short = (name for name in image.short if self._counts[name] == 1)
        return tuple(dict.fromkeys(filter(None, (image.exact, *short))))

    def of_members(self, image: ImageNames) -> dict[str, Path]:
        """Return the names that mean one file of a series alone, with that file."""
        each = ((path, name, at) for path, own in image.members.items() for at, name in enumerate(own))
        return {name: path for path, name, at in each if at == 0 or self._counts[name] == 1}

    def shares_its_stem(self, image: ImageNames) -> bool:
        """Return whether masks and markups cannot tell an image from another one."""
        return self._stems[image.stem] > 1

    def shares_its_place(self, image: ImageNames) -> bool:
        """Return whether not even the path of a mask or of markups tells an image from another one."""
        return self._places[image.places[0]] > 1

    def is_crowded(self, image: ImageNames) -> bool:
        """Return whether its folder holds another image of as many files, which a mask would fit as well."""
        return self._crowds[image.crowd] > 1

    def stem_for(self, file: Path) -> str:
        """Return the stem of the image that a mask or a file of markups belongs to; empty where there is none.

        It is the longest stem with which the name of the file begins: ``case-1_2.png`` is not the mask of ``case-1``
        where there is an image ``case-1_2``.
        """
        name = stem_of(file)
        ends = (end for end in range(len(name), 0, -1) if end == len(name) or name[end] in "_-.")
        return next((name[:end] for end in ends if name[:end] in self._stems), "")


def place_of(path: PurePath) -> str:
    """Return a path without the suffix of its file."""
    return path.with_name(stem_of(path)).as_posix()


def _counted(one: ImageNames) -> list[str]:
    """Return every name once for each thing that it could mean."""
    own = {one.exact, *one.short} - {""}
    return [*own, *(name for each in one.members.values() for name in set(each))]


def _inside(path: Path, root: Path) -> str:
    """Return a path below the folder of images; of the folder itself, its name."""
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else "."
    return path.name if inside == "." else inside
