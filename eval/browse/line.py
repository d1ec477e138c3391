"""One row of the table of samples, as small as possible: a run of 100,000 samples has as many rows in memory."""

import math
from collections.abc import Sequence
from sys import intern
from typing import NamedTuple

from medvision_agent.eval.browse.words import asked_for, in_words, names, whole
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.place.located import Found, Located
from medvision_agent.eval.place.rule import Place, box_iou
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Record
from medvision_agent.tools.view.geometry import Point

__all__ = ["Line", "line_of", "open_line", "place_of"]

_TEXT, _DETAIL, _ANSWER = 200, 300, 100
_PLACES = {Place.RIGHT: "right", Place.UNKNOWN: "unknown"}
_EDGE = 1e-3
"""Tolerance in pixels for a corner to count as inside: points in files are rounded."""


class Line(NamedTuple):
    """One row of the table of samples: a sample, finished or not; its fields are those of ``Rows``, and ``success``."""

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
    """Return the line of a sample that has no record yet."""
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
    """Return a sample's line with what its record holds, scored by *rules*; ``place`` is None until it is computed."""
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
    """Return where an answer was measured, in the words of ``Rows.place``.

    None for a failure, or if the ground truth has no place. Wrong places by the rule (``eval/place/rule.py``) are
    divided further: a box may contain the true one, and a distance may share one end with the true one.
    """
    if located is None or located.place is None:
        return None
    if located.place is not Place.ELSEWHERE or not isinstance(located.found, Found):
        return _PLACES[located.place]
    if located.sample.asks.is_box:
        return _box_place(located.found)
    if located.sample.asks.drawing == "ellipse":
        return "elsewhere"
    return "wrong_ends" if len(located.found.target.points) == 2 else "wrong_lines"


def _box_place(found: Found) -> str:
    """Return how a box in the wrong place relates to the true box: elsewhere, too_large, too_small or partly."""
    answer, truth = found.placed(found), found.target.points
    if box_iou(answer, truth) == 0:
        return "elsewhere"
    if _holds(answer, truth):
        return "too_large"
    return "too_small" if _holds(truth, answer) else "partly"


def _holds(outer: Sequence[Point], inner: Sequence[Point]) -> bool:
    """Return whether the box *outer* contains the box *inner*; each is two opposite corners, in pixels of one image."""
    sides = [[sorted((a.x, b.x)), sorted((a.y, b.y))] for a, b in (outer, inner)]
    return all(wide[0] <= small[0] + _EDGE and wide[1] >= small[1] - _EDGE for wide, small in zip(*sides, strict=True))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
