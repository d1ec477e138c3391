"""Traces as stored in the database: packed by zstd, against an earlier trace of the same task.

Contract: a trace is stored as text, as formats 1 and 2 do and as what is longer than ``MOST`` bytes still is, or as one
zstd frame that states the size of its content. A frame is packed by itself, or with the first ``DICTIONARY`` bytes of
another trace as its dictionary: ``base`` is the rowid of the record of that one, which is packed by itself. The
conversations of a task share prompts, names of fields and most words, so that the first one is as good a dictionary as
one trained on a hundred (``benchmarks/README.md``), and the store needs nothing beside its records to be read.

What is read may be damaged or hostile: no more than ``MOST`` bytes are unpacked, a base has no base, and what cannot be
unpacked is None. Whether a text is the one that was stored is for the hash of the text to say (``seal.py``).
"""

import sqlite3
from functools import lru_cache
from typing import NamedTuple

from zstandard import (
    DICT_TYPE_RAWCONTENT,
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
)

__all__ = ["DICTIONARY", "MOST", "Packed", "Packer", "Unpacker", "packs"]

MOST = 1 << 26
"""Bytes of text in one frame, at most."""
DICTIONARY = 1 << 17
"""Bytes of a trace that others are packed against, at most."""
_LEVEL = 3
_LONGER = 2
"""A trace that is this many times as long as the base of its task is packed by itself and becomes the base."""
_KEPT = 16
"""How many dictionaries a reader keeps."""


class Packed(NamedTuple):
    """A trace in its stored form: packed bytes, or plain text.

    ``base`` is the rowid of the trace it was packed against.
    """

    value: bytes | str
    base: int | None = None


class _Base(NamedTuple):
    rowid: int
    length: int
    compressor: ZstdCompressor


def packs(database: sqlite3.Connection) -> bool:
    """Return whether this run stores its traces packed; a run keeps the form in which it was begun."""
    return "base" in {name for _, name, *_ in database.execute("PRAGMA table_info(record)")}


class Packer:
    """A packer of the traces that one session stores; the first trace of each task is the base of later ones."""

    def __init__(self) -> None:
        self._bases: dict[str, _Base] = {}
        self._alone = ZstdCompressor(level=_LEVEL)

    def pack(self, task: str, text: str) -> Packed:
        """Return the trace *text* of a sample of this *task* in its stored form."""
        content = text.encode()
        if len(content) > MOST:
            return Packed(text)
        base = self._bases.get(task)
        if base is None or len(content) > _LONGER * base.length:
            return Packed(self._alone.compress(content))
        return Packed(base.compressor.compress(content), base.rowid)

    def stored(self, task: str, text: str, packed: Packed, rowid: int) -> None:
        """Note that a trace was stored as *packed*, in the record with this rowid.

        Later ones can be packed against it.
        """
        if packed.base is None and isinstance(packed.value, bytes):
            content = text.encode()
            words = _dictionary(content)
            words.precompute_compress(level=_LEVEL)
            self._bases[task] = _Base(rowid, len(content), ZstdCompressor(dict_data=words, write_dict_id=False))


class Unpacker:
    """A reader that unpacks the traces of one run, over one connection."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._alone = ZstdDecompressor()
        self._against = lru_cache(maxsize=_KEPT)(self._decompressor)

    def text(self, value: bytes, kind: str, base: int | None) -> str | None:
        """Return the text of a trace; None where it cannot be unpacked.

        *value* is what is stored, *kind* its type in SQL, *base* the rowid of the trace it was packed against (None:
        none).
        """
        try:
            if kind == "text":
                return value.decode()
            return _content(value, self._alone if base is None else self._against(base)).decode()
        except (ZstdError, ValueError):
            return None

    def _decompressor(self, rowid: int) -> ZstdDecompressor:
        query = "SELECT trace FROM record WHERE rowid = ? AND base IS NULL AND typeof(trace) = 'blob'"
        row = self._database.execute(query, (rowid,)).fetchone()
        if row is None:
            raise ValueError(f"record {rowid} is the base of no trace")
        return ZstdDecompressor(dict_data=_dictionary(_content(row[0], self._alone)))


def _dictionary(content: bytes) -> ZstdCompressionDict:
    return ZstdCompressionDict(content[:DICTIONARY], dict_type=DICT_TYPE_RAWCONTENT)


def _content(frame: bytes, decompressor: ZstdDecompressor) -> bytes:
    """Return the content of a zstd frame; raises ZstdError or ValueError where it is broken or too large."""
    if not 0 <= frame_content_size(frame) <= MOST:
        raise ValueError("the frame states no size, or one that is too large")
    return decompressor.decompress(frame, allow_extra_data=False)
