"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes, never dropped in silence, and never
stops the reading; so are answers to one question given twice (all count, as upstream counts them) and the tokens NaN
and Infinity, which are no JSON. A file that cannot be opened is a DataError. Nothing in a file is executed.
"""

import gzip
import zlib
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.results.file import AnswerFile, place
from medvision_agent.eval.results.notes import FileNotes, Notes
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["AnswerReader", "ReadFile", "nameless", "read_file"]

_AT_ONCE = 64
"""Lines of a block."""
_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The answers in one file, and what is to be said about them."""

    answers: Answers
    lines: list[int]
    """The line of each answer."""
    notes: FileNotes
    damage: tuple[str, str] | None
    """What became of the rest of the file, and from where on."""
    generations: dict[str, str]
    """Signs of a generation of MedVision, with the first place of each, in the order of places."""
    tagged: dict[str, bool]
    """For each file that an answer is said to be from, whether any response has answer tags."""


class AnswerReader:
    """Reads the answers of one or more files and keeps what is to be said about them."""

    def __init__(self, plans: Plans | None = None, *, prompts: bool = False) -> None:
        self.notes = Notes()
        self.generations: dict[str, str] = {}
        """Which generation of MedVision wrote the answers, where a sign of it was seen, with the first place."""
        self.tagged: dict[str, bool] = {}
        """For each file, whether any response has answer tags."""
        self._plans, self._prompts = plans, prompts
        self._ids: set[str] = set()

    def read(self, path: Path) -> Answers:
        """Return the answers in a file."""
        found = read_file(path, self._plans, prompts=self._prompts)
        self._look_up(found.answers.column("id"), found, path.name)
        self.add(found)
        return found.answers

    def add(self, found: ReadFile) -> None:
        """Keep what is to be said about the next file, but for what only its ids can tell."""
        for name, tagged in found.tagged.items():
            if not self.tagged.get(name):
                self.tagged[name] = tagged
        found.notes.hand_to(self.notes)
        if found.damage is not None:
            self.notes.add(*found.damage)
        for generation, first in found.generations.items():
            self.generations.setdefault(generation, first)

    def _look_up(self, ids: list[str], found: ReadFile, name: str) -> None:
        """Note answers to a question that was answered before."""
        own = set(ids)
        if len(own) < len(ids) or not self._ids.isdisjoint(own):
            for one, line in zip(ids, found.lines, strict=True):
                if one in self._ids:
                    kind = "answers to a question that was answered before (all of them count)"
                    found.notes.add(line, FileNotes.LOOKED_UP, kind, f"{one}, {place(name, line)}")
                self._ids.add(one)
        self._ids |= own


def read_file(path: Path, plans: Plans | None, *, prompts: bool = False) -> ReadFile:
    """Return what is in a file; with *prompts*, what was asked too."""
    file = AnswerFile(path.name, plans, prompts=prompts)
    damage = ""
    block: list[bytes] = []
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb", buffering=_BUFFER) as lines:
            for line in lines:
                block.append(line)
                if len(block) == _AT_ONCE:
                    file.take(block)
                    block.clear()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        damage = f"compressed files that end early or are damaged ({error})"
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
    file.take(block)
    answers = file.answers()
    return ReadFile(
        answers=answers,
        lines=file.lines,
        notes=file.notes,
        damage=(damage, file.place_after()) if damage else None,
        generations={name: file.place(line) for name, line in sorted(file.signs.items(), key=itemgetter(1))},
        tagged=_tagged(answers),
    )


def nameless(answers: Answers) -> list[str]:
    """Return the ids of those that lack a name, of the label or the modality, without which they have no group."""
    if set(answers.column("family")) == {"AD"}:
        return []
    rows = enumerate(zip(*map(answers.column, ("family", "label_name", "modality")), strict=True))
    found = [row for row, (family, label, modality) in rows if family != "AD" and not (label and modality)]
    ids = answers.column("id") if found else []
    return [ids[row] for row in found]


def _tagged(answers: Answers) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name, response in zip(answers.column("file"), answers.column("response"), strict=True):
        if response is not None and not found.get(name):
            found[name] = "<answer>" in response
    return found
