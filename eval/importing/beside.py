"""Finds the masks or the markups of an image among files, by their names."""

from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.inputs import walk
from medvision_agent.eval.importing.names import ImageNames, Names, stem_of

__all__ = ["Beside"]


class Beside:
    """The files of an option: masks, or markups. The folder is read once."""

    def __init__(self, root: Path, option: str, names: Names, *, only: bool) -> None:
        """*root* is a file or a folder. With *only* one image, a single file belongs to it under any name."""
        if not root.exists():
            raise DataError(f"{root}: no such file or folder")
        if root.is_file() and not only:
            raise DataError(
                f"{option} is one file, but there are several images; give a folder of files named like them"
            )
        self._option, self._names, self._only = option, names, only
        self._files = [root] if root.is_file() else list(walk(root, set()))
        self._single = root.is_file()
        self._by_stem: dict[str, list[Path]] = {}
        for path in self._files:
            self._by_stem.setdefault(names.stem_for(path), []).append(path)

    def of(self, image: ImageNames, suffixes: tuple[str, ...]) -> list[Path]:
        """Return the files with one of these suffixes that belong to an image; raises DataError where it is unclear.

        The name of such a file begins with that of its image (``case-7.nii.gz``: ``case-7.png``,
        ``case-7_mask.nii.gz``); where a file has the very name of the image, it is the only one.
        """
        if self._single:
            return self._files
        if self._only and len(files := _ending(self._files, suffixes)) == 1:
            return files
        if self._names.shares_its_stem(image):
            raise DataError(
                f"several images have this name, so it is unclear whose {self._option} is; give each its own name"
            )
        files = _ending(self._by_stem.get(image.stem, []), suffixes)
        return [path for path in files if stem_of(path) == image.stem] or files


def _ending(files: list[Path], suffixes: tuple[str, ...]) -> list[Path]:
    return [path for path in files if path.name.lower().endswith(suffixes)]
