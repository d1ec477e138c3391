"""The input of a second reader: responses of a run or of MedVision's result files, and how a reading is scored.

Contract: every existing response is read; a sample without a reply fails under both readers, and infrastructure
failures are excluded from both. A reading is scored by the same protocol as the rule's reading: its numbers are written
in the form that the protocol expects, in the model's own box convention, and then scored like any answer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.reader import Wanted
from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, Scored, score, score_record, scored_one_by_one
from medvision_agent.eval.scorer.spoken import as_number
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import Task
from medvision_agent.eval.why.filed import NO_TASK, filed_question, subject_lack

__all__ = ["Text", "texts_of", "texts_of_answers", "texts_of_run"]

_NO_TEXT = "of which the file holds no response"


@dataclass(frozen=True, eq=False)
class Text:
    """One scored sample: its response, and how it is scored."""

    asked: Question
    response: str | None
    """The text that a reader is to read; None if the sample has no answer."""
    by_rule: Score
    _of: Record | Answer
    _protocol: Protocol

    @property
    def wanted(self) -> Wanted:
        """Which numbers the reader is asked for, and how many."""
        return wanted_of(self.asked.asks)

    def scored(self, numbers: Sequence[str]) -> Score:
        """Return the score of the numbers, as written, that a reader found in the response; without any, a failure."""
        said = ", ".join(as_number(float(one)) for one in numbers)
        written = f"<answer>{said}</answer>"
        if isinstance(self._of, Record):
            found = score_record(replace_response(self._of, written), self._protocol)
            assert found is not None  # noqa: S101 - no infrastructure failure is a text
            return found
        return score(self.asked.task, written, self._of.target, self._protocol)


def replace_response(record: Record, response: str) -> Record:
    """Return a copy of *record* with *response* as the text of its answer."""
    return record.model_copy(update={"response": response})


def wanted_of(task: Task) -> Wanted:
    """Return which numbers a reader is asked for: how many, and a text that names them with their unit."""
    count = len(task.numbers)
    if task.is_box:
        return Wanted(count, "the coordinates of the box, in the order in which they stand")
    return Wanted(count, f"{', '.join(task.numbers)} ({task.quantity.unit})")


def texts_of_run(run: Run, protocol: Protocol) -> Iterator[Text]:
    """Yield every scored sample of a run (all but infrastructure failures) with its response and the rule's score."""
    return texts_of(scored_one_by_one(run.each(), protocol), protocol)


def texts_of(scored: Iterable[Scored], protocol: Protocol) -> Iterator[Text]:
    """Yield every sample that has a score, with its response and the rule's score."""
    for record, found in scored:
        if found is not None:
            there = record.outcome is Outcome.ANSWERED and record.response.strip() != ""
            yield Text(record.sample, record.response if there else None, found, record, protocol)


def texts_of_answers(
    answers: Iterable[Answer], protocol: Protocol, plans: Plans | None, left_out: Counter[str], lacks: Counter[str]
) -> Iterator[Text]:
    """Yield the answers of result files with their responses and the rule's scores.

    Answers without a response or a known task are left out and counted in *left_out* by reason; missing subjects are
    counted in *lacks*. *plans* supplies facts that the files lack.
    """
    for answer in answers:
        asked = filed_question(answer, plans)
        if asked is None or answer.response is None:
            left_out[NO_TASK if asked is None else _NO_TEXT] += 1
            continue
        lacks.update(map(str, filter(None, [subject_lack(answer, plans)])))
        response = answer.response
        found = score(asked.task, response or None, answer.target, protocol)
        yield Text(asked, response if response.strip() else None, found, answer, protocol)
