# ruff: noqa: RUF001 - typographic quotes are among the marks that are read
"""Parse values as models write them: JSON and similar forms (Python literals, single quotes, trailing commas).

Contract: nothing is evaluated or guessed: an incomplete value is never returned. A reader has a
budget of characters for one text, so that all its attempts together take time linear in any text.
"""

import json
import re
from typing import Any, NoReturn

__all__ = ["Reader", "UnreadableError"]

_DEPTH = 24
"""Maximum number of levels of nesting that are read; no call needs more than a few."""
_SPACE = re.compile(r"(?:[\s\ufeff]|//[^\n]*+|#[^\n]*+)*+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,60}+(?:\.[0-9]{0,60}+)?|\.[0-9]{1,60}+)(?:[eE][+-]?[0-9]{1,4}+)?(?![\w.])")
_WORD = re.compile(r"-?[A-Za-z_]\w{0,63}+(?![\w.(])", re.ASCII)
_NAME = re.compile(r"([A-Za-z_]\w{0,63}+)\s{0,9}=(?!=)", re.ASCII)
_WORDS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
    "NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"),
}  # fmt: skip
# Atomic groups where there is a look ahead: before Python 3.11.5 a possessive group loses its place after one.
_STRING = re.compile(
    r'''"""((?>(?:[^"\\]|\\[\s\S]|"(?!""))*))"""'''
    r"|'''((?>(?:[^'\\]|\\[\s\S]|'(?!''))*))'''|"
    r'"((?:[^"\\\n]|\\.)*+)"'
    r"|'((?:[^'\\\n]|\\.)*+)'"
    r"|“([^“”\\\n]*+)”|‘([^‘’\\\n]*+)’"
    r'|<\|"\|>([^<\\\n]*+)<\|"\|>|<escape>([^<\\\n]*+)<escape>'
)
_LINES = re.compile(r'"((?:[^"\\]|\\[\s\S])*+)"(?=\s*+[,}\])])')
"""A string over several lines: not valid JSON, but models write code so. Read only if its end is clear."""
_QUOTES = ('"', "'", "“", "‘", '<|"', "<escape")
_REST = re.compile(r"[^\n]*+")
_LAST_WORD = re.compile(r"[-+\w.]{0,80}+\Z")
_CLOSED = frozenset("}]\"'”’>")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class UnreadableError(ValueError):
    """Raised if no complete value can be read from a text; ``at`` is the position where reading stopped."""

    def __init__(self, text: str, at: int) -> None:
        self.at = at
        shown = text[at : at + 20].partition("\n")[0] or text[at : at + 20]
        super().__init__("it is cut off" if at >= len(text) else f"it cannot be read from {shown!r} on")
        self.whole: Any = None
        """The complete members of the outermost object, list or argument list."""
        self.only_open = False
        """Whether only the closing bracket of the outermost value is missing."""
        self.within: list[int] = []
        """Places of the brackets still open: reading from any of them would stop at the same place."""


