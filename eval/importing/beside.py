"""Finds the masks or the markups of an image among files, by their names."""

from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.inputs import walk
from medvision_agent.eval.importing.names import ImageNames, Names, place_of, stem_of

__all__ = ["Beside"]


class Beside:
    """The files that one option names, masks or markups, from which those of each image are found by name."""

    def __init__(self, root: Path, option: str, names: Names, *, only: bool) -> None:
        """Read the folder once; *root* is a file or a folder, and *option* the option's name in messages.

        *only* says that the import has one image; a single file may then have any name. Raises DataError if *root* does
        not exist, or is one file for several images.
        """
        if not root.exists():
            raise DataError(f"{option} {root}: there is no such file or folder; give one that exists")
        if root.is_file() and not only:
            raise DataError(
                f"{option} {root} is one file, but there are several images; give a folder with one file for each "
                "image, whose name begins with that of the image"
            )
        self._option, self._names, self._only = option, names, only
        self._files = [root] if root.is_file() else list(walk(root, set()))
        self._root, self._single = root, root.is_file()
        self._by_stem: dict[str, list[Path]] = {}
        self._by_place: dict[str, list[Path]] = {}
        for path in self._files:
            self._by_stem.setdefault(names.stem_for(path), []).append(path)
            self._by_place.setdefault(place_of(path.relative_to(root)) if path != root else "", []).append(path)

    def of(self, image: ImageNames, suffixes: tuple[str, ...]) -> list[Path]:
        """Return the files with one of these suffixes that belong to an image.

        DataError if it is unclear which image is meant. The name of such a file begins with that of its image
        (``case-7.nii.gz``: ``case-7.png``, ``case-7_mask.nii.gz``); if one of the files has exactly the image's name,
        only it is returned. A file at the path of the image is preferred, so that images in several folders may have
        one name. Empty if no file belongs to the image.
        """
        alone = self._files if self._single else []
        if self._only and not self._single and len(files := _ending(self._files, suffixes)) == 1:
            alone = files
        if self._names.is_crowded(image) and (alone or image.members):
            several = f"{self._option} is one file, but there are several images: " if self._single else ""
            raise DataError(
                f"{several}the folder of this image holds another series with the same number of files, so it is "
                f"unclear which of them a file of {self._option} belongs to; move each series to a folder of its own"
            )
        if alone:
            return alone
        if own := self._at_its_path(image, suffixes):
            return own
        if self._names.shares_its_stem(image):
            raise DataError(
                f"several images have this name, so it is unclear which of them a file of {self._option} belongs to; "
                f"put that file at the path below {self._option} that its image has below the folder of images, or "
                "give each image a name of its own"
            )
        files = _ending(self._by_stem.get(image.stem, []), suffixes)
        return [path for path in files if stem_of(path) == image.stem] or files

    def folder_of(self, image: ImageNames) -> Path | None:
        """Return the folder that may hold one mask for each slice of a series; None if no such folder is clear.

        It is the folder with the path of the series below the folder of masks; else, if there is one image, the folder
        of masks. None also if the option names a file, or if two series of one folder would both fit.
        """
        if self._single or self._names.is_crowded(image):
            return None
        own = self._root / image.below
        return own if own.is_dir() else self._root if self._only else None

    def _at_its_path(self, image: ImageNames, suffixes: tuple[str, ...]) -> list[Path]:
        if self._names.shares_its_place(image):
            return []
        found = (_ending(self._by_place.get(place, []), suffixes) for place in image.places)
        return next(filter(None, found), [])


def _ending(files: list[Path], suffixes: tuple[str, ...]) -> list[Path]:
    return [path for path in files if path.name.lower().endswith(suffixes)]
