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
    """Return a file's name without its suffix, if it is one of an image or of markups; other endings stay."""
    name = path.name
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)]


@dataclass(frozen=True)
class ImageNames:
    """All names that could mean one image; some of them may mean other images too."""

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
        """Return the names of an image with these files: one, or those of a series.

        *root* is the file or folder of images.
        """
        if len(paths) == 1:
            (path,) = paths
            exact = _inside(path, root)
            return cls(exact, (path.name, stem_of(path)), {}, place_of(PurePosixPath(exact)))
        folder = paths[0].parent
        below = _inside(folder, root)
        return cls("", (below, folder.name), {path: (_inside(path, root), path.name) for path in paths}, below)

    @property
    def every(self) -> set[str]:
        """All names of the image, those of the files of a series included."""
        return {self.exact, *self.short, *(name for own in self.members.values() for name in own)} - {""}

    @property
    def stem(self) -> str:
        """The text with which the names of its masks and markups begin, without nnU-Net's number of a channel."""
        return self.short[-1].removesuffix(_CHANNEL)

    @property
    def places(self) -> tuple[str, ...]:
        """Paths, without suffix, at which a mask or markups file with the image's own path would be; the best first."""
        return tuple(dict.fromkeys((self.below.removesuffix(_CHANNEL), self.below)))

    @property
    def home(self) -> str:
        """The path of its file, or of the folder of a series: series of one folder have the same."""
        return self.exact or self.below

    @property
    def crowd(self) -> tuple[str, int]:
        """Its folder and its number of files: images that have both in common could have each other's masks."""
        return (self.below if self.members else str(PurePosixPath(self.exact).parent)), max(len(self.members), 1)


class Names:
    """The names of all images of an import, which tell what name means one image alone."""

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
        """Return the names that mean one file of a series and nothing else, each with that file."""
        each = ((path, name, at) for path, own in image.members.items() for at, name in enumerate(own))
        return {name: path for path, name, at in each if at == 0 or self._counts[name] == 1}

    def shares_its_stem(self, image: ImageNames) -> bool:
        """Return whether another image has the same stem, so that names of masks and markups cannot tell them apart."""
        return self._stems[image.stem] > 1

    def shares_its_place(self, image: ImageNames) -> bool:
        """Return whether another image has the same path without suffix, so that even paths cannot tell them apart."""
        return self._places[image.places[0]] > 1

    def is_crowded(self, image: ImageNames) -> bool:
        """Return whether the image's folder holds another image with as many files, which a mask would fit as well."""
        return self._crowds[image.crowd] > 1

    def stem_for(self, file: Path) -> str:
        """Return the stem of the image to which a mask or a file of markups belongs; empty where no image fits.

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
    """Return all names of an image, each once for every file or series that it could mean."""
    own = {one.exact, *one.short} - {""}
    return [*own, *(name for each in one.members.values() for name in set(each))]


def _inside(path: Path, root: Path) -> str:
    """Return *path* relative to the folder of images *root*; for *root* itself, its name."""
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else "."
    return path.name if inside == "." else inside
