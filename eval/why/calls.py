"""A stored trace as typed calls and messages.

Contract: no text of a model makes reading fail. Arguments are unchanged, in the model's own convention; arguments that
are not a JSON object become an empty mapping.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medvision_agent.agent.chat.code_run import CODE_EXECUTION
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.base import Measurand, Measures

__all__ = ["Call", "calls_of", "spoken_texts"]

NOTHING = Measures()
_PROVIDER_CODE = Measures((Measurand(NUMBER, ("printed",)),))
"""What code executed by the provider measures: any printed number."""

_OVER_LIMIT = "Error: not run: the limit"
"""How the reply to a call beyond the limit of tool calls begins (``agent/toolbox.py``)."""


@dataclass(frozen=True, eq=False)
class Call:
    """One tool call and its result."""

    tool: str
    """The name that the model wrote; it may be unknown."""
    arguments: Mapping[str, Any]
    written: str
    """The arguments as canonical JSON, valid or not: equal calls have equal texts."""
    ok: bool
    """Whether the call returned a result, not an error."""
    over_limit: bool
    """Whether it failed only because the limit of tool calls was reached."""
    seconds: float
    """Wall time of the call."""
    result: Mapping[str, Any]
    """The result that the model received; empty for an error."""
    measures: Measures = NOTHING
    """What the tool declares to measure; empty for an unknown tool."""

    def withheld(self, name: str) -> bool:
        """Return whether the number *name* of the result was replaced by a text, as in a blind arm."""
        return isinstance(self.result.get(name), str)

    def number(self, name: str) -> float | None:
        """Return the number *name* of the result; None if the result has no number of this name."""
        value = self.result.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def calls_of(trace: Mapping[str, Any], tools: Mapping[str, Measures]) -> list[Call]:
    """Return the calls of a trace in order; *tools* states what each tool measures."""
    return [_call(entry, tools) for entry in trace.get("tool_calls", ())]


def spoken_texts(trace: Mapping[str, Any]) -> list[str]:
    """Return the visible text of each message of the model, in order."""
    return [_text(message.get("content")) for message in trace.get("messages", ()) if message.get("type") == "ai"]


def _call(entry: Mapping[str, Any], tools: Mapping[str, Measures]) -> Call:
    tool = str(entry.get("tool"))
    arguments, ok, text = entry.get("arguments"), bool(entry.get("ok")), str(entry.get("text", ""))
    return Call(
        tool=tool,
        arguments=arguments if isinstance(arguments, Mapping) else {},
        written=json.dumps(arguments, sort_keys=True),
        ok=ok,
        over_limit=not ok and text.startswith(_OVER_LIMIT),
        seconds=float(entry.get("seconds") or 0.0),
        result=({"printed": text} if tool == CODE_EXECUTION else _object(text)) if ok else {},
        measures=tools.get(tool, _PROVIDER_CODE if tool == CODE_EXECUTION else NOTHING),
    )


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    blocks: Sequence[Any] = content if isinstance(content, list) else ()
    parts = [block if isinstance(block, str) else block.get("text", "") for block in blocks if _is_text(block)]
    return "\n".join(str(part) for part in parts)


def _is_text(block: Any) -> bool:
    return isinstance(block, str) or (isinstance(block, Mapping) and block.get("type") == "text")
