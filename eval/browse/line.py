"""One row of the table of samples, as small as it can be: a run of 100,000 samples has as many of them in memory."""

import math
from sys import intern
from typing import NamedTuple

from medvision_agent.eval.browse.words import asked_for, in_words, names, whole
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.place.located import Located
from medvision_agent.eval.place.rule import Place
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Record

__all__ = ["Line", "line_of", "open_line", "place_of"]

_TEXT, _DETAIL, _ANSWER = 200, 300, 100
_PLACES = {Place.RIGHT: "right", Place.ELSEWHERE: "elsewhere", Place.UNKNOWN: "unknown"}


class Line(NamedTuple):
    """A sample of a run, finished or not; the fields are those of ``Rows`` with ``success`` beside them."""

    id: str
    task: str
    asked: str
    dataset: str
    modality: str
    plane: str
    subject: str
    target: str
    has_talk: int = 0
    outcome: str | None = None
    detail: str = ""
    loss: float | None = None
    success: bool = False
    answer: str = ""
    text: str = ""
    place: str | None = None
    forced: int = 0
    tools: str = ""
    calls: int = 0
    tool_errors: int = 0
    turns: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    seconds: float | None = None
    cost_usd: float | None = None


def open_line(sample: Sample) -> Line:
    """Return the line of a sample that is not finished."""
    return Line(
        id=sample.id,
        task=intern(sample.task),
        asked=intern(asked_for(sample)),
        dataset=intern(sample.dataset),
        modality=intern(sample.modality),
        plane=intern(sample.plane),
        subject=intern(sample.subject),
        target=in_words(sample.target, sample.asks),
    )


def line_of(line: Line, record: Record, rules: Protocol) -> Line:
    """Return the line of a finished sample, all but the place of its answer."""
    score, usage, uses = score_record(record, rules), record.usage, record.tool_uses
    success = score is not None and score.success
    return line._replace(
        has_talk=1,
        outcome=intern(record.outcome.value),
        detail=intern(whole(record.detail, _DETAIL)),
        loss=_finite(score.loss) if score is not None else None,
        success=success,
        answer=whole(in_words(score.values, record.sample.asks), _ANSWER) if score is not None and success else "",
        text=whole(record.response, _TEXT),
        place=None,
        forced=int(record.forced),
        tools=intern(names(use.tool for use in uses)),
        calls=len(uses),
        tool_errors=sum(not use.ok for use in uses),
        turns=usage.model_calls,
        tokens_in=None if usage.unreported else usage.input,
        tokens_out=None if usage.unreported else usage.output,
        seconds=_finite(record.seconds),
        cost_usd=None if record.cost_usd is None else _finite(record.cost_usd),
    )


def place_of(located: Located | None) -> str | None:
    """Return where an answer was measured; None for a failure, and where the ground truth has no place."""
    return None if located is None or located.place is None else _PLACES[located.place]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
