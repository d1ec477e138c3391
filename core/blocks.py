"""Compressed blocks of bytes, in memory as long as they are few, and then in a temporary file without a name."""

import weakref
from array import array
from tempfile import SpooledTemporaryFile, gettempdir
from threading import Lock

from zstandard import ZstdCompressor, ZstdDecompressor

from medvision_agent.errors import StorageError

__all__ = ["Blocks"]

_LEVEL = 3


class Blocks:
    """A growing sequence of blocks of bytes; several threads may read it.

    *what* names the content for an error, and *in_memory* is the number of compressed bytes up to which it needs no
    file (``TMPDIR`` says where files are).
    """

    def __init__(self, what: str, in_memory: int) -> None:
        self._what = what
        self._file = SpooledTemporaryFile(in_memory)  # noqa: SIM115 - it is closed with this object
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        """Where each block ends in the file."""
        self._lock = Lock()

    def add(self, block: bytes) -> None:
        """Add one block at the end; raises StorageError where the temporary folder is full."""
        packed = ZstdCompressor(_LEVEL).compress(block)
        with self._lock:
            try:
                self._file.seek(self._ends[-1])
                self._file.write(packed)
            except OSError as error:
                raise StorageError(
                    f"{gettempdir()}: {self._what} cannot be stored in this temporary folder ({error.strerror}); set "
                    "the environment variable TMPDIR to a folder with free space"
                ) from None
            self._ends.append(self._ends[-1] + len(packed))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        """Return the block with this number, from 0."""
        with self._lock:
            self._file.seek(self._ends[number])
            packed = self._file.read(self._ends[number + 1] - self._ends[number])
        return ZstdDecompressor().decompress(packed)
