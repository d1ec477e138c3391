"""Answering a turn's tool calls: every call gets its reply, in the order of the calls, readable or not.

Pictures travel by the one recipe that all providers accept: text-only tool messages first, then one user message
that is labelled as tool output and holds every picture of the turn with its caption. A model whose service takes
pictures inside tool messages may have them there (``images_in_tool_result``).
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from medvision_agent.agent.models.chat import Turn
from medvision_agent.agent.session import Session
from medvision_agent.agent.trace import ToolCallTrace
from medvision_agent.errors import nearest
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Picture, Reply
from medvision_agent.tools.png import encode_png

__all__ = ["answer_calls"]

Blocks = list[str | dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as the model wrote it; ``problem`` says why its arguments could not be read."""

    id: str
    name: str
    arguments: Any
    problem: str = ""


async def answer_calls(session: Session, turn: Turn) -> list[AnyMessage]:
    """Run the calls of *turn* and return the messages that answer them."""
    messages: list[AnyMessage] = []
    pictures: Blocks = []
    calls = list(_calls(turn))
    for call in calls:
        started = time.perf_counter()
        reply = await _reply(session, call)
        content, picture = _content(session, reply)
        seconds = round(time.perf_counter() - started, 6)
        key = session.trace.picture(encode_png(reply.picture.pixels)) if reply.picture else None
        session.trace.tool_calls.append(
            ToolCallTrace(call.name, call.id, call.arguments, reply.ok, reply.text, key, seconds)
        )
        inside = session.chat.config.images_in_tool_result and picture
        messages.append(
            ToolMessage(
                [{"type": "text", "text": content}, *picture] if inside else content,
                tool_call_id=call.id,
                name=call.name,
                status="success" if reply.ok else "error",
            )
        )
        pictures += [] if inside else picture
    readable = any(not call.problem for call in calls)
    session.counts["broken"] = 0 if readable else session.counts["broken"] + 1
    if pictures:
        messages.append(HumanMessage([{"type": "text", "text": "Tool output"}, *pictures]))
    if not calls:  # the provider could not read a call and dropped it
        messages.append(HumanMessage(render("malformed", names=[tool.name for tool in session.condition.tools])))
    return messages


def _calls(turn: Turn) -> Iterator[_Call]:
    for call in turn.tool_calls:
        yield _Call(call["id"] or uuid4().hex, call["name"], call["args"])
    for broken in turn.invalid_tool_calls:
        yield _Call(broken["id"] or uuid4().hex, broken["name"] or "", broken["args"], "they are no JSON object")


async def _reply(session: Session, call: _Call) -> Reply:
    session.counts["tool"] += 1
    if session.counts["tool"] > session.limits.tool_calls:
        return _error(f"not run: the limit of {session.limits.tool_calls} tool calls is reached")
    if call.problem:
        return _error(f"the arguments could not be read: {call.problem}")
    tools = {tool.name: tool for tool in session.condition.tools}
    if call.name not in tools:
        known = ", ".join(tools) or "none"
        return _error(f"unknown tool {call.name[:60]!r}; declared tools: {known}.{nearest(call.name, tools)}")
    # In a thread: OpenCV releases the interpreter lock, other samples go on.
    return await asyncio.to_thread(tools[call.name].call, session.views, call.arguments)


def _content(session: Session, reply: Reply) -> tuple[str, Blocks]:
    """Return the text of a reply, naming its picture, and the picture's blocks."""
    if reply.picture is None:
        return reply.text, []
    session.counts["picture"] += 1
    name = f"picture {session.counts['picture']}"
    text = json.dumps({**(reply.result or {}), "picture": name})
    return text, _blocks(session, name, reply.picture)


def _blocks(session: Session, name: str, picture: Picture) -> Blocks:
    caption = {"type": "text", "text": f"[{name}] {picture.caption}"}
    return [caption, session.chat.picture_block(encode_png(picture.pixels))]


def _error(text: str) -> Reply:
    return Reply(f"Error: {text}", ok=False)
