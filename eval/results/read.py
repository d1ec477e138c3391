"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes; it is never dropped silently and never
stops the reading. Also noted are several answers to one question (all count, as upstream) and the tokens NaN and
Infinity, which are not valid JSON. A file that cannot be opened is a DataError. Nothing in a file is executed. Answers
come block by block, so that no more of a file than a block need be in memory; those of a block are of one family, and
in the order of their lines.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET

from medvision_agent.errors import DataError
from medvision_agent.eval.results.build import odd_record
from medvision_agent.eval.results.columns import RecordAnswers
from medvision_agent.eval.results.heading import Heading, read_heading
from medvision_agent.eval.results.notes import Notes, Place
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import NO_NMAE, OddRecord, Record, Scored, decode, decode_carefully
from medvision_agent.eval.results.target import read_targets
from medvision_agent.eval.tasks import Family

__all__ = ["AnswerReader"]

_AT_ONCE = 64
"""Number of lines decoded at once, before the cache is full."""
_BLOCK = 512
"""Number of records in a block."""
_BUFFER = 1 << 18
_DECODED, _LOOKED_UP, _BUILT = range(3)
"""The steps of reading a line."""
_AGAIN = "answers to a question that was answered before (all of them count)"
_FLAT = "responses not nested in two lists: only the first character is read, as MedVision's package does"
_NO_RESPONSE = "records without a response: the numbers that another parser stored are used (filtered_resps)"
_TOKENS = "values NaN or Infinity, which are not JSON: read as such numbers"

_GENERATIONS = {"v1.2": re.compile(r"-(CoT|VP)\b"), "paper-v1": re.compile(r"-\d+x\d+$")}
_LATER = "v1.2"
_LATER_KEYS = attrgetter("nmae", "raw_nmae", "scale", "raw_scale", "f1")
_NOT_LATER = (UNSET,) * 5
_Key = tuple[str | None, str | None, str | None]
_KEY = attrgetter("task", "file", "task_type")


