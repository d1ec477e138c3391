"""One conversation as the viewer shows it: messages, calls and results, with the score and the canvas.

Contract: text of a model, a server or a tool is treated as data: every text is limited in length, and ``Turn.cut`` says
which one was cut. No content of a trace makes reading fail; entries of an unexpected form are left out.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from medvision_agent.eval.browse.forms import Call, Number, Scene, Talk, Turn
from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.turns import entries, turns_of_calls
from medvision_agent.eval.browse.words import whole
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.files import is_hash
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.summary.measures import MEASURES

__all__ = ["LONGEST", "MOST", "numbers_of_score", "talk_of", "turns_of"]

LONGEST = 20_000
"""Most characters of one text."""
MOST = 400_000
"""Most characters of one conversation; later texts are left out."""
_NAME = 200
_LONG_AGO = 1e12
"""No request takes this many seconds: a larger number is invalid."""
_MOST_PICTURES = 64
_ROLES: dict[str, Literal["system", "user", "assistant"]] = {"system": "system", "human": "user", "ai": "assistant"}


class _Texts:
    """A function that cuts a text to *most* characters, and all texts together to ``MOST``.

    It sets ``cut`` to True if it cut a text, and returns an empty text for anything that is no text.
    """

    def __init__(self) -> None:
        self.left, self.cut = MOST, False

    def __call__(self, text: object, most: int = LONGEST) -> str:
        written = text if isinstance(text, str) else ""
        kept = whole(written, min(most, self.left))
        self.left -= len(kept)
        self.cut = self.cut or len(kept) < len(written)
        return kept


def talk_of(
    run: str,
    row: int,
    line: Line,
    *,
    record: Record,
    trace: Mapping[str, Any],
    rules: Protocol,
    made_of: Sequence[str],
    read_by: Sequence[str],
    decided: Sequence[str],
    scene: Scene | str,
) -> Talk:
    """Return the conversation of a sample, with its score, as the page gets it.

    *run* and *row* are the key of its run and its row there. *made_of*, *read_by* and *decided* are lines of text
    about the answer; *scene* is the canvas, or the reason why it cannot be drawn.
    """
    return Talk(
        run=run,
        row=row,
        id=line.id,
        outcome=line.outcome or "",
        detail=line.detail,
        target=line.target,
        answer=line.answer,
        numbers=numbers_of_score(record, rules),
        made_of=tuple(whole(one, LONGEST) for one in made_of),
        read_by=tuple(whole(one, LONGEST) for one in read_by),
        decided=tuple(whole(one, LONGEST) for one in decided),
        place=line.place or "",
        turns=tuple(turns_of(trace)),
        scene=None if isinstance(scene, str) else scene,
        no_scene=whole(scene, LONGEST) if isinstance(scene, str) else "",
    )


def numbers_of_score(record: Record, rules: Protocol) -> tuple[Number, ...]:
    """Return the measures of a record with their units, the loss first; empty if the record is not scored.

    A value that is not finite becomes None.
    """
    score = score_record(record, rules)
    if score is None:
        return ()
    found = [(one, one.of(record.sample, score)) for one in MEASURES[record.sample.task]]
    return tuple(
        Number(name=one.name, value=value if math.isfinite(value) else None, unit=one.unit) for one, value in found
    )


def turns_of(trace: Mapping[str, Any]) -> Iterator[Turn]:
    """Yield the messages of a trace as turns, with the calls of each; results of tools are part of their calls."""
    spoken = [one for one in entries(trace.get("messages")) if one.get("type") != "tool"]
    calls, texts = _calls_by_turn(trace, spoken), _Texts()
    seconds = _seconds(trace, spoken)
    for number, message in enumerate(spoken, start=1):
        texts.cut = False
        role = _ROLES.get(str(message.get("type")), "user")
        blocks, usage, meta = (
            _blocks(message),
            _map(message.get("usage_metadata")),
            _map(message.get("response_metadata")),
        )
        text = texts("\n".join(str(block["text"]) for block in blocks if isinstance(block.get("text"), str)))
        yield Turn(
            number=number,
            role=role,
            text=text,
            thoughts=texts(_thoughts(message, blocks)),
            pictures=tuple(filter(is_hash, (str(block.get("picture")) for block in blocks)))[:_MOST_PICTURES],
            calls=tuple(_call(at, entry, texts) for at, entry in calls.get(number, ())),
            finish=texts(meta.get("finish_reason"), _NAME),
            version=texts(meta.get("model_name"), _NAME),
            tokens_in=_count(usage.get("input_tokens")),
            tokens_out=_count(usage.get("output_tokens")),
            seconds=seconds.get(number),
            cut=texts.cut,
        )


def _calls_by_turn(
    trace: Mapping[str, Any], spoken: Sequence[Mapping[str, Any]]
) -> dict[int, list[tuple[int, Mapping[str, Any]]]]:
    """Return the calls of each turn by the turn's number; each call has its number, counted from 1.

    Calls of the last reply that were not run have the highest numbers. *spoken* are all messages but tool results.
    """
    replies = [number for number, message in enumerate(spoken, start=1) if message.get("type") == "ai"]
    found: dict[int, list[tuple[int, Mapping[str, Any]]]] = {}
    called = entries(trace.get("tool_calls"))
    if not replies:
        return found
    turn, answered = replies[0], set[str]()
    for at, (entry, stated) in enumerate(zip(called, turns_of_calls(trace), strict=True), start=1):
        turn = stated if stated in replies else turn
        found.setdefault(turn, []).append((at, entry))
        answered.add(str(entry.get("call_id")))
    last = spoken[replies[-1] - 1]
    if replies[-1] not in found:
        for call in (*entries(last.get("tool_calls")), *entries(last.get("invalid_tool_calls"))):
            entry = {"tool": call.get("name"), "arguments": call.get("args"), "failure": "not run: it came too late"}
            at = len(called) + len(found.get(replies[-1], ())) + 1
            found.setdefault(replies[-1], []).append((at, entry))
    return found


def _call(number: int, entry: Mapping[str, Any], texts: _Texts) -> Call:
    picture, arguments = entry.get("picture"), entry.get("arguments")
    return Call(
        number=number,
        tool=texts(entry.get("tool"), _NAME),
        arguments=texts(json.dumps(arguments, ensure_ascii=False)),
        ok=entry.get("ok") is True,
        result=texts(entry.get("text")),
        picture=picture if isinstance(picture, str) and is_hash(picture) else None,
        shown=_flag(entry.get("shown")),
        picture_shown=_flag(entry.get("picture_shown")),
        seconds=_seconds_of(entry.get("seconds")) or 0.0,
        failure=texts(entry.get("failure")),
    )


def _seconds(trace: Mapping[str, Any], spoken: Sequence[Mapping[str, Any]]) -> dict[int, float | None]:
    """Return the seconds of each reply by turn; empty if the numbers of replies and of answered requests differ."""
    replies = [number for number, message in enumerate(spoken, start=1) if message.get("type") == "ai"]
    requests = [one for one in entries(trace.get("requests")) if one.get("failure") is None]
    if len(replies) != len(requests):
        return {}
    return {number: _seconds_of(one.get("seconds")) for number, one in zip(replies, requests, strict=True)}


def _thoughts(message: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> str:
    """Return the model's reasoning from a message's *blocks* or, for chat completions, beside them; may be empty."""
    inside = [str(one[key]) for one in blocks for key in ("thinking", "reasoning") if isinstance(one.get(key), str)]
    beside = _map(message.get("additional_kwargs"))
    own = (beside.get(key) for key in ("reasoning_content", "reasoning"))
    return "\n".join(inside) or next((text for text in own if isinstance(text, str)), "")


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    every = content if isinstance(content, list) else [content]
    return [one if isinstance(one, Mapping) else {"text": one} for one in every if isinstance(one, str | Mapping)]


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds_of(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < _LONG_AGO else None
