"""Answering a turn's tool calls: every call gets its reply, in the order of the calls, readable or not.

Pictures travel by the one recipe that all providers accept: text-only tool messages first, then one user message
that is labelled as tool output and holds every picture of the turn with its caption.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from medvision_agent.agent.models.chat import Call, Turn
from medvision_agent.agent.session import Session
from medvision_agent.agent.trace import ToolCallTrace
from medvision_agent.errors import nearest
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Reply
from medvision_agent.tools.png import encode_png

__all__ = ["answer_calls"]


async def answer_calls(session: Session, turn: Turn) -> list[AnyMessage]:
    """Run the calls of *turn* and return the messages that answer them."""
    messages: list[AnyMessage] = []
    blocks: list[str | dict[str, Any]] = []
    readable = False
    for call in turn.calls:
        started = time.perf_counter()
        reply = await _reply(session, call)
        readable = readable or call.arguments is not None
        text, key = reply.text, None
        if reply.picture is not None:
            png = encode_png(reply.picture.pixels)
            key = session.trace.picture(png)
            session.counts["picture"] += 1
            name = f"picture {session.counts['picture']}"
            text = json.dumps({**(reply.result or {}), "picture": name})
            blocks += [{"type": "text", "text": f"[{name}] {reply.picture.caption}"}, session.chat.picture_block(png)]
        seconds = time.perf_counter() - started
        session.trace.tool_calls.append(
            ToolCallTrace(call.name, call.id, call.raw, reply.ok, text, key, round(seconds, 6))
        )
        messages.append(ToolMessage(text, tool_call_id=call.id, name=call.name))
    session.counts["broken"] = 0 if readable else session.counts["broken"] + 1
    if blocks:
        messages.append(HumanMessage([{"type": "text", "text": "Tool output"}, *blocks]))
    if not turn.calls:  # the provider dropped a call it could not read
        messages.append(HumanMessage(render("malformed")))
    return messages


async def _reply(session: Session, call: Call) -> Reply:
    session.counts["tool"] += 1
    if session.counts["tool"] > session.limits.tool_calls:
        return _error(f"not run: the limit of {session.limits.tool_calls} tool calls is reached")
    if call.arguments is None:
        return _error(f"the arguments could not be read ({call.problem}); write one JSON object")
    tools = {tool.name: tool for tool in session.condition.tools}
    if call.name not in tools:
        known = ", ".join(tools) or "none"
        return _error(f"unknown tool {call.name[:60]!r}; declared tools: {known}.{nearest(call.name, tools)}")
    arguments: Mapping[str, Any] = call.arguments
    # In a thread: OpenCV releases the interpreter lock, other samples go on.
    return await asyncio.to_thread(tools[call.name].call, session.views, arguments)


def _error(text: str) -> Reply:
    return Reply(f"Error: {text}", ok=False)
