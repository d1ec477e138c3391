"""Looks at scored answers of a stored run; each conversation is opened only if needed, and once.

Contract: place, parts of the loss and errors of an answer all use one look, so that a trace is unpacked once, an image
as sent is read once, and the numbers of an answer are those that were scored. A conversation without tool calls adds
nothing to the record, so it is not opened.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from medvision_agent.errors import StorageError
from medvision_agent.eval.data.sample import Asked, Question
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, scored_one_by_one
from medvision_agent.eval.store.read import Traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import Call, calls_of, spoken_texts
from medvision_agent.eval.why.flow import Traced, trace_scored
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stored import Scenes, reply_of, tools_of

__all__ = ["Look", "Looks", "looks_at"]


class Looks:
    """Access to the scored answers of one run over one database connection: ``at`` gives a ``Look``.

    It is a context manager, which closes the connection. *rules* is the protocol that scores the answers.
    """

    def __init__(self, run: Run, rules: Protocol) -> None:
        self.run, self.rules = run, rules
        self.traces = Traces(run.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.traces.__exit__()

    @cached_property
    def tools(self) -> Mapping[str, Any]:
        """What each tool of the run declares to measure, by the tool's name."""
        return tools_of(self.run)

    @cached_property
    def scenes(self) -> Scenes:
        """The maker of the views of the run's conversations."""
        return Scenes(self.run)

    def at(self, record: Record, score: Score) -> "Look":
        """Return a scored record of the run as a ``Look``, which gives access to its conversation."""
        return Look(record, score, self)


@dataclass(frozen=True, eq=False)
class Look:
    """One scored answer (also a failed one) with access to its stored conversation, which is read when first needed.

    Properties that read the conversation raise DamageError if it was changed.
    """

    record: Record
    score: Score
    among: Looks

    @property
    def rules(self) -> Protocol:
        """The protocol that scores the answer."""
        return self.among.rules

    @cached_property
    def question(self) -> Question:
        """The question, for use after this object is dropped: it takes less memory than the sample."""
        return Asked.of(self.record.sample)

    @cached_property
    def _stored(self) -> Mapping[str, Any]:
        return self.among.traces.of(self.record.sample.id) if self.record.tool_uses else {}

    @cached_property
    def calls(self) -> Sequence[Call]:
        """The tool calls with their results."""
        return calls_of(self._stored, self.among.tools)

    @cached_property
    def texts(self) -> Sequence[str]:
        """The visible texts of the model's messages, including the final one; empty if it called no tool."""
        return spoken_texts(self._stored)

    @cached_property
    def scene(self) -> Scene | Missing:
        """The views of the conversation with the true points, or why they are missing."""
        return self.among.scenes.of(self.record, self.calls)

    @cached_property
    def conversation(self) -> tuple[Sequence[Call], Scene | Missing]:
        """The calls and the views; if the store is damaged, no calls and the reason."""
        try:
            return self.calls, self.scene
        except StorageError:
            return (), Missing.DAMAGED

    @cached_property
    def traced(self) -> Sequence[Traced | Missing]:
        """The origin of each number of the answer, or why it is unknown; empty for boxes and areas."""
        return trace_scored(self.record.sample.asks, reply_of(self.record), self.score, *self.conversation)


def looks_at(run: Run, rules: Protocol, scores: Iterable[Score | None] | None = None) -> Generator[Look]:
    """Yield a look (``Look``: record, score, conversation) at each answer of a run with a score, in the run's order.

    *rules* is the protocol that scores. *scores* has one entry for each record, None for a record without a score; if
    it is not given, the records are scored here.

    A look is valid only until the next one is taken: neither record nor conversation is kept. Close the generator if
    not all looks are taken.
    """
    scored = scored_one_by_one(run.each(), rules) if scores is None else zip(run.each(), scores, strict=True)
    with Looks(run, rules) as looks:
        for record, score in scored:
            if score is not None:
                yield looks.at(record, score)
