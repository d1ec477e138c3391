"""Tool calls as servers deviate in writing them, kept readable on their way through the OpenAI adapter.

The adapter can represent arguments that are a text of a JSON object, or of no JSON at all; for anything between (a
list, a number, a text in a text) and for calls without an id it raises, and the whole reply is lost, its good calls and
its token counts included. This client marks such arguments in the body of a reply, so that they arrive as arguments
that cannot be read and are answered; arguments sent as an object become their text; and a call without an id gets one.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx2

from medvision_agent.agent.wire.body import LARGE, BoundedClient, replaced
from medvision_agent.agent.wire.counts import drop_false_counts

__all__ = ["NOT_AN_OBJECT", "MendingClient"]

NOT_AN_OBJECT = " (not a JSON object)"
"""Appended to the arguments; what a model sees of its own call when the conversation goes on."""


class MendingClient(BoundedClient):
    """An HTTP client that mends tool calls in replies, and keeps to the bounds of a body."""

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request and return the reply, mended where needed."""
        response = await super().send(request, **settings)
        if response.status_code != 200:
            return response
        body = response.content
        mended = await asyncio.to_thread(_mended, body) if len(body) >= LARGE else _mended(body)
        return response if mended is body else replaced(response, mended)


def _mended(body: bytes) -> bytes:
    """Return *body* itself if nothing has to be marked."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return body
    changed = [_mark(call) for call in _calls(content)] + [_give_id(call) for call in _without_id(content)]
    changed.append(drop_false_counts(content))
    return json.dumps(content).encode() if any(changed) else body


def _calls(content: Any) -> list[dict[str, Any]]:
    """Return the objects that hold ``arguments``: functions of chat completions, function calls of responses."""
    found: list[dict[str, Any]] = []
    if isinstance(content, dict):
        if "arguments" in content and "name" in content:
            found.append(content)
        for key in ("choices", "message", "tool_calls", "function", "output"):
            found += _calls(content.get(key))
    elif isinstance(content, list):
        for item in content:
            found += _calls(item)
    return found


def _mark(call: dict[str, Any]) -> bool:
    """Mend one call in place and tell whether anything had to be done; null stands for no arguments."""
    if call["arguments"] is None:
        call["arguments"] = "{}"
        return True
    if isinstance(call["arguments"], dict):
        call["arguments"] = json.dumps(call["arguments"])
        return True
    try:
        arguments = json.loads(call["arguments"])
    except (ValueError, RecursionError, TypeError):
        return False
    if isinstance(arguments, dict):
        return False
    call["arguments"] += NOT_AN_OBJECT
    return True


def _without_id(content: Any) -> list[dict[str, Any]]:
    """Return the tool calls of chat completions that have no id."""
    choices = content.get("choices") if isinstance(content, dict) else None
    messages = [choice.get("message") for choice in choices or [] if isinstance(choice, dict)]
    lists = [message.get("tool_calls") for message in messages if isinstance(message, dict)]
    return [call for calls in lists for call in calls or [] if isinstance(call, dict) and not call.get("id")]


def _give_id(call: dict[str, Any]) -> bool:
    call["id"] = f"call_{uuid4().hex}"
    return True
