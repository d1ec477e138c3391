"""The key file: it says which file each image number stands for. It is for the user only, not for sharing."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from medvision_agent.errors import StorageError

__all__ = ["check_key", "write_key"]


def check_key(key: Path, out: Path, *, force: bool) -> None:
    """Raise StorageError if *key* lies in *out*, the folder to share, or, without *force*, exists already."""
    if key.resolve().is_relative_to(out.resolve()):
        raise StorageError(
            f"--key {key}: lies in the folder {out}, which may be shared and must not hold names of files; choose a "
            "path outside this folder"
        )
    if key.exists() and not force:
        raise StorageError(
            f"--key {key}: this file exists already; choose another name for it, or give --force, which replaces it "
            "and an earlier import in the folder of --out"
        )


def write_key(key: Path, rows: Sequence[tuple[str, Path]]) -> None:
    """Write the tag and path of each image to a CSV file that only its owner can read.

    It appears complete or not at all. The columns are ``image`` and ``file``. Raises StorageError if it cannot be
    written.
    """
    work = key.with_name(f".{key.name}.part")
    try:
        handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - of a handle
            csv.writer(file).writerows([("image", "file"), *((tag, str(path)) for tag, path in rows)])
        work.replace(key)
    except OSError as error:
        raise StorageError(f"{key}: cannot write the file ({error.strerror})") from None
