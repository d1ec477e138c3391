"""Files of a run that outlive a power cut: folders and pictures, flushed together with the names that lead to them.

Contract: when a function here returns, what it made is on disk under its name. OSErrors pass through.
"""

import os
from pathlib import Path

__all__ = ["DATABASE", "PICTURES", "make_folder", "picture_path", "sync_folder", "write_picture"]

DATABASE = "run.sqlite"
PICTURES = "pictures"


def picture_path(folder: Path, sha256: str) -> Path:
    """Return where the picture with this hash lies in a run's folder."""
    return folder / PICTURES / sha256[:2] / f"{sha256}.png"


def write_picture(folder: Path, key: str, png: bytes) -> None:
    """Write a picture so that its final name never shows an incomplete file."""
    path = picture_path(folder, key)
    if path.exists():
        return
    make_folder(path.parent)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(png)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents; each new name is flushed in the folder that holds it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable (POSIX; a no-op where folders cannot be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
