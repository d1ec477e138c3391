"""Reading answers from JSON Lines, plain or compressed: MedVision's sample files, or records of the same form.

Contract: a line or record that cannot be used is counted and named in the notes, never dropped in silence, and never
stops the reading; so are answers to one question given twice (all count, as upstream counts them) and the tokens NaN
and Infinity, which are no JSON. A file that cannot be opened is a DataError. Nothing in a file is executed.
"""

import gzip
import zlib
from operator import itemgetter
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.answers.file import AnswerFile
from medvision_agent.eval.answers.notes import FileNotes, Notes
from medvision_agent.eval.answers.plans import Plans
from medvision_agent.eval.scorer.answers import Answers

__all__ = ["AnswerReader"]

_AT_ONCE = 64
"""Lines of a block."""
_BUFFER = 1 << 18


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

    def read(self, path: Path) -> Answers:
        """Return the answers in a file."""
        file = AnswerFile(path.name, self._plans)
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
        self._look_up(answers.column("id"), file)
        self._look_for_tags(answers)
        file.notes.hand_to(self.notes)
        if damage:
            self.notes.add(damage, file.place_after())
        for generation, number in sorted(file.signs.items(), key=itemgetter(1)):
            self.generations.setdefault(generation, file.place(number))
        return answers

    def _look_up(self, ids: list[str], file: AnswerFile) -> None:
        """Note answers to a question that was answered before."""
        own = set(ids)
        if len(own) < len(ids) or not self._ids.isdisjoint(own):
            for one, line in zip(ids, file.lines, strict=True):
                if one in self._ids:
                    kind = "answers to a question that was answered before (all of them count)"
                    file.notes.add(line, FileNotes.LOOKED_UP, kind, f"{one}, {file.place(line)}")
                self._ids.add(one)
        self._ids |= own

    def _look_for_tags(self, answers: Answers) -> None:
        names, responses = answers.column("file"), answers.column("response")
        if len(set(names)) == 1:  # nearly always; the search ends with the first tag
            given = (response for response in responses if response is not None)
            if responses.count(None) < len(responses) and not self.tagged.get(names[0]):
                self.tagged[names[0]] = any("<answer>" in response for response in given)
            return
        for name, response in zip(names, responses, strict=True):
            if response is not None and not self.tagged.get(name):
                self.tagged[name] = "<answer>" in response
