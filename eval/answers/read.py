"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes, never dropped in silence, and never
stops the reading; so are answers to one question given twice (all count, as upstream counts them) and the tokens NaN
and Infinity, which are no JSON. A file that cannot be opened is a DataError. Nothing in a file is executed.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.answers.build import build_answer
from medvision_agent.eval.answers.decode import decode_carefully, decode_quickly
from medvision_agent.eval.answers.notes import Notes
from medvision_agent.eval.answers.plans import Plans
from medvision_agent.eval.scorer.answer import Answer

__all__ = ["AnswerReader"]

_GENERATIONS = {"v1.2": re.compile(r"-(CoT|VP)\b"), "paper-v1": re.compile(r"-\d+x\d+$")}
_LATER_KEYS = frozenset({"nMAE", "raw_nMAE", "pixel_size_scale", "raw_pixel_size_scale", "F1"})


class AnswerReader:
    """Reads the answers of one or more files and keeps what is to be said about them."""

    def __init__(self, plans: Plans | None = None) -> None:
        self.notes = Notes()
        self.generations: dict[str, str] = {}
        """Which generation of MedVision wrote the answers, where a sign of it was seen, with the first place."""
        self.tagged: dict[str, bool] = {}
        """For each file, whether any response has answer tags."""
        self._plans = plans
        self._ids: set[str] = set()

    def read(self, path: Path) -> list[Answer]:
        """Return the answers in a file."""
        answers = []
        file, plans = path.name, self._plans
        for number, row in self._rows(path):
            try:
                answer = build_answer(row, file, plans)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                self.notes.add(f"records left out: {error}", _place(file, number))
                continue
            self._look(answer, row, file, number)
            answers.append(answer)
        return answers

    def _look(self, answer: Answer, row: dict[str, Any], file: str, number: int) -> None:
        if answer.id in self._ids:
            kind = "answers to a question that was answered before (all of them count)"
            self.notes.add(kind, f"{answer.id}, {_place(file, number)}")
        self._ids.add(answer.id)
        resps = row.get("resps")
        if isinstance(resps, list) and isinstance(resps[0], str):
            kind = "responses not nested in a list: only the first character is read, as upstream does"
            self.notes.add(kind, _place(file, number))
        if answer.response is None:
            kind = "records without a response: the numbers read by their parser are used"
            self.notes.add(kind, _place(file, number))
        elif not self.tagged.get(answer.file):
            self.tagged[answer.file] = "<answer>" in answer.response
        generation = _generation(answer.task)
        if generation is None and not _LATER_KEYS.isdisjoint(row):
            generation = "v1.2"
        if generation is not None and generation not in self.generations:
            self.generations[generation] = _place(file, number)

    def _rows(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in self._lines(path):
            try:
                row = decode_quickly(line)
            except ValueError:
                row = self._decode_carefully(line, _place(path.name, number))
                if row is None:
                    continue
            if isinstance(row, dict):
                if type(row.get("id", row.get("doc_id"))) is float:  # perhaps a whole number beyond 64 bits
                    row = decode_carefully(line)[0]
                yield number, row
            else:
                self.notes.add("lines that are no JSON object: left out", _place(path.name, number))

    def _decode_carefully(self, line: bytes, place: str) -> Any:
        """Return the value of a line, or None where it has none."""
        if not line.strip():
            return None
        try:
            row, tokens = decode_carefully(line)
        except ValueError:
            kind = "lines that are no JSON" if line.endswith(b"\n") else "files cut off in the middle of a line"
            self.notes.add(f"{kind}: left out", place)
            return None
        if tokens:
            self.notes.add("NaN or Infinity tokens, which are no JSON; read as such", place, tokens)
        return row

    def _lines(self, path: Path) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.notes.add(
                f"compressed files that end early or are damaged ({error})", f"{path.name}, line {number + 1}"
            )
        except OSError as error:
            raise DataError(f"{path}: cannot read it ({error.strerror})") from None


@lru_cache(maxsize=1024)
def _generation(task: str) -> str | None:
    return next((name for name, sign in _GENERATIONS.items() if sign.search(task)), None)


def _place(file: str, number: int) -> str:
    return f"{file}, line {number}"
