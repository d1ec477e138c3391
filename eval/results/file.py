"""The records of one file: those that are as MedVision writes them go the quick way, all others one by one.

Contract: the answers stand in the order of their lines, whichever way they went, and so does what is to be said about
them. A record that cannot be used is named in the notes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import Any, TypeVar

from medvision_agent.eval.results.build import build_answer, read_heading
from medvision_agent.eval.results.columns import columns, first_later
from medvision_agent.eval.results.notes import FileNotes
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Record, decode_carefully, decode_quickly, decode_records, read_record
from medvision_agent.eval.results.target import read_targets
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["AnswerFile", "place"]

_GENERATIONS = {"v1.2": re.compile(r"-(CoT|VP)\b"), "paper-v1": re.compile(r"-\d+x\d+$")}
_LATER_KEYS = frozenset({"nMAE", "raw_nMAE", "pixel_size_scale", "raw_pixel_size_scale", "F1"})
_LATER = "v1.2"
_FLAT = "responses not nested in a list: only the first character is read, as upstream does"
_TOKENS = "NaN or Infinity tokens, which are no JSON; read as such"
_Key = tuple[str | None, str | None, str | None]
_KEY = attrgetter("task", "file", "task_type")
_T = TypeVar("_T")
_Numbered = tuple[list[_T], list[int]]
"""Things, and the lines they are in."""


class AnswerFile:
    """Takes the lines of a file called *name*, block by block."""

    def __init__(self, name: str, plans: Plans | None, *, prompts: bool = False) -> None:
        self.notes = FileNotes()
        self.signs: dict[str, int] = {}
        """Where there is a sign of a generation of MedVision, the line of the first."""
        self.lines: list[int] = []
        """The line of each answer."""
        self._name, self._plans, self._prompts = name, plans, prompts
        self._answers: list[Answers] = []
        self._last = 0

    def answers(self) -> Answers:
        """Return the answers in the lines so far."""
        return Answers.joined(self._answers)

    def place(self, line: int) -> str:
        """Return what a line is called."""
        return place(self._name, line)

    def place_after(self) -> str:
        """Return what the line after those so far is called."""
        return self.place(self._last + 1)

    def take(self, block: Sequence[bytes]) -> None:
        """Take the next lines. Blocks of some dozens are best: their records are done with before the cache is full."""
        if not block:
            return
        others: _Numbered[Answer] = ([], [])
        start, found = self._last + 1, decode_records(block, prompts=self._prompts)
        if found is None:
            records, lines = self._take_by_line(block, others)
        else:
            records, lines = list(found[0]), list(range(start, start + len(block)))
            if found[1]:
                number = start + found[1][0]
                self.notes.add(number, FileNotes.DECODED, _TOKENS, self.place(number), len(found[1]))
        self._last += len(block)
        parts = [self._part(key, *own) for key, own in _by_heading(records, lines).items()]
        if others[0]:
            parts.append((Answers.of(others[0]), others[1]))
        self._add(parts)

    def _take_by_line(self, block: Sequence[bytes], others: _Numbered[Answer]) -> _Numbered[Record]:
        """Return the records in a block, each read by itself, and put the answers of all other lines to *others*."""
        records: _Numbered[Record] = ([], [])
        for number, line in enumerate(block, start=self._last + 1):
            try:
                record, nan = read_record(line, prompts=self._prompts)
            except (ValueError, RecursionError):
                answer = self._read_carefully(line, number)
                if answer is not None:
                    others[0].append(answer)
                    others[1].append(number)
                continue
            records[0].append(record)
            records[1].append(number)
            if nan:
                self.notes.add(number, FileNotes.DECODED, _TOKENS, self.place(number))
        return records

    def _add(self, parts: Sequence[tuple[Answers, list[int]]]) -> None:
        answers = Answers.joined(part for part, _ in parts)
        lines = [line for _, own in parts for line in own]
        if len(parts) > 1:
            answers = answers.take(sorted(range(len(lines)), key=lines.__getitem__))
            lines.sort()
        self._answers.append(answers)
        self.lines += lines

    def _part(self, key: _Key, records: list[Record], lines: list[int]) -> tuple[Answers, list[int]]:
        try:
            heading = read_heading(*key, self._name)
        except ValueError as error:
            for line in lines:
                self._leave_out(line, error)
            return Answers.of(()), []
        targets, bare, errors = read_targets([one.target for one in records], heading.family)
        for row, complaint in errors.items():
            self._leave_out(lines[row], complaint)
        if errors:
            kept = [row not in errors for row in range(len(records))]
            records, lines = list(compress(records, kept)), list(compress(lines, kept))
            targets, bare = list(compress(targets, kept)), list(compress(bare, kept))
        for line in compress(lines, [type(one.resps[0]) is str for one in records]):
            self.notes.add(line, FileNotes.BUILT, _FLAT, self.place(line))
        self._look_for_signs(_generation(heading.task), records, lines)
        return columns(records, heading, targets, bare, self._plans), lines

    def _look_for_signs(self, generation: str | None, records: list[Record], lines: list[int]) -> None:
        sign = generation or _LATER
        if lines and self.signs.get(sign, lines[0]) >= lines[0]:
            row = 0 if generation else first_later(records)
            if row is not None:
                self._note_sign(sign, lines[row])

    def _note_sign(self, generation: str, line: int) -> None:
        self.signs[generation] = min(line, self.signs.get(generation, line))

    def _read_carefully(self, line: bytes, number: int) -> Answer | None:
        row = self._decoded(line, number)
        if row is None:
            return None
        try:
            answer = build_answer(row, self._name, self._plans)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            self._leave_out(number, error)
            return None
        resps = row.get("resps")
        if isinstance(resps, list) and isinstance(resps[0], str):
            self.notes.add(number, FileNotes.BUILT, _FLAT, self.place(number))
        if answer.response is None:
            kind = "records without a response: the numbers read by their parser are used"
            self.notes.add(number, FileNotes.BUILT, kind, self.place(number))
        sign = _generation(answer.task)
        if sign is None and not _LATER_KEYS.isdisjoint(row):
            sign = _LATER
        if sign is not None:
            self._note_sign(sign, number)
        return answer

    def _decoded(self, line: bytes, number: int) -> dict[str, Any] | None:
        """Return the object in a line, or None where it has none."""
        tokens = 0
        try:
            row = decode_quickly(line)
        except (ValueError, RecursionError):
            if not line.strip():
                return None
            try:
                row, tokens = decode_carefully(line)
            except ValueError:
                kind = "lines that are no JSON" if line.endswith(b"\n") else "files cut off in the middle of a line"
                self.notes.add(number, FileNotes.DECODED, f"{kind}: left out", self.place(number))
                return None
        if tokens:
            self.notes.add(number, FileNotes.DECODED, _TOKENS, self.place(number), tokens)
        if isinstance(row, dict):
            return row
        self.notes.add(number, FileNotes.DECODED, "lines that are no JSON object: left out", self.place(number))
        return None

    def _leave_out(self, line: int, error: Exception) -> None:
        self.notes.add(line, FileNotes.BUILT, f"records left out: {error}", self.place(line))


def place(name: str, line: int) -> str:
    """Return what a line of a file called *name* is called."""
    return f"{name}, line {line}"


def _by_heading(records: list[Record], lines: list[int]) -> dict[_Key, _Numbered[Record]]:
    keys = list(map(_KEY, records))
    if len(set(keys)) == 1:
        return {keys[0]: (records, lines)}
    found: dict[_Key, _Numbered[Record]] = {key: ([], []) for key in keys}
    for key, record, line in zip(keys, records, lines, strict=True):
        found[key][0].append(record)
        found[key][1].append(line)
    return found


@lru_cache(maxsize=1024)
def _generation(task: str) -> str | None:
    return next((name for name, sign in _GENERATIONS.items() if sign.search(task)), None)
