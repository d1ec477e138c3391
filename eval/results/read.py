"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes, never dropped in silence, and never
stops the reading; so are answers to one question given twice (all count, as upstream counts them) and the tokens NaN
and Infinity, which are no JSON. A file that cannot be opened is a DataError. Nothing in a file is executed. Answers
come block by block, so that no more of a file than a block need be in memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.results.file import AnswerFile, place
from medvision_agent.eval.results.notes import FileNotes, Notes
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.results.record import Record, Scored
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["AnswerReader", "Remarks"]

_AT_ONCE = 64
"""Lines that are decoded at once."""
_BLOCK = 512
"""Records of a block."""
_BUFFER = 1 << 18
_AGAIN = "answers to a question that was answered before (all of them count)"


@dataclass(slots=True)
class Remarks:
    """What is to be said of files that were read."""

    notes: Notes = field(default_factory=Notes)
    generations: dict[str, str] = field(default_factory=dict)
    """Which generation of MedVision wrote the answers, where a sign of it was seen, with the first place."""
    tagged: dict[str, bool] = field(default_factory=dict)
    """For each file that an answer is said to be from, whether any response has answer tags."""
    nameless: list[str] = field(default_factory=list)
    """Ids of answers that lack a name, of the label or the modality, without which they have no group."""
    count: int = 0
    """Answers."""

    def add(self, file: AnswerFile) -> None:
        """Add what is to be said of the next file."""
        file.notes.hand_to(self.notes)
        self._add(file.generations, file.tagged)

    def merge(self, other: "Remarks") -> None:
        """Add what is to be said of the next files."""
        self.notes.merge(other.notes)
        self._add(other.generations, other.tagged)
        self.nameless += other.nameless
        self.count += other.count

    def _add(self, generations: dict[str, str], tagged: dict[str, bool]) -> None:
        for generation, first in generations.items():
            self.generations.setdefault(generation, first)
        for name, has_tags in tagged.items():
            self.tagged[name] = has_tags or self.tagged.get(name, False)


class AnswerReader:
    """Reads the answers of one or more files, of each record what *kind* has, and keeps what is to be said of them."""

    def __init__(self, plans: Plans | None = None, kind: type[Scored] = Record) -> None:
        self.remarks = Remarks()
        self.ids: set[str] = set()
        self._plans, self._kind = plans, kind

    def blocks(self, path: Path) -> Iterator[Answers]:
        """Yield the answers in a file; once all are read, what is to be said about it is known."""
        file = AnswerFile(path.name, self._plans, self._kind)
        for answers in _blocks(path, file):
            self._look_at(answers, file)
            yield answers
        self.remarks.add(file)

    def _look_at(self, answers: Answers, file: AnswerFile) -> None:
        """Note answers to a question that was answered before, and those without a name."""
        ids = answers.column("id")
        own = set(ids)
        if len(own) < len(ids) or not self.ids.isdisjoint(own):
            for one, line in zip(ids, file.lines, strict=True):
                if one in self.ids:
                    file.notes.add(line, FileNotes.LOOKED_UP, _AGAIN, f"{one}, {place(file.name, line)}")
                self.ids.add(one)
        self.ids |= own
        self.remarks.count += len(ids)
        columns = families, labels, modalities = [answers.column(name) for name in ("family", "label_name", "modality")]
        if families.count("AD") < len(ids) and not (all(labels) and all(modalities)):
            rows = zip(ids, *columns, strict=True)
            found = [one for one, family, label, modality in rows if family != "AD" and not (label and modality)]
            self.remarks.nameless += found


def _blocks(path: Path, file: AnswerFile) -> Iterator[Answers]:
    read, damage = list[bytes](), ""
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb", buffering=_BUFFER) as lines:
            # What stands before damage has been read when the error comes.
            while True:
                read.extend(islice(lines, _AT_ONCE))
                if not read:
                    break
                file.take(read)
                read.clear()
                if len(file) >= _BLOCK:
                    yield file.answers()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        damage = f"compressed files that end early or are damaged ({error})"
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
    if read:
        file.take(read)
    yield file.answers()
    if damage:
        file.note_after(damage)
