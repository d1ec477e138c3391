"""Finds runs and studies below a folder.

Contract: nothing is read but the names in folders. The search is bounded in depth, does not enter a run, a study or a
hidden folder, and sees each folder once, even if several symbolic links lead to it. A folder that cannot be read counts
as empty.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.eval.listing.row import Kind
from medvision_agent.eval.store.files import DATABASE
from medvision_agent.eval.store.read import CELLS, STUDY

__all__ = ["DEPTH", "cells_in", "stored_in"]

DEPTH = 6
"""Depth of the search below the listed folder."""


def stored_in(folder: Path, depth: int = DEPTH) -> Iterator[tuple[Path, Kind]]:
    """Yield the folder of each run and study in a folder with its kind, sorted by name; perhaps the folder itself.

    *depth* is the number of levels of folders that are searched.
    Raises StorageError if *folder* itself cannot be read.
    """
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be listed ({error.strerror}); give a folder of runs or studies") from None
    yield from _below(folder, depth, set())


def cells_in(study: Path) -> list[Path]:
    """Return the folders of a study's runs, sorted by name, without canaries, which belong to no arm."""
    return [path for path, kind in _below(study / CELLS, DEPTH, set()) if kind == "run"]


def _below(folder: Path, depth: int, seen: set[tuple[int, int]]) -> Iterator[tuple[Path, Kind]]:
    try:
        with os.scandir(folder) as entries:
            status, names = folder.stat(), sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    held = {entry.name for entry in names}
    if STUDY in held:
        yield folder, "study"
    elif DATABASE in held:
        yield folder, "run"
    elif depth > 0:
        for entry in names:
            if not entry.name.startswith(".") and _is_folder(entry):
                yield from _below(folder / entry.name, depth - 1, seen)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False
