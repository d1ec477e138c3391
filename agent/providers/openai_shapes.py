"""Convert the choices of chat completions, in any form servers use, to the form that the adapter reads.

Contract: ``one_choice`` returns the single choice of a reply, with its content as a text or a list of known
parts, and each of its calls with a name, an id and arguments as texts. Known deviations of servers are converted
by their meaning; nothing from the model is dropped silently. Only one reply is ever requested, so further choices
are parts of the same reply: GitHub's gateway puts the calls into separate choices.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.openai_repair import repaired_arguments
from medvision_agent.agent.wire.failures import Fault, KnownFault

__all__ = ["one_choice"]

_TEXT_PARTS = {"text", "output_text", "input_text", None}
_ARGUMENTS = ("arguments", "parameters", "input")


def one_choice(choices: Any) -> dict[str, Any]:
    """Return the single choice of a reply in the form that the adapter reads.

    Raises KnownFault if there is no choice, or a choice without a message.
    """
    if not isinstance(choices, list) or not choices:
        raise _no_reply("the reply has no choices")
    if not all(isinstance(one, Mapping) and isinstance(one.get("message"), Mapping) for one in choices):
        raise _no_reply("the reply has a choice without a message")
    first, *others = sorted(choices, key=_index)
    message = first["message"]
    calls = list(_calls(message)) or [call for other in others for call in _calls(other["message"])]
    return {**first, "message": {**message, "role": "assistant", "content": _content(message), "tool_calls": calls}}


def _no_reply(what: str) -> KnownFault:
    return KnownFault(Fault(Outcome.BAD_REPLY, what, retryable=True))


def _index(choice: Mapping[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _content(message: Mapping[str, Any]) -> Any:
    """Return the content: a text, None, or a list of parts without the empty ones."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list | Mapping):
        return json.dumps(content)
    parts = (_part(part) for part in (content if isinstance(content, list) else [content]))
    return [part for part in parts if part is not None] or ""


def _part(part: Any) -> dict[str, Any] | None:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        return None
    if part.get("type") not in _TEXT_PARTS:
        return dict(part)
    return {"type": "text", "text": part["text"]} if isinstance(part.get("text"), str) else None


def _calls(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the calls of a message, also one in the older form ``function_call``."""
    written = _read(message.get("tool_calls")) or message.get("function_call") or []
    for call in written if isinstance(written, list) else [written]:
        call = _read(call)  # noqa: PLW2901 - the same call, as an object
        if not isinstance(call, Mapping):
            continue
        function = next((inner for kind in ("function", "custom") if (inner := call.get(kind))), call)
        if isinstance(function, Mapping) and (function is not call or call.get("name")):
            arguments = next((function[key] for key in _ARGUMENTS if key in function), None)
            yield {
                "type": "function",
                "id": str(call.get("id") or ""),
                "function": {"name": str(function.get("name") or ""), "arguments": repaired_arguments(arguments)},
                "extra_content": call.get("extra_content"),
            }


def _read(written: Any) -> Any:
    """Return the decoded value of a JSON text (None if invalid), or any other value unchanged."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None