class AnswerReader:
    """A reader of the answers in one or more files, which collects remarks on them in ``notes``.

    *kind* is the type of record to read, which determines its fields; *plans* supplies facts that records lack.
    """

    def __init__(self, plans: Plans | None = None, kind: type[Scored] = Record) -> None:
        self.notes = Notes()
        self.count = 0
        """Number of answers."""
        self.nameless: list[str] = []
        """Ids of answers without a label name or a modality, which therefore have no group."""
        self.files = Notes()
        """Files that answers with a response name as their origin."""
        self.tagged: set[str] = set()
        """Those of these files in which a response has answer tags."""
        self.signs = Notes()
        """Which generation of MedVision wrote the answers, if there was a sign of it."""
        self._ids: set[str] = set()
        self._plans, self._kind = plans, kind
        self._names: list[str] = []

    def blocks(self, path: Path) -> Iterator[RecordAnswers]:
        """Yield the answers in a file, block by block; DataError if it cannot be opened.

        The remarks on the file are complete after the last block.
        """
        self._names.append(path.name)
        records, lines, last = list[Scored](), list[int](), 0
        try:
            for some in _lines(path):
                self._take(some, last + 1, records, lines)
                last += len(some)
                if len(records) >= _BLOCK:
                    yield from self._answers(records, lines)
                    records, lines = [], []
        except _DamagedError as damage:
            self._note(last + 1, str(damage))
        yield from self._answers(records, lines)

    def _take(self, lines: Sequence[bytes], start: int, records: list[Scored], numbers: list[int]) -> None:
        """Add the records in *lines* to *records*, and the number of each one's line to *numbers*.

        *start* is the number of the first line.
        """
        found = decode(lines, self._kind)
        if found is not None:
            own, tokens = found
            records += own
            numbers += range(start, start + len(lines))
            if tokens:
                first = next(line for line, text in enumerate(lines, start) if NO_NMAE in text)
                self._note(first, _TOKENS, tokens)
        elif len(lines) > 1:  # one of them has another form
            half = len(lines) // 2
            self._take(lines[:half], start, records, numbers)
            self._take(lines[half:], start + half, records, numbers)
        elif (record := self._odd_record(lines[0], start)) is not None:
            records.append(record)
            numbers.append(start)

    def _odd_record(self, text: bytes, line: int) -> OddRecord | None:
        """Return the record in a line of unusual form; None for an empty line and an unusable one, which is noted."""
        if not text.strip():
            return None
        try:
            row, tokens = decode_carefully(text)
        except ValueError:
            whole = text.endswith(b"\n")
            kind = "lines that are not JSON: left out" if whole else "files cut off in their last line: it is left out"
            self._note(line, kind)
            return None
        if tokens:
            self._note(line, _TOKENS, tokens)
        if not isinstance(row, dict):
            self._note(line, "lines that are not a JSON object: left out")
            return None
        try:
            record = odd_record(row, self._names[-1])
        except ValueError as error:
            self._note(line, f"records left out: {error}", step=_BUILT)
            return None
        if record.resps[0][0] is None:
            self._note(line, _NO_RESPONSE, step=_BUILT)
        return record

    def _answers(self, records: list[Scored], lines: list[int]) -> Iterator[RecordAnswers]:
        """Yield the answers in *records* as one table for each family; *lines* are the records' line numbers."""
        keys: list[_Key] = list(map(_KEY, records))
        there = {key: self._heading(key) for key in dict.fromkeys(keys)}
        headings = list(map(there.__getitem__, keys)) if len(there) > 1 else [*there.values()] * len(keys)
        if any(isinstance(one, ValueError) for one in there.values()):
            errors = {row: one for row, one in enumerate(headings) if isinstance(one, ValueError)}
            records, headings, lines = self._without(errors, lines, records, headings, lines)
        families = list(dict.fromkeys(one.family for one in there.values() if isinstance(one, Heading)))
        for family in families:
            own = len(families) == 1 or [one.family == family for one in headings]
            yield from self._of_family(family, *_only(own, records, headings, lines))

    def _heading(self, key: _Key) -> Any:
        """Return the heading of records that state *key* (task, file, task type), or the ValueError in place of it."""
        try:
            return read_heading(*key, self._names[-1])
        except ValueError as error:
            return error

    def _of_family(
        self, family: Family, records: list[Scored], headings: list[Heading], lines: list[int]
    ) -> Iterator[RecordAnswers]:
        targets, bare, errors = read_targets([one.target for one in records], family)
        if errors:
            columns = records, headings, targets, bare, lines
            records, headings, targets, bare, lines = self._without(errors, lines, *columns)
        if records:
            answers = RecordAnswers(records, headings, targets, bare, self._plans)
            self._look_at(answers, records, lines)
            yield answers

    def _without(self, errors: Mapping[int, ValueError], lines: Sequence[int], *columns: list[Any]) -> list[list[Any]]:
        """Return *columns* without the rows in *errors*, each of which is noted with its number in *lines*."""
        for row, error in errors.items():
            self._note(lines[row], f"records left out: {error}", step=_BUILT)
        return _only([row not in errors for row in range(len(lines))], *columns)

    def _look_at(self, answers: RecordAnswers, records: list[Scored], lines: list[int]) -> None:
        """Count answers; note repeated ids, odd responses, missing names, MedVision's generation, and answer tags."""
        self.count += len(lines)
        ids = answers.column("id")
        own = set(ids)
        if len(own) < len(ids) or not self._ids.isdisjoint(own):
            for one, line in zip(ids, lines, strict=True):
                if one in self._ids:
                    self._note(line, _AGAIN, step=_LOOKED_UP, example=f"{one}, {self._name_of(line)}")
                self._ids.add(one)
        self._ids |= own
        if str in set(map(type, answers.column("first"))):
            for line in compress(lines, [type(one) is str for one in answers.column("first")]):
                self._note(line, _FLAT, step=_BUILT)
        labels, modalities = answers.column("label_name"), answers.column("modality")
        if answers.family != "AD" and not (all(labels) and all(modalities)):
            rows = zip(ids, labels, modalities, strict=True)
            self.nameless += [one for one, label, modality in rows if not (label and modality)]
        self._look_for_signs(answers.column("task"), records, lines)
        self._look_for_tags(answers.column("file"), answers.column("response"), lines)

    def _look_for_signs(self, tasks: list[str], records: list[Scored], lines: list[int]) -> None:
        """Note the first record whose task or keys show which generation of MedVision's package wrote it."""
        for task in dict.fromkeys(tasks):
            named = _generation(task)
            if not self.signs.has(named or _LATER, self._place(lines[0])):
                own = (row for row, one in enumerate(tasks) if one == task)
                row = next((row for row in own if named or _LATER_KEYS(records[row]) != _NOT_LATER), None)
                if row is not None:
                    self.signs.add(named or _LATER, self._name_of(lines[row]), place=self._place(lines[row]))

    def _look_for_tags(self, files: list[str], responses: list[str | None], lines: list[int]) -> None:
        for file in set(files) - self.tagged:
            rows = [row for row, own in enumerate(files) if own == file and responses[row] is not None]
            if rows:
                self.files.add(file, place=self._place(lines[rows[0]]))
            if any("<answer>" in (responses[row] or "") for row in rows):
                self.tagged.add(file)

    def _note(self, line: int, kind: str, count: int = 1, *, step: int = _DECODED, example: str = "") -> None:
        self.notes.add(kind, example or self._name_of(line), count, (*self._place(line), step))

    def _place(self, line: int) -> Place:
        return len(self._names), line

    def _name_of(self, line: int) -> str:
        return f"{self._names[-1]}, line {line}"


def _only(kept: list[bool] | Literal[True], *columns: list[Any]) -> list[list[Any]]:
    """Return each of *columns* with only the rows that *kept* flags; True keeps all rows."""
    return list(columns) if kept is True else [list(compress(column, kept)) for column in columns]


@lru_cache(maxsize=1024)
def _generation(task: str) -> str | None:
    return next((name for name, sign in _GENERATIONS.items() if sign.search(task)), None)


class _DamagedError(Exception):
    """Raised for a compressed file that cannot be read to its end; its message is a type of remark."""


def _lines(path: Path) -> Iterator[list[bytes]]:
    """Yield the lines of a file, at most 64 at a time.

    Of a damaged compressed file, the lines before the damage are yielded, then _DamagedError is raised. Raises
    DataError if the file cannot be read.
    """
    read = list[bytes]()
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb", buffering=_BUFFER) as lines:
            # When the error arrives, everything before the damage has been read.
            while True:
                read.extend(islice(lines, _AT_ONCE))
                if not read:
                    return
                yield read
                read = []
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield read
        told = f"compressed files that end early or are damaged ({error}): what follows is missing"
        raise _DamagedError(told) from None
    except OSError as error:
        raise DataError(f"{path}: this file cannot be read ({error.strerror}); check the path") from None
