"""Servers with rules of their own: what each refuses, and how its model replies. A rule is a function of a request.

Each rule is one that people met in public: its test says what follows from it. A model that calls tools does so in its
first turn, and ends with ``FINAL``, whatever it got back: with and without tools, the same answer.
"""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from fake import wires
from fake.replies import Reply, calls, error, raw
from fake.server import Request

Rule = Callable[[Request], Reply]
FINAL = "<think>so</think><answer>20.0</answer>"
ARGUMENTS = {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5}
RULER = ("ruler", ARGUMENTS)
GOOD = json.dumps(ARGUMENTS)
BROKEN = '{"view": "v0", "x0": 0.1, "y0": 0.1, "x1": "0.5" "y1": 0.1}'
CROP = ("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.5})


def chat(message: dict[str, Any], finish: str | None = "stop", **choice: Any) -> Reply:
    """Reply with one message of chat completions, field by field."""
    one = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return raw(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "fake-gpt-001",
            "choices": [one],
            "usage": usage,
        }
    )


def call(name: str | None = "ruler", arguments: Any = GOOD, **fields: Any) -> dict[str, Any]:
    """Return a call as chat completions has it; the id is one of the *fields*."""
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def turn_of(request: Request) -> int:
    """Return how many turns the model had before this one."""
    return wires.turns(request.wire, request.body)


def always(reply: Reply) -> Rule:
    """Return a server that replies the same to everything."""
    return lambda request: reply


def first(
    reply: Reply, *, refuses: Callable[[Request], Reply | None] = lambda request: None, final: str = FINAL
) -> Rule:
    """Return a server whose model begins with *reply* where tools are declared, then answers, unless it refuses."""

    def rule(request: Request) -> Reply:
        refused = refuses(request)
        begins = turn_of(request) == 0 and request.body.get("tools")
        return refused if refused is not None else reply if begins else chat({"content": final})

    return rule


def history_of(request: Request) -> list[dict[str, Any]]:
    """Return the messages of a chat completion."""
    messages: list[dict[str, Any]] = request.body["messages"]
    return messages


def _calls(request: Request) -> list[dict[str, Any]]:
    return [one for message in history_of(request) for one in message.get("tool_calls") or []]


def reads_history(status: int) -> Callable[[Request], Reply | None]:
    """Return the demand of vLLM (400) and llama.cpp (500): arguments sent back are objects of JSON."""

    def refused(request: Request) -> Reply | None:
        for one in _calls(request):
            try:
                if isinstance(json.loads(one["function"]["arguments"]), dict):
                    continue
            except ValueError:
                pass
            return error(status, "Failed to parse tool call arguments as JSON")
        return None

    return refused


def wants_reasoning(request: Request) -> Reply | None:
    """DeepSeek: a turn that called tools comes back with its reasoning."""
    lacking = [m for m in history_of(request) if m.get("tool_calls") and not m.get("reasoning_content")]
    return (
        error(400, "The `reasoning_content` in the thinking mode must be passed back to the API.") if lacking else None
    )


def wants_nine_letters(request: Request) -> Reply | None:
    """Mistral: ids of calls have nine letters and digits."""
    odd = [one["id"] for one in _calls(request) if not re.fullmatch("[a-zA-Z0-9]{9}", one["id"])]
    return error(400, f"Tool call id was {odd[0]} but must be a-z, A-Z, 0-9, with a length of 9.") if odd else None


def takes_no_system_role(request: Request) -> Reply | None:
    """Gemma behind older servers."""
    return error(400, "System role not supported") if history_of(request)[0]["role"] == "system" else None


def takes_pictures(most: int) -> Callable[[Request], Reply | None]:
    """Return the demand of vLLM with a limit of pictures."""
    words = f"At most {most} image(s) may be provided in one request."
    return lambda request: error(400, words) if len(request.pictures) > most else None


def takes_no_user_after_tool(request: Request) -> Reply | None:
    """Mistral: an assistant speaks between tools and the user."""
    roles = [message["role"] for message in history_of(request)]
    wrong = ("tool", "user") in itertools.pairwise(roles)
    return error(400, "Unexpected role 'user' after role 'tool'") if wrong else None


def takes_no_null(request: Request) -> Reply | None:
    """A server whose schema wants a text in every message."""
    empty = any(message["content"] is None for message in history_of(request))
    return error(400, "messages.2.content: Input should be a valid string") if empty else None


def takes_no_reasoning(request: Request) -> Reply | None:
    """Groq and Cerebras refuse reasoning in a field they do not know."""
    sent = any("reasoning_content" in message for message in history_of(request))
    return error(400, "property 'reasoning_content' is unsupported") if sent else None


def mixed(status: int, final: str = FINAL) -> Rule:
    """Return a server whose model writes an unreadable call first about every other sample."""
    refuses = reads_history(status)

    def rule(request: Request) -> Reply:
        broken = sum(json.dumps(request.body["messages"][-1]).encode()) % 2
        return first(calls(("ruler", BROKEN)) if broken else calls(RULER), refuses=refuses, final=final)(request)

    return rule


def thinker(final: str = FINAL) -> Rule:
    """Return a server whose model thinks before it calls, and wants its thoughts back."""
    message = {"content": "", "reasoning_content": "I need the ruler.", "tool_calls": [call(id="a1")]}
    return first(chat(message, "tool_calls"), refuses=wants_reasoning, final=final)


def gemini_error(status: int, message: str, *details: dict[str, Any]) -> Reply:
    """Reply with an error as Google's services write it."""
    return raw(
        {"error": {"code": status, "message": message, "status": "ERROR", "details": list(details)}}, status=status
    )
