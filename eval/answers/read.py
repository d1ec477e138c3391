"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes, never dropped in silence, and never
stops the reading; so are answers to one question given twice (all count, as upstream counts them) and the tokens NaN
and Infinity, which are no JSON. A file that cannot be opened is a DataError. Nothing in a file is executed.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.answers.build import build_answer
from medvision_agent.eval.answers.notes import Notes
from medvision_agent.eval.scorer.answer import Answer

__all__ = ["AnswerReader"]

_GENERATIONS = {"v1.2": re.compile(r"-(CoT|VP)\b"), "paper-v1": re.compile(r"-\d+x\d+$")}
_LATER_KEYS = ("nMAE", "raw_nMAE", "pixel_size_scale", "raw_pixel_size_scale", "F1")


class AnswerReader:
    """Reads the answers of one or more files and keeps what is to be said about them."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.generations: dict[str, str] = {}
        """Which generation of MedVision wrote the answers, where a sign of it was seen, with the first place."""
        self.tagged: dict[str, bool] = {}
        """For each file, whether any response has answer tags."""
        self._ids: set[str] = set()

    def read(self, path: Path) -> list[Answer]:
        """Return the answers in a file."""
        answers = []
        for place, row in self._rows(path):
            try:
                answer = build_answer(row, path.name)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                self.notes.add(f"records left out: {error}", place)
                continue
            self._look(answer, row, place)
            answers.append(answer)
        return answers

    def _look(self, answer: Answer, row: dict[str, Any], place: str) -> None:
        if answer.id in self._ids:
            self.notes.add(
                "answers to a question that was answered before (all of them count)", f"{answer.id}, {place}"
            )
        self._ids.add(answer.id)
        resps = row.get("resps")
        if isinstance(resps, list) and isinstance(resps[0], str):
            self.notes.add("responses not nested in a list: only the first character is read, as upstream does", place)
        if answer.response is None:
            self.notes.add("records without a response: the numbers read by their parser are used", place)
        elif not self.tagged.get(answer.file):
            self.tagged[answer.file] = "<answer>" in answer.response
        generation = next((name for name, sign in _GENERATIONS.items() if sign.search(answer.task)), None)
        if generation is None and any(key in row for key in _LATER_KEYS):
            generation = "v1.2"
        if generation is not None:
            self.generations.setdefault(generation, place)

    def _rows(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        tokens: list[str] = []

        def constant(token: str) -> float:
            tokens.append(token)
            return float(token)

        decoder = json.JSONDecoder(parse_constant=constant)
        for number, line in self._lines(path):
            place = f"{path.name}, line {number}"
            if not line.strip():
                continue
            try:
                row = decoder.decode(line.decode())
            except (ValueError, RecursionError):
                kind = "lines that are no JSON" if line.endswith(b"\n") else "files cut off in the middle of a line"
                self.notes.add(f"{kind}: left out", place)
                continue
            if tokens:
                self.notes.add("NaN or Infinity tokens, which are no JSON; read as such", place, len(tokens))
                tokens.clear()
            if isinstance(row, dict):
                yield place, row
            else:
                self.notes.add("lines that are no JSON object: left out", place)

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
