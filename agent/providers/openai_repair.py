"""Replies as servers deviate in writing them, kept readable on their way through the SDKs and adapters.

The adapter can represent arguments that are a text of a JSON object, or of no JSON at all; for anything between (a
list, a number, a text in a text) it raises, and the whole reply is lost, its good calls and its token counts included.
This client marks such arguments in the body of a reply, so that they arrive as arguments that cannot be read and are
answered; arguments sent as an object become their text. The mark is taken off when the adapter has read the reply.

An error that came under status 200 gets the status that it states itself: the SDKs then raise it as what it is.
"""

import asyncio
import json
from typing import Any

import httpx2
from langchain_core.messages import AIMessage

from medvision_agent.agent.wire.body import LARGE, BoundedClient, replaced
from medvision_agent.agent.wire.counts import drop_false_counts
from medvision_agent.agent.wire.words import status_of_body

__all__ = ["NOT_AN_OBJECT", "MendingClient", "as_written"]

NOT_AN_OBJECT = " (not a JSON object)"
"""Appended to the arguments on their way through the adapter."""


class MendingClient(BoundedClient):
    """An HTTP client that mends replies, and keeps to the bounds of a body."""

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request and return the reply, mended where needed."""
        response = await super().send(request, **settings)
        if response.status_code != 200:
            return response
        body = response.content
        status, mended = await asyncio.to_thread(_mended, body) if len(body) >= LARGE else _mended(body)
        return response if mended is body and status == 200 else replaced(response, mended, status)


def _mended(body: bytes) -> tuple[int, bytes]:
    """Return the status that *body* stands for, and *body* itself if nothing has to be marked."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return 200, body
    changed = [drop_false_counts(content), *(_mark(call) for call in _calls(content))]
    return status_of_body(content) or 200, json.dumps(content).encode() if any(changed) else body


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


def as_written(message: AIMessage) -> None:
    """Take our mark off again, once the adapter has read a reply: the trace holds what the model wrote."""
    for call in message.invalid_tool_calls:
        call["args"] = (call["args"] or "").removesuffix(NOT_AN_OBJECT)
    for block in message.content:
        if isinstance(block, dict) and isinstance(block.get("arguments"), str):
            block["arguments"] = block["arguments"].removesuffix(NOT_AN_OBJECT)
