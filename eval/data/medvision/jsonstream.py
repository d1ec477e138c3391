"""Reading one large JSON document piece by piece: only the current value is in memory.

A plan may hold gigabytes; a case of it is a few megabytes. The reader walks into objects and lists, and decodes
whole values with the standard decoder. Every error is a DataError that names the file.

Why not ijson: Python writes plans, and an angle of a plan may be a bare NaN, which ijson rejects. It does not bound
nesting: 100,000 brackets fill the memory with their paths. And it takes 37 s of CPU where this reader takes 10 s
(``benchmarks/plans.py``).
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from medvision_agent.errors import DataError

__all__ = ["JsonStream"]

_CHUNK = 4 << 20
MAX_VALUE = 512 << 20
"""Longest text of one value (a case of a plan), in characters."""
_SPACE = " \t\r\n"


class _Reader(Protocol):
    def read(self, size: int) -> bytes: ...


class JsonStream:
    """A reader that goes once through a JSON document from beginning to end.

    Every method raises DataError if it is broken.
    """

    def __init__(self, path: Path, stream: _Reader) -> None:
        self._path = path
        self._stream = stream
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """Yield each key of the object at the current position; the caller must read its value before the next key."""
        for _ in self._walk("{", "}"):
            key = self.value()
            if not isinstance(key, str) or self._peek() != ":":
                raise self._bad("expected a key and ':'")
            self._at += 1
            yield key

    def elements(self) -> Iterator[None]:
        """Yield once per element of the list at the current position.

        The caller must read the element before the next.
        """
        yield from self._walk("[", "]")

    def value(self) -> Any:
        """Return the whole value at the current position, as Python data."""
        self._peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except RecursionError:
                raise self._bad("its values are nested too deeply") from None
            except ValueError as error:
                if self._ended:
                    raise self._bad(str(error)) from None
            else:
                # A number may go on in the next chunk; what is cut off it ("1." or "1e+") is at most two characters.
                if len(self._text) - end > 2 or self._ended:
                    self._at = end
                    return value
            # Twice as much each time: the text of a value is decoded at most about twice.
            self._more(max(_CHUNK, len(self._text) - self._at))

    def end(self) -> None:
        """Raise DataError if text follows the document."""
        if self._peek():
            raise self._bad("there is more text after the end of the document")

    def _walk(self, opening: str, closing: str) -> Iterator[None]:
        if self._peek() != opening:
            raise self._bad(f"expected {opening!r}")
        self._at += 1
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            mark = self._peek()
            self._at += 1
            if mark == closing:
                return
            if mark != ",":
                raise self._bad(f"expected ',' or {closing!r}")

    def _peek(self) -> str:
        """Return the next character that is not white space, without consuming it; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(text):
                return text[at]
            if self._ended:
                return ""
            self._more(_CHUNK)

    def _more(self, size: int) -> None:
        if len(self._text) - self._at > MAX_VALUE:
            raise self._bad(f"one value is longer than {MAX_VALUE >> 20} MB")
        data = self._stream.read(size)
        self._ended = not data
        try:
            text = self._utf8.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise self._bad(str(error)) from None
        self._text = self._text[self._at :] + text
        self._at = 0

    def _bad(self, what: str) -> DataError:
        return DataError(
            f"{self._path}: is not a readable annotation plan of MedVision, a JSON object ({what}); download the file "
            "again"
        )
