"""Repair replies that deviate from the interface, so that SDKs and adapters can read them.

The adapter can represent arguments that are the text of a JSON object, or no JSON at all; for other JSON (a
list, a number, a text) it raises, and the whole reply is lost, with its good calls and its token counts.
This client marks such arguments in the body of a reply, so that they arrive as unreadable arguments and are
answered; arguments sent as an object become their text. The mark is removed after the adapter has read the reply.

An error with HTTP status 200 gets the status that it states, so that the SDKs raise the right exception.
"""

import json
from typing import Any

import httpx2
from langchain_core.messages import AIMessage

from medvision_agent.agent.providers.replay import came_before
from medvision_agent.agent.providers.responses_shapes import read_output
from medvision_agent.agent.wire.base_resp import error_of_base_resp
from medvision_agent.agent.wire.body import BoundedClient, replaced
from medvision_agent.agent.wire.counts import drop_false_counts
from medvision_agent.agent.wire.words import status_of_body

__all__ = ["NOT_AN_OBJECT", "RepairingClient", "as_written", "repaired_arguments"]

NOT_AN_OBJECT = " (not a JSON object)"
"""The mark, appended to arguments before the adapter reads them."""


class RepairingClient(BoundedClient):
    """An HTTP client that repairs replies and limits the size of a body."""

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request and return the reply, repaired where needed; raises KnownFault if its body is too large."""
        if (came := came_before()) is not None:
            return came
        response = await super().send(request, **settings)
        body = response.content
        if response.status_code != 200:
            return response if (told := _told(body)) is body else replaced(response, told)
        status, repaired = _repaired(body)
        return response if repaired is body and status == 200 else replaced(response, repaired, status)


def _told(body: bytes) -> bytes:
    """Return the body of an error with its message moved to where the SDK expects it, or *body* unchanged.

    Google's interface for OpenAI's clients puts the object into a list; Ollama and LM Studio write only the message;
    servers built on FastAPI write it as ``detail``.
    """
    content = _unlisted(written := _parsed(body))
    if not isinstance(content, dict):
        return body
    if (stated := error_of_base_resp(content)) is not None:
        return json.dumps({"error": stated[1]}).encode()
    said = content.get("error") or content.get("detail")
    if said and not isinstance(said, dict):
        return json.dumps({"error": {"message": said if isinstance(said, str) else json.dumps(said)}}).encode()
    return body if content is written else json.dumps(content).encode()


def _repaired(body: bytes) -> tuple[int, bytes]:
    """Return the status that *body* states (else 200), and the repaired body, which is *body* if nothing changed."""
    content = _parsed(body)
    if (stated := error_of_base_resp(content)) is not None:
        return stated[0], json.dumps({"error": stated[1]}).encode()
    if (status := status_of_body(_unlisted(content))) is not None:
        return status, _told(body)
    changed = [drop_false_counts(content), read_output(content), *(_mark(call) for call in _calls(content))]
    return 200, json.dumps(content).encode() if any(changed) else body


def _unlisted(content: Any) -> Any:
    """Return the error object that is alone in a list; any other *content* is returned unchanged."""
    alone = content[0] if isinstance(content, list) and len(content) == 1 else None
    return alone if isinstance(alone, dict) and "error" in alone else content


def _parsed(body: bytes) -> Any:
    """Return the JSON value of a body; None if the body is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _calls(content: Any) -> list[dict[str, Any]]:
    """Return the function calls of a response; those of chat completions are read by ``openai_shapes``."""
    output = content.get("output") if isinstance(content, dict) else None
    items = output if isinstance(output, list) else []
    return [item for item in items if isinstance(item, dict) and "arguments" in item and "name" in item]


def _mark(call: dict[str, Any]) -> bool:
    """Repair the arguments of one call in place; return whether they changed."""
    repaired = repaired_arguments(written := call["arguments"])
    call["arguments"] = repaired
    return bool(repaired != written)


def repaired_arguments(written: Any) -> str:
    """Return the arguments of a call as a text that the adapter can represent, marked if they are not an object.

    Null and an empty text mean no arguments; an object that was encoded as JSON twice is decoded once.
    """
    if written is None or (isinstance(written, str) and not written.strip()):
        return "{}"
    if not isinstance(written, str):
        text = json.dumps(written)
        return text if isinstance(written, dict) else text + NOT_AN_OBJECT
    value = _value(written)
    if isinstance(value, str) and isinstance(_value(value), dict):
        return value
    return written if value is _UNREADABLE or isinstance(value, dict) else written + NOT_AN_OBJECT


_UNREADABLE = object()


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _UNREADABLE


def as_written(message: AIMessage) -> None:
    """Remove the mark, in place, from a reply that the adapter has read: the trace holds what the model wrote."""
    for call in message.invalid_tool_calls:
        call["args"] = (call["args"] or "").removesuffix(NOT_AN_OBJECT)
    for block in message.content if isinstance(message.content, list) else ():
        if isinstance(block, dict) and isinstance(block.get("arguments"), str):
            block["arguments"] = block["arguments"].removesuffix(NOT_AN_OBJECT)
