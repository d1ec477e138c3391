"""The records of one file, block by block: as answers, and what is to be said about them.

Contract: the answers stand in the order of their lines, and so does what is to be said about them. A record that cannot
be used is named in the notes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter, itemgetter

from medvision_agent.eval.results.build import odd_record
from medvision_agent.eval.results.columns import Block, first_later
from medvision_agent.eval.results.heading import read_heading
from medvision_agent.eval.results.notes import FileNotes
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import (
    NO_NMAE,
    OddRecord,
    Record,
    Scored,
    decode_block,
    decode_carefully,
    decode_line,
)
from medvision_agent.eval.results.target import read_targets
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["AnswerFile", "place"]

_GENERATIONS = {"v1.2": re.compile(r"-(CoT|VP)\b"), "paper-v1": re.compile(r"-\d+x\d+$")}
_LATER = "v1.2"
_FLAT = "responses not nested in a list: only the first character is read, as upstream does"
_NO_RESPONSE = "records without a response: the numbers read by their parser are used"
_TOKENS = "NaN or Infinity tokens, which are no JSON; read as such"
_Key = tuple[str | None, str | None, str | None]
_KEY = attrgetter("task", "file", "task_type")
_Numbered = tuple[list[Scored], list[int]]
"""Records, and the lines they are in."""


class AnswerFile:
    """Takes the lines of a file called *name*, block by block; *kind* is what is wanted of a record."""

    def __init__(self, name: str, plans: Plans | None, kind: type[Scored] = Record) -> None:
        self.notes = FileNotes()
        self.name = name
        self.lines: list[int] = []
        """The line of each of the last answers."""
        self.tagged: dict[str, bool] = {}
        """For each file that an answer is said to be from, whether any response has answer tags."""
        self._signs: dict[str, int] = {}
        self._plans, self._kind = plans, kind
        if kind is Scored and ("scaledPS" in name or (plans is not None and plans.has_zooms)):
            self._kind = Record  # more than a summary reads else
        self._records: list[Scored] = []
        self._numbers: list[int] = []
        """The lines of these, which are no answers yet."""
        self._last = 0

    def __len__(self) -> int:
        """Return how many records are no answers yet."""
        return len(self._records)

    @property
    def generations(self) -> dict[str, str]:
        """Signs of a generation of MedVision, with the first place of each, in the order of places."""
        return {name: place(self.name, line) for name, line in sorted(self._signs.items(), key=itemgetter(1))}

    def note_after(self, kind: str) -> None:
        """Count a remark about the line after those so far."""
        self._note(self._last + 1, kind)

    def take(self, lines: Sequence[bytes]) -> None:
        """Take the next lines; some dozens are best: they are decoded before the cache is full."""
        start, found = self._last + 1, decode_block(lines, self._kind)
        if found is None and self._kind is Scored:
            self._kind = Record
            found = decode_block(lines, self._kind)
        self._last += len(lines)
        if found is None:
            each = [(line, self._record(text, line)) for line, text in enumerate(lines, start)]
            self._records += [one for _, one in each if one is not None]
            self._numbers += [line for line, one in each if one is not None]
            return
        records, tokens = found
        self._records += records
        self._numbers += range(start, start + len(lines))
        if tokens:
            self._note(next(line for line, text in enumerate(lines, start) if NO_NMAE in text), _TOKENS, tokens)

    def answers(self) -> Answers:
        """Return the answers in the lines that were taken since the last were returned."""
        records, numbers = self._records, self._numbers
        self._records, self._numbers = [], []
        parts = [self._part(key, *own) for key, own in _by_heading(records, numbers).items()]
        answers, self.lines = Answers.joined(part for part, _ in parts), [line for _, own in parts for line in own]
        if len(parts) > 1:
            answers = answers.take(sorted(range(len(self.lines)), key=self.lines.__getitem__))
            self.lines.sort()
        return answers

    def _record(self, text: bytes, line: int) -> Scored | None:
        """Return the record in a line, read by itself; None where it has none of any use."""
        try:
            record, tokens = decode_line(text, self._kind)
        except (ValueError, RecursionError):
            return self._odd_record(text, line)
        if tokens:
            self._note(line, _TOKENS, tokens)
        return record

    def _odd_record(self, text: bytes, line: int) -> OddRecord | None:
        if not text.strip():
            return None
        try:
            row, tokens = decode_carefully(text)
        except ValueError:
            kind = "lines that are no JSON" if text.endswith(b"\n") else "files cut off in the middle of a line"
            self._note(line, f"{kind}: left out")
            return None
        if tokens:
            self._note(line, _TOKENS, tokens)
        if not isinstance(row, dict):
            self._note(line, "lines that are no JSON object: left out")
            return None
        try:
            return odd_record(row, self.name)
        except ValueError as error:
            self._leave_out(line, error)
            return None

    def _part(self, key: _Key, records: list[Scored], lines: list[int]) -> tuple[Answers, list[int]]:
        try:
            heading = read_heading(*key, self.name)
        except ValueError as error:
            for line in lines:
                self._leave_out(line, error)
            return Answers(0), []
        targets, bare, errors = read_targets([one.target for one in records], heading.family)
        for row, complaint in errors.items():
            self._leave_out(lines[row], complaint)
        if errors:
            kept = [row not in errors for row in range(len(records))]
            records, lines = list(compress(records, kept)), list(compress(lines, kept))
            targets, bare = list(compress(targets, kept)), list(compress(bare, kept))
        answers = Block(records, heading, targets, bare, self._plans).answers()
        self._look_at(answers, records, lines)
        self._look_for_signs(_generation(heading.task), records, lines)
        if not self.tagged.get(heading.file):
            self._look_for_tags(heading.file, answers)
        return answers, lines

    def _look_at(self, answers: Answers, records: list[Scored], lines: list[int]) -> None:
        """Note responses that are not there, or of which upstream reads the first character alone."""
        for line in compress(lines, [type(one.resps[0]) is str for one in records]):
            self._note(line, _FLAT, step=FileNotes.BUILT)
        if None in (responses := answers.column("response")):
            for line in compress(lines, [text is None for text in responses]):
                self._note(line, _NO_RESPONSE, step=FileNotes.BUILT)

    def _look_for_signs(self, generation: str | None, records: list[Scored], lines: list[int]) -> None:
        sign = generation or _LATER
        if lines and self._signs.get(sign, lines[0]) >= lines[0]:
            row = 0 if generation else first_later(records)
            if row is not None:
                self._signs[sign] = min(lines[row], self._signs.get(sign, lines[row]))

    def _look_for_tags(self, file: str, answers: Answers) -> None:
        texts = [one for one in answers.column("response") if one is not None]
        if texts:
            self.tagged[file] = any("<answer>" in text for text in texts)

    def _leave_out(self, line: int, error: Exception) -> None:
        self._note(line, f"records left out: {error}", step=FileNotes.BUILT)

    def _note(self, line: int, kind: str, count: int = 1, *, step: int = FileNotes.DECODED) -> None:
        self.notes.add(line, step, kind, place(self.name, line), count)


def place(name: str, line: int) -> str:
    """Return what a line of a file called *name* is called."""
    return f"{name}, line {line}"


def _by_heading(records: list[Scored], lines: list[int]) -> dict[_Key, _Numbered]:
    keys = list(map(_KEY, records))
    if len(set(keys)) == 1:
        return {keys[0]: (records, lines)}
    found: dict[_Key, _Numbered] = {key: ([], []) for key in keys}
    for key, record, line in zip(keys, records, lines, strict=True):
        found[key][0].append(record)
        found[key][1].append(line)
    return found


@lru_cache(maxsize=1024)
def _generation(task: str) -> str | None:
    return next((name for name, sign in _GENERATIONS.items() if sign.search(task)), None)
