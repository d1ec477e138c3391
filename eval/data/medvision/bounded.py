"""Bounded decompression, so that a forged or damaged gzip file can exhaust neither memory nor time.

Every error in the bytes is a DataError that names the file.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from medvision_agent.errors import DataError

__all__ = ["open_gzip", "read_gzip", "readable"]

MAX_RATIO = 400
"""How many times its size a plan may grow to; real ones grow about fifty-fold, zeros a thousand-fold."""
_FREE = 64 << 20
"""Growth below this many bytes is never questioned."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Run a ``with`` block in which errors of the operating system and of gzip become a DataError that names *path*."""
    try:
        yield
    except EOFError:
        raise DataError(f"{path}: the file is incomplete, it ends too early; download or copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); download or copy it again") from None
    except OSError as error:
        raise DataError(f"{path}: this file cannot be read ({error.strerror}); check the path") from None


class _Bounded:
    """A reader of decompressed bytes; raises DataError when the file unpacks to far more than its size."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        self._left = max(_FREE, MAX_RATIO * path.stat().st_size)

    def read(self, size: int) -> bytes:
        with readable(self._path):
            data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"{self._path}: is refused, because it unpacks to more than {MAX_RATIO} times its size, which no "
                "annotation file of MedVision does; download it again"
            )
        return data


@contextmanager
def open_gzip(path: Path) -> Iterator[_Bounded]:
    """Open a gzip file, for a ``with`` block; reading raises DataError if it is damaged or unpacks beyond the limit."""
    with readable(path):
        stream = gzip.open(path, "rb")  # noqa: SIM115 - closed below
    with stream:
        yield _Bounded(path, cast("BinaryIO", stream))


def read_gzip(path: Path, limit: int) -> bytes:
    """Return the unpacked bytes of a gzip file; raises DataError if it is damaged or has more than *limit* bytes."""
    with open_gzip(path) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise DataError(
            f"{path}: is refused, because it has more than {limit >> 20} MB when unpacked, which no landmark file of "
            "MedVision has; download it again"
        )
    return data
