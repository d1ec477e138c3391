"""Writes files of a run so that they survive a power cut: folders and images are flushed with their names.

Contract: when a function here returns, its file or folder is on disk under its name; only the count of records is not
flushed. OSErrors pass through.
"""

import os
import re
import sqlite3
from contextlib import suppress
from errno import EACCES, EEXIST, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from uuid import uuid4

__all__ = [
    "COUNT",
    "DATABASE",
    "LOCK",
    "LOG",
    "PICTURES",
    "UNWRITABLE",
    "is_hash",
    "make_folder",
    "not_stored",
    "picture_path",
    "read_count",
    "sync_folder",
    "unwritable",
    "write_count",
    "write_picture",
]

DATABASE = "run.sqlite"
LOG = f"{DATABASE}-wal"
"""SQLite's log: holds the latest data while the run is being written and after a kill."""
COUNT = f"{DATABASE}-count"
"""File with the number of records, beside the log, because the log may be lost; removed together with it."""
LOCK = "run.lock"
PICTURES = "pictures"
UNWRITABLE = (OSError, sqlite3.Error, ValueError, TypeError, RecursionError)
"""What writing may raise: the disk, the database, or something that is no JSON or no Unicode text."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_hash(text: str) -> bool:
    """Return whether *text* is a SHA-256 in lower case, the name of a stored image."""
    return _SHA256.fullmatch(text) is not None


def unwritable(what: Path, error: Exception) -> str:
    """Return a message that *what*, a file or folder, cannot be written: why, and what to do; *error* is the cause."""
    number = getattr(error, "errno", None)
    if number == ENOSPC or "is full" in str(error):
        return f"{what} cannot be written: the disk is full; free some space and repeat the command"
    why = getattr(error, "strerror", None) or str(error)
    if number in {EEXIST, ENOTDIR}:
        why = f"{getattr(error, 'filename', what)} is a file, and a folder is expected there"
    elif number in {EACCES, EPERM, EROFS}:
        why = f"this user may not write there ({why})"
    return f"{what} cannot be written: {why}; give another --out"


def not_stored(folder: Path, sample_id: str, error: Exception) -> str:
    """Return a message that a finished sample of a run could not be stored: why, and what to do.

    *error* is the cause.
    """
    return (
        f"{folder}: sample {sample_id} was not stored: {error}. All samples that finished before it are stored. "
        "Remove the cause and repeat the command; `medvision-agent run` then needs --resume"
    )


def picture_path(folder: Path, sha256: str) -> Path:
    """Return the path of the image with this SHA-256 in a run's folder; the file need not exist."""
    return folder / PICTURES / sha256[:2] / f"{sha256}.png"


def write_picture(folder: Path, key: str, png: bytes, shared: Path | None = None) -> None:
    """Write the image with the hash *key* into a run's folder; an incomplete file never has its final name.

    *shared* is a folder that several runs have in common: the image is then written to it once, by the first of them,
    and linked from there; where no link is possible it is written a second time. In both cases each run has all its
    images.
    """
    path = picture_path(folder, key)
    if path.exists():
        return
    make_folder(path.parent)
    if shared is not None:
        with suppress(OSError):  # another file system, one without links, or too many of them
            path.hardlink_to(_shared(shared, key, png))
    if not path.exists():
        _written(path, png).replace(path)
    sync_folder(path.parent)


def _shared(folder: Path, key: str, png: bytes) -> Path:
    """Return the path of the image with the hash *key* in *folder*, which runs share.

    Write it if no run has done so.
    """
    path = picture_path(folder, key)
    if not path.exists():
        make_folder(path.parent)
        part = _written(path, png)
        try:
            path.hardlink_to(part)  # never replaces a file that other runs may be linked to by now
        except FileExistsError:
            pass
        finally:
            part.unlink(missing_ok=True)
        sync_folder(path.parent)
    return path


def _written(path: Path, content: bytes) -> Path:
    """Return a flushed temporary file beside *path* with this content, under a name that no other writer uses."""
    part = path.with_suffix(f".{uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return part


def write_count(folder: Path, records: int) -> None:
    """Note how many records the database holds, in a file of the run's folder.

    Call it after storing, so that the number is never too high.
    """
    handle = os.open(folder / COUNT, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.write(handle, b"%012d\n" % records)  # over the old one: emptying the file first makes ext4 flush it
    finally:
        os.close(handle)


def read_count(folder: Path) -> int | None:
    """Return the smallest number of records that a run must have.

    None if the file with it is missing or not a number.
    """
    try:
        return int((folder / COUNT).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, and flush each new name to disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names of the files in *folder* to disk (POSIX; does nothing where folders cannot be opened)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
