"""Finds the masks or the markups of an image among files, by their names."""

from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.inputs import walk
from medvision_agent.eval.importing.names import ImageNames, Names, place_of, stem_of

__all__ = ["Beside"]


class Beside:
    """The files of an option: masks, or markups. The folder is read once."""

    def __init__(self, root: Path, option: str, names: Names, *, only: bool) -> None:
        """*root* is a file or a folder. With *only* one image (``images.is_one``), a single file may have any name."""
        if not root.exists():
            raise DataError(f"{root}: no such file or folder")
        if root.is_file() and not only:
            raise DataError(
                f"{option} is one file, but there are several images; give a folder of files named like them"
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
        """Return the files with one of these suffixes that belong to an image; raises DataError where it is unclear.

        The name of such a file begins with that of its image (``case-7.nii.gz``: ``case-7.png``,
        ``case-7_mask.nii.gz``); where a file has the very name of the image, it is the only one. A file at the path
        of the image is taken first, so that images in several folders may have one name.
        """
        alone = self._files if self._single else []
        if self._only and not self._single and len(files := _ending(self._files, suffixes)) == 1:
            alone = files
        if self._names.is_crowded(image) and (alone or image.members):
            several = f"{self._option} is one file, but there are several images: " if self._single else ""
            raise DataError(
                f"{several}its folder holds another series of as many images, so it is unclear whose {self._option} "
                "is; move each series to a folder of its own"
            )
        if alone:
            return alone
        if own := self._at_its_path(image, suffixes):
            return own
        if self._names.shares_its_stem(image):
            raise DataError(
                f"several images have this name, so it is unclear whose {self._option} is; give the file of each the "
                f"path below {self._option} that the image has below its folder, or give each image its own name"
            )
        files = _ending(self._by_stem.get(image.stem, []), suffixes)
        return [path for path in files if stem_of(path) == image.stem] or files

    def folder_of(self, image: ImageNames) -> Path | None:
        """Return the folder where masks of a series' slices would lie; None where there is none, or it is unclear."""
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