class Reader:
    """A reader of values from one text; ``spent`` counts the characters it has read, of at most ``budget``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spent = 0
        self.budget = 16 * len(text) + 1000

    def value(self, at: int, depth: int = 0) -> tuple[Any, int]:
        """Return the value that starts at position *at* of the text, and the position after it.

        *depth* is the number of values around it. Raises UnreadableError if the value is incomplete, in no known form
        or nested too deeply, or if the budget is spent.
        """
        text = self.text
        if depth > _DEPTH or self.spent > self.budget:
            self._fail(at)
        opening = text[at : at + 1]
        if opening == "{":
            return self._object(at, depth)
        if opening == "[":
            return self._list(at, depth)
        if found := _STRING.match(text, at) or _LINES.match(text, at):
            self.spent += found.end() - at
            return _unescaped(found[found.lastindex or 0]), found.end()
        if found := _NUMBER.match(text, at):
            self.spent += found.end() - at
            return _number(found[0]), found.end()
        if found := _WORD.match(text, at):
            self.spent += found.end() - at
            # A word without quotes is a text: "view=v0" is common, and no number can be lost by it.
            return _WORDS.get(found[0], found[0]), found.end()
        return self._stopped(at)

    def arguments(self, at: int) -> tuple[dict[str, Any], int]:
        """Return the arguments of a Python-like call, ``(x=1, y=2)`` or ``({...})``, and the position after it.

        *at* is the position after the opening bracket. Raises UnreadableError unless all arguments are named, once
        each, and complete.
        """
        given: dict[str, Any] = {}
        if self.spent > self.budget:
            self._fail(at)
        try:
            at = self._space(at)
            if self.text[at : at + 1] == "{":
                value, at = self._object(at, 0)
                at = self._space(at)
                if self.text[at : at + 1] != ")":
                    self._fail(at)
                return value, at + 1
            while self.text[at : at + 1] != ")":
                name = _NAME.match(self.text, at)
                if name is None or name[1] in given:
                    self._stopped(at)
                value, at = self.value(self._space(name.end()), 1)
                at = self._next(at, ")")
                given[name[1]] = value
        except UnreadableError as error:
            error.whole = given
            raise
        return given, at + 1

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        members: dict[str, Any] = {}
        start = at
        try:
            at = self._space(at + 1)
            while self.text[at : at + 1] != "}":
                key, at = self._key(at)
                value, at = self.value(self._space(at), depth + 1)
                if self._ended(at):
                    members[key] = value
                at = self._next(at, "}")
        except UnreadableError as error:
            self._note(error, members, start, depth)
            raise
        return members, at + 1

    def _key(self, at: int) -> tuple[str, int]:
        """Return the key at position *at*, with or without quotes, and the position after the colon that follows it."""
        found = _STRING.match(self.text, at) or _WORD.match(self.text, at)
        if found is None:
            self._stopped(at)
        self.spent += found.end() - at
        colon = self._space(found.end())
        if self.text[colon : colon + 1] != ":":
            self._fail(colon)
        return _unescaped(found[found.lastindex or 0]), colon + 1

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        start = at
        try:
            at = self._space(at + 1)
            while self.text[at : at + 1] != "]":
                value, at = self.value(at, depth + 1)
                if self._ended(at):
                    items.append(value)
                at = self._next(at, "]")
        except UnreadableError as error:
            self._note(error, items, start, depth)
            raise
        return items, at + 1

    def _ended(self, at: int) -> bool:
        """Return whether a value surely ends at position *at*: a cut-off number looks like another number."""
        return at < len(self.text) or self.text[at - 1] in _CLOSED

    @staticmethod
    def _note(error: UnreadableError, whole: Any, start: int, depth: int) -> None:
        error.within.append(start)
        error.whole = whole
        error.only_open = error.only_open and depth == 0

    def _next(self, at: int, closing: str) -> int:
        """Return the position of the next member or closing bracket; a comma before the bracket is allowed."""
        at = self._space(at)
        mark = self.text[at : at + 1]
        if mark == ",":
            return self._space(at + 1)
        if mark != closing:
            error = UnreadableError(self.text, at)
            error.only_open = True
            raise error
        return at

    def _space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        end = found.end() if found else at
        self.spent += end - at + 1
        return end

    def _stopped(self, at: int) -> NoReturn:
        """Raise UnreadableError at *at*, or at the end of the text if the end cuts off the value at *at*."""
        unended = (_REST if self.text.startswith(_QUOTES, at) else _LAST_WORD).match(self.text, at)
        end = unended.end() if unended else at
        self.spent += end - at
        self._fail(end if end == len(self.text) else at)

    def _fail(self, at: int) -> NoReturn:
        raise UnreadableError(self.text, at)


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _unescaped(text: str) -> str:
    """Return a string with its escapes decoded; half a surrogate pair is replaced, as it cannot be stored."""
    if "\\" not in text:
        return text
    try:
        said = str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        said = _ESCAPE.sub(lambda found: _one(found[1]), text)
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) > 1 else _ESCAPED.get(escape, escape)
