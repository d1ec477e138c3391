"""Where runs and studies lie below a folder, and whether a process writes a run. To be replaced by ``eval/listing``."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from medvision_agent.eval.store.files import DATABASE, LOG
from medvision_agent.eval.store.read import STUDY

__all__ = ["is_being_written", "stored_in"]

_DEPTH = 6


def stored_in(folder: Path, depth: int = _DEPTH) -> Iterator[tuple[Path, Literal["run", "study"]]]:
    """Yield each run and study in a folder, itself included, in the order of their names."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    held = {entry.name for entry in names}
    if STUDY in held:
        yield folder, "study"
    elif DATABASE in held:
        yield folder, "run"
    elif depth > 0:
        for entry in names:
            if not entry.name.startswith(".") and entry.is_dir():
                yield from stored_in(folder / entry.name, depth - 1)


def is_being_written(folder: Path) -> bool:
    """Say whether a process writes the run in a folder at this moment."""
    return (folder / LOG).exists()
