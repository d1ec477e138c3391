"""Find the calls in a text, from its start to its end.

A scan goes from mark to mark and knows its block: none, a fence, or an envelope made for calls. A readable call
is a find; text that was clearly meant as a call but cannot be read is a find with a problem.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from medvision_agent.agent.chat.names import plain_name
from medvision_agent.agent.grammars.literals import Reader, UnreadableError
from medvision_agent.agent.grammars.marks import (
    AFTER_CALL,
    ENVELOPE_LABELS,
    LINE_START,
    MARK,
    NAMED,
    OBJECT_NEXT,
    PAIR,
    PROGRAM_LABELS,
)
from medvision_agent.agent.grammars.shapes import ARGUMENT_KEYS, Place, Shape, shapes

__all__ = ["Block", "Find", "Scan"]

_NO_TOOL = frozenset({"print", "json.dumps", "dict", "str"})
"""Names that are called around tool calls in programs."""


@dataclass(eq=False)
class Block:
    """A part of the text between an opening and a closing mark; positions are counted in characters of the text."""

    start: int
    inside: int
    """Where its content begins."""
    place: Place = Place.PROSE
    fenced: bool = False
    program: bool = False
    end: int | None = None
    used: bool = False
    """Whether a call was found in the block."""


@dataclass(frozen=True, eq=False)
class Find:
    """A tool call found in the text between the positions ``start`` and ``end``, with the block that contains it."""

    start: int
    end: int
    shape: Shape
    block: Block


class Scan:
    """A search for tool calls, which goes through one text once."""

    def __init__(self, text: str, declared: Collection[str]) -> None:
        self.text, self.declared = text, declared
        self.reader = Reader(text)
        self.finds: list[Find] = []
        self.block = Block(0, 0)
        self._broken = False
        """Whether a value could not be read: text up to the next line or mark is then part of it."""
        self._hopeless: set[int] = set()
        """Places of brackets known to be unclosed."""
        self._listed_from = -1
        """Where the last call of a list in square brackets ended."""
        words = "|".join(re.escape(name) for name in declared) or r"(?!)"
        keys = "|".join(ARGUMENT_KEYS)
        self._name = re.compile(rf"[\"'“]({words})[\"'”]")
        self._meant = re.compile(rf"[\"'“](?:{keys})[\"'”]\s{{0,9}}:")

    def run(self, at: int = 0) -> list[Find]:
        """Return all finds from position *at* on, in the order of the text."""
        while (mark := MARK.search(self.text, at)) is not None:
            at = getattr(self, f"_{mark.lastgroup}")(mark)
        return self.finds

    # Blocks

    def _fence(self, mark: re.Match[str]) -> int:
        label = (mark["label"] or "").lower()
        if self.block.place is Place.ENVELOPE and not self.block.fenced:
            return mark.end()  # a fence within tags adds nothing
        if self.block.fenced and not label:
            return self._leave(mark)
        place = Place.ENVELOPE if label in ENVELOPE_LABELS else Place.FENCE
        return self._enter(Block(mark.start(), mark.end(), place, fenced=True, program=label in PROGRAM_LABELS))

    def _open(self, mark: re.Match[str]) -> int:
        return self._enter(Block(mark.start(), mark.end(), Place.ENVELOPE))

    def _enter(self, block: Block) -> int:
        self.block, self._broken = block, False
        return self._named(block.inside)

    def _close(self, mark: re.Match[str]) -> int:
        return self._leave(mark)

    def _leave(self, mark: re.Match[str]) -> int:
        block, self._broken = self.block, False
        block.end = mark.end()
        if block.place is Place.ENVELOPE and not block.used:
            content = self.text[block.inside : mark.start()].strip()
            if content in self.declared:
                self._found(block.inside, mark.start(), Shape(content, {}))
            elif content:
                self._found(block.inside, mark.start(), Shape("", {}, "no call can be read in it"))
        self.block = Block(mark.end(), mark.end())
        return mark.end()

    # Calls

    def _value(self, mark: re.Match[str]) -> int:
        start, place = mark.start(), self.block.place
        if start in self._hopeless or (self._broken and not self._at_line_start(start)):
            return mark.end()
        self._broken = False
        try:
            value, end = self.reader.value(start)
        except UnreadableError as error:
            return self._unreadable(start, error)
        found = list(shapes(value, self.declared, place))
        for shape in found:
            self._found(start, end, shape)
        return self._named(end) if found and place is Place.ENVELOPE else end

    def _named(self, at: int) -> int:
        """Record calls of the form ``name{...}`` at *at*, within an envelope; return the position after them."""
        while self.block.place is Place.ENVELOPE and (named := NAMED.match(self.text, at)) is not None:
            name = plain_name(named["name"], self.declared)
            if not named["object"]:
                return self._pairs(named.start(), name, named.end(), "</tool_call>")
            try:
                value, at = self.reader.value(named.end())
            except UnreadableError as error:
                return self._unreadable(named.start(), error, name)
            whole = next(shapes(value, self.declared, Place.FENCE), None)
            self._found(named.start(), at, whole or Shape(name, value))
        return at

    def _tag(self, mark: re.Match[str]) -> int:
        name = plain_name(mark["function"], self.declared)
        if self.block.place is not Place.ENVELOPE:
            self.block = Block(mark.start(), mark.end(), Place.ENVELOPE)
        inside = OBJECT_NEXT.match(self.text, mark.end())
        if inside is None:
            return self._pairs(mark.start(), name, mark.end(), "</")
        try:
            value, end = self.reader.value(inside.end())
        except UnreadableError as error:
            return self._unreadable(mark.start(), error, name)
        self._found(mark.start(), end, Shape(name, value))
        return end

    def _pairs(self, start: int, name: str, at: int, closing: str) -> int:
        """Record a call of *name* whose arguments, from *at* on, stand between tags; return the position after it.

        The arguments are complete only if the text *closing* follows. *start* is where the call begins.
        """
        given: dict[str, Any] = {}
        while (pair := PAIR.match(self.text, at)) is not None:
            given[(pair["key"] or pair["key2"]).strip()] = _plain(pair["value"] or pair["value2"] or "")
            at = pair.end()
        rest = self.text[at : at + 99].lstrip()
        problem = "" if rest.startswith(closing) else "it is cut off" if not rest else "its arguments cannot be read"
        self._found(start, at, Shape(name, {} if problem else given, problem))
        self._broken = bool(problem)
        return at

    def _react(self, mark: re.Match[str]) -> int:
        return self._addressed(mark, mark["action"])

    def _message(self, mark: re.Match[str]) -> int:
        self.block = Block(mark.start(), mark.end(), Place.ENVELOPE)
        return self._addressed(mark, mark["recipient"])

    def _content(self, mark: re.Match[str]) -> int:
        self.block = Block(mark.start(), mark.end(), Place.ENVELOPE)
        return self._addressed(mark, mark["addressee"])

    def _addressed(self, mark: re.Match[str], written: str) -> int:
        """Record the call of the tool *written* in *mark*, with the object after the mark; return where it ends."""
        name = plain_name(written, self.declared)
        try:
            value, end = self.reader.value(mark.end())
        except UnreadableError as error:
            return self._unreadable(mark.start(), error, name)
        self._found(mark.start(), end, Shape(name, value))
        return end

    def _python(self, mark: re.Match[str]) -> int:
        name, block = plain_name(mark["callee"], self.declared), self.block
        at_line_start = self._at_line_start(mark.start())
        alone = at_line_start or self._continues_list(mark.start())
        certain = block.place is Place.ENVELOPE and name not in _NO_TOOL
        wanted = certain or (name in self.declared and (alone or block.program))
        if not wanted or (self._broken and not at_line_start):
            return mark.end()
        self._broken = False
        try:
            given, end = self.reader.arguments(mark.end())
        except UnreadableError as error:
            if certain or error.whole:
                return self._unreadable(mark.start(), error, name)
            return mark.end()
        if not certain and not block.program and AFTER_CALL.match(self.text, end) is None:
            return mark.end()
        self._found(mark.start(), end, Shape(name, given))
        self._listed_from = end
        return end

    def _bare(self, mark: re.Match[str]) -> int:
        """Record a call whose marks a server removed: a tool's name at the start of a line, then its arguments.

        Return the position where the search continues.
        """
        name = plain_name(mark["alone"], self.declared)
        if name not in self.declared or self.block.place is Place.ENVELOPE:
            return mark.end()
        try:
            value, end = self.reader.value(mark.end())
        except UnreadableError as error:
            return self._unreadable(mark.start(), error, name)
        if AFTER_CALL.match(self.text, end) is None:
            return mark.end()
        self._found(mark.start(), end, Shape(name, value))
        return end

    # Helpers

    def _unreadable(self, start: int, error: UnreadableError, name: str | None = None) -> int:
        """Record a call that begins at *start* and cannot be read; return the position where the search continues.

        *name* is the tool if a mark names it. Text that was not clearly meant as a call is not recorded.
        """
        in_envelope = self.block.place is Place.ENVELOPE
        self._hopeless.update(error.within)
        if name is None and self.text[start] == "[":
            # Its items are read one by one, also the object that could not be read: it may be a call of its own.
            self._hopeless.difference_update(at for at in error.within[-2:-1] if self.text[at] == "{")
            return start + 1
        if name is None and error.only_open and self._complete(start, error):
            return max(error.at, start + 1)
        written = self.text[start : error.at]
        named = self._name.search(written)
        if name is None and not in_envelope and not (named and self._meant.search(written)):
            return start + 1
        guess = name if name is not None else named[1] if named else ""
        self._found(start, error.at, Shape(guess, {}, str(error)))
        self._broken = True
        return max(error.at, start + 1)

    def _complete(self, start: int, error: UnreadableError) -> bool:
        """Record the calls of an object that lacks only its last bracket, and return whether it has any."""
        if not any(key in error.whole for key in (*ARGUMENT_KEYS, "function")):
            return False
        found = list(shapes(error.whole, self.declared, self.block.place))
        for shape in found:
            self._found(start, error.at, shape)
        return bool(found)

    def _found(self, start: int, end: int, shape: Shape) -> None:
        self.block.used = True
        self.finds.append(Find(start, end, shape, self.block))

    def _at_line_start(self, at: int) -> bool:
        nearby = self.text[max(0, at - 40) : at]
        return LINE_START.search(nearby if at <= 40 else nearby[1:] if "\n" in nearby else "x" + nearby) is not None

    def _continues_list(self, at: int) -> bool:
        near = 0 <= at - self._listed_from < 200 and self._listed_from >= 0
        return near and not self.text[self._listed_from : at].strip(" ,;\n\t")


def _plain(written: str) -> Any:
    """Return the value of an argument between tags: parsed if it is JSON, else the text itself."""
    reader = Reader(written.strip())
    try:
        value, end = reader.value(0)
    except UnreadableError:
        return reader.text
    return value if end == len(reader.text) else reader.text
