"""A folder of shared runs: only ``force`` replaces an earlier one.

Contract: the same runs give the same bytes. A folder that holds anything but an earlier share is never touched. Names
of files are our own words and hashes.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import StorageError
from medvision_agent.placed import placed
from medvision_agent.version import VERSION

__all__ = ["MARK", "SharedFile", "check_place", "files_in", "mark", "new_folder"]

MARK = "medvision-share.json"
"""The file by which a folder of shared runs is recognised; it names all other files."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file in a folder of shared runs: its name and its size."""

    name: str
    """Relative to the folder, with forward slashes."""
    size: int
    """Bytes."""


def files_in(folder: Path) -> list[SharedFile]:
    """Return all files in a folder at any depth, sorted by name."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted(
        (SharedFile(file.relative_to(folder).as_posix(), file.stat().st_size) for file in found),
        key=lambda file: file.name,
    )


def mark(folder: Path) -> None:
    """Write the file (``MARK``) by which a folder of shared runs is recognised later."""
    names = sorted({MARK, *(file.name for file in files_in(folder))})
    text = json.dumps({"program": f"medvision-agent {VERSION}", "names": names}, indent=1)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def check_place(out: Path, *, force: bool) -> None:
    """Raise StorageError if *out* exists, unless it is an earlier share, or empty, and *force* is given."""
    if not out.exists():
        return
    if not force:
        raise StorageError(f"{out}: exists already; share to another folder, or replace an earlier share with --force")
    try:
        names = {file.name for file in files_in(out)}
        own = set(json.loads((out / MARK).read_text(encoding="utf-8"))["names"]) if names else set()
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"{out}: this is not a folder of shared runs, and --force replaces only such folders; give another folder"
        ) from None
    if more := sorted(names - own):
        raise StorageError(
            f"{out}: the folder also holds {more[0]!r}, which no earlier share wrote, so it is not replaced; give "
            "another folder"
        )


@contextmanager
def new_folder(out: Path | None) -> Iterator[Path]:
    """Yield a new folder to write into; it becomes *out* afterwards, or is removed if *out* is None."""
    if out is not None:
        with placed(out) as folder:
            folder.mkdir()
            yield folder
        return
    try:
        with tempfile.TemporaryDirectory(prefix="medvision-agent-") as work:
            yield Path(work)
    except OSError as error:
        raise StorageError(
            f"a temporary folder cannot be written ({error.strerror or error}); free some space, or set TMPDIR to a "
            "folder that can be written"
        ) from None
