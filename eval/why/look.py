"""A look at scored answers of a stored run, each with its conversation, which is opened where it is needed, and once.

Contract: place, parts of the loss and errors of an answer are all made of one look at it, so that a trace is unpacked
once, an image as sent is read once, and the numbers of an answer are those that were scored. A conversation without a
tool call holds nothing that the record does not: it is not opened.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from medvision_agent.errors import StorageError
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import Score, score_records
from medvision_agent.eval.store.read import Traces
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import Call, calls_of, spoken_texts
from medvision_agent.eval.why.flow import Traced, trace_scored
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stored import Scenes, reply_of, tools_of

__all__ = ["Look", "Looks", "looks_at"]


class Looks:
    """Looks at answers of one run, over one connection to its traces; a context manager."""

    def __init__(self, run: Run, rules: Protocol) -> None:
        self.run, self.rules = run, rules
        self.traces = Traces(run.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.traces.__exit__()

    @cached_property
    def tools(self) -> Mapping[str, Any]:
        """What the tools of the run measure."""
        return tools_of(self.run)

    @cached_property
    def scenes(self) -> Scenes:
        """The views of its conversations."""
        return Scenes(self.run)

    def at(self, record: Record, score: Score) -> "Look":
        """Return a look at a record of the run that is scored."""
        return Look(record, score, self)


@dataclass(frozen=True, eq=False)
class Look:
    """One scored answer. What must be read of its conversation raises DamageError where that was changed."""

    record: Record
    score: Score
    among: Looks

    @property
    def rules(self) -> Protocol:
        """By which it is scored."""
        return self.among.rules

    @cached_property
    def _stored(self) -> Mapping[str, Any]:
        return self.among.traces.of(self.record.sample.id) if self.record.tool_uses else {}

    @cached_property
    def calls(self) -> Sequence[Call]:
        """The tool calls with their results."""
        return calls_of(self._stored, self.among.tools)

    @cached_property
    def texts(self) -> Sequence[str]:
        """The model's messages, the final one included; none where it called no tool."""
        return spoken_texts(self._stored)

    @cached_property
    def scene(self) -> Scene | Missing:
        """The views of the conversation."""
        return self.among.scenes.of(self.record, self.calls)

    @cached_property
    def conversation(self) -> tuple[Sequence[Call], Scene | Missing]:
        """The calls and the views; where the store is damaged, no calls and that reason."""
        try:
            return self.calls, self.scene
        except StorageError:
            return (), Missing.DAMAGED

    @cached_property
    def traced(self) -> Sequence[Traced | Missing]:
        """What each number of the answer was made of, or why that is not known; nothing for a box."""
        return trace_scored(self.record.sample.asks, reply_of(self.record), self.score, *self.conversation)


def looks_at(run: Run, rules: Protocol, scores: Sequence[Score | None] | None = None) -> Generator[Look]:
    """Yield a look at each scored answer of a run, in their order; *scores* are those of its records, if known.

    A look is of use until the next one is taken: its conversation is not kept. Close the looks where not all are taken.
    """
    found = score_records(run.records, rules) if scores is None else scores
    with Looks(run, rules) as looks:
        for record, score in zip(run.records, found, strict=True):
            if score is not None:
                yield looks.at(record, score)
