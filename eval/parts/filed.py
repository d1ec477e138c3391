"""Answers in MedVision's result files, from their text to the parts of their losses: scenes, and then replays.

Contract: answers are processed one by one, so that only results are kept in memory. Missing content of a file becomes a
reason (``Missing``) or a named gap (``Lack``), and answers that cannot be explained at all are counted in ``left_out``.
Nothing is guessed, and no content of a file makes it fail. The losses are those of ``score`` over the same files.

``filed_answers`` takes what ``eval/results`` reads. A ``FiledAnswer`` holds its case and the origin of its numbers;
``loss`` replays it (``LossParts.corrected`` says what it would have cost with other points, arithmetic or unit).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from medvision_agent.eval.parts.replay import Case, LossParts, explain_traced
from medvision_agent.eval.place.located import Located, found_at
from medvision_agent.eval.results.plans import Plans
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score, score_numbers
from medvision_agent.eval.why.filed import NO_TASK, FiledQuestion, Lack, filed_question, filed_scene
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.samples import AnswerErrors, errors_of
from medvision_agent.eval.why.scene import Missing, Scene

__all__ = ["FiledAnswer", "filed_answers"]

_NO_TARGET = "whose target is beyond 1e12"

_MOST = 1e12


@dataclass(frozen=True, eq=False, slots=True)
class FiledAnswer:
    """One answer of a MedVision result file, with its score and what is known about the origin of its numbers."""

    question: FiledQuestion
    case: Case
    response: str | None
    """The response; None if there is no answer, or no text of it."""
    score: Score
    traced: Sequence[Traced | Missing]
    """The origin of each number of the answer, or why it is unknown; empty for a box."""
    lacks: Sequence[Lack]
    """What the file does not state about it."""

    def loss(self) -> LossParts:
        """Return the loss of the answer in parts (wrong object, seeing, arithmetic, unit), with its replays."""
        return explain_traced(self.case, self.score, self.traced)

    def errors(self) -> AnswerErrors:
        """Return the errors of the answer's numbers, split into parts, and those of its points."""
        case = self.case
        return errors_of(case.task, case.target, self.response, self.traced, scene=case.scene, rules=case.rules)

    def located(self) -> Located | None:
        """Return where the answer was measured; None if the file does not say where the ground truth lies."""
        case = self.case
        truth = case.scene.truth if isinstance(case.scene, Scene) else ()
        if not case.task.is_box and len(truth) != 2 * len(case.task.lines):
            return None
        found = found_at(case.task, case.target, self.score, self.traced, case.scene)
        return Located(self.question, self.score.loss, found)


def filed_answers(
    answers: Iterable[Answer], rules: Protocol, left_out: Counter[str], plans: Plans | None = None
) -> Iterator[FiledAnswer]:
    """Yield the answers of result files, read and scored by *rules*, in the order given.

    Answers that cannot be explained are not yielded, but counted in *left_out* by reason. *plans* supplies facts that
    the files do not contain.
    """
    for answer in answers:
        question = filed_question(answer, plans)
        if question is None:
            left_out[NO_TASK] += 1
        elif any(abs(number) > _MOST for number in answer.target):
            left_out[_NO_TARGET] += 1
        else:
            yield _filed(answer, question, rules, plans)


def _filed(answer: Answer, question: FiledQuestion, rules: Protocol, plans: Plans | None) -> FiledAnswer:
    task, response = question.asks, answer.response or None
    scene, lacks = filed_scene(answer, task, plans)
    case = Case(task, answer.target, (), scene, rules)
    if answer.response is None:
        # A parsed file may contain only the numbers, joined by commas without spaces: this is no text to read.
        found = score_numbers(task.name, answer.extracted or "", answer.target, rules)
        reason = Missing.NO_TEXT if found.success else Missing.NO_NUMBERS
        return FiledAnswer(question, case, None, found, [reason] * len(numbers_of(task)), lacks)
    found = score(task.name, response, answer.target, rules)
    return FiledAnswer(question, case, response, found, trace(task, response, (), scene, rules), lacks)
