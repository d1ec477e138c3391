"""The tables of turns and of tool calls: their columns, descriptions and readers.

Contract: one row for each message of a finished sample's latest conversation, and for each tool call in it, in order.
Texts of models, servers and tools are treated as data.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medvision_agent.eval.store.read import read_traces
from medvision_agent.eval.tables.column import Column

__all__ = ["TOOL_CALLS", "TURNS", "TraceRow", "tool_call_rows", "turn_rows"]


@dataclass(frozen=True)
class TraceRow:
    """What a row of the tables of turns or tool calls is read from: a message or a tool call of a sample."""

    run_name: str
    sample_id: str
    number: int
    """Counted from 1 within the sample."""
    entry: Mapping[str, Any]


_Column = Column[TraceRow]


def turn_rows(folder: Path, name: str) -> Iterator[TraceRow]:
    """Yield a row for each message of the run in *folder*; *name* is the run's name in the table."""
    return _rows(folder, name, "messages")


def tool_call_rows(folder: Path, name: str) -> Iterator[TraceRow]:
    """Yield a row for each tool call of the run in *folder*; *name* is the run's name in the table."""
    return _rows(folder, name, "tool_calls")


def _rows(folder: Path, name: str, part: str) -> Iterator[TraceRow]:
    for sample_id, trace in read_traces(folder):
        for number, entry in enumerate(trace[part], start=1):
            yield TraceRow(name, sample_id, number, entry)


def _entry(*path: str) -> Callable[[TraceRow], Any]:
    """Return a function that reads the value under a path of keys from a row.

    It returns None if there is no such path, or only an empty text.
    """

    def of(row: TraceRow) -> Any:
        value: Any = row.entry
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value == "" else value

    return of


def _blocks(row: TraceRow) -> list[Mapping[str, Any]]:
    content = row.entry.get("content") or []
    blocks = [content] if isinstance(content, str) else content
    return [block if isinstance(block, Mapping) else {"type": "text", "text": block} for block in blocks]


def _in_blocks(*keys: str, joint: str = "\n") -> Callable[[TraceRow], str | None]:
    """Return a function that joins, with *joint*, the values under any of these keys in the parts of a message.

    It returns None if there are none.
    """
    return lambda row: joint.join(str(block[key]) for block in _blocks(row) for key in keys if block.get(key)) or None


def _thoughts(row: TraceRow) -> str | None:
    """Return the thoughts (reasoning text) of a message; None if the service returned none.

    They are in the parts of the message or, for chat completions, beside its content.
    """
    beside = (_entry("additional_kwargs", key)(row) for key in ("reasoning_content", "reasoning"))
    return _in_blocks("thinking", "reasoning")(row) or next((text for text in beside if isinstance(text, str)), None)


def _role(row: TraceRow) -> str:
    kind = str(row.entry.get("type"))
    return {"human": "user", "ai": "assistant"}.get(kind, kind)


def _requested(row: TraceRow) -> int | None:
    if _role(row) != "assistant":
        return None
    return len(row.entry.get("tool_calls") or []) + len(row.entry.get("invalid_tool_calls") or [])


_KEYS: tuple[_Column, ...] = (
    Column("run", "text", "Folder of the run, relative to the folder that was loaded", lambda row: row.run_name),
    Column("id", "text", "Identifier of the sample", lambda row: row.sample_id),
)

TURNS: tuple[_Column, ...] = (
    *_KEYS,
    Column("turn", "integer", "Position of the message in the conversation, from 1", lambda row: row.number),
    Column("role", "text", "Who speaks: system, user, assistant (the model) or tool", _role),
    Column("text", "text", "Text of the message", _in_blocks("text")),
    Column("thoughts", "text", "Thoughts, where the service returns them", _thoughts),
    Column(
        "pictures", "text", "SHA-256 of the images in the message, joined by spaces", _in_blocks("picture", joint=" ")
    ),
    Column("tool_calls", "integer", "Tool calls in the message, by function calling", _requested),
    Column(
        "finish_reason", "text", "Reason to stop, in the service's word", _entry("response_metadata", "finish_reason")
    ),
    Column(
        "model_version",
        "text",
        "Version that answered, in the service's word",
        _entry("response_metadata", "model_name"),
    ),
    Column("input_tokens", "integer", "Tokens in, cached ones included", _entry("usage_metadata", "input_tokens")),
    Column(
        "cached_tokens",
        "integer",
        "Tokens in that were cached",
        _entry("usage_metadata", "input_token_details", "cache_read"),
    ),
    Column("output_tokens", "integer", "Tokens out, reasoning included", _entry("usage_metadata", "output_tokens")),
    Column(
        "reasoning_tokens",
        "integer",
        "Tokens of reasoning",
        _entry("usage_metadata", "output_token_details", "reasoning"),
    ),
)


def _arguments(row: TraceRow) -> str:
    return json.dumps(row.entry.get("arguments"), ensure_ascii=False)


TOOL_CALLS: tuple[_Column, ...] = (
    *_KEYS,
    Column("call", "integer", "Position of the call in the conversation, from 1", lambda row: row.number),
    Column("tool", "text", "Name of the tool, as the model wrote it", _entry("tool")),
    Column("ok", "flag", "The call was answered with a result, not with an error", _entry("ok")),
    Column("arguments", "text", "Arguments as the model wrote them, in JSON", _arguments),
    Column("result", "text", "Text the model got back: JSON, or an error", _entry("text")),
    Column("picture", "text", "SHA-256 of the image the model got back", _entry("picture")),
    Column("shown", "flag", "The result stood in the messages of the model's next turn", _entry("shown")),
    Column("picture_shown", "flag", "The image stood in them too", _entry("picture_shown")),
    Column("seconds", "number", "Time of the tool", _entry("seconds")),
    Column("call_id", "text", "Identifier of the call in the messages", _entry("call_id")),
)
