"""Answer a turn's tool calls: every call gets a reply, in the order of the calls, readable or not.

The protocol decides how replies are sent: as tool messages and a user message with pictures, or as text.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from langchain_core.messages import AnyMessage, HumanMessage

from medvision_agent.agent.chat.chat import Turn
from medvision_agent.agent.control import without_pictures
from medvision_agent.agent.grammars.grammar import Blocks, CallResult
from medvision_agent.agent.session import Session
from medvision_agent.agent.threads import in_thread
from medvision_agent.agent.trace import ToolCallTrace
from medvision_agent.errors import nearest
from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Reply, Tool
from medvision_agent.tools.view.drawn import Drawn
from medvision_agent.tools.view.png import encode_png

__all__ = ["answer_calls"]


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool call as the model wrote it; ``problem`` says why its arguments could not be read, else it is ""."""

    id: str
    name: str
    arguments: Any
    problem: str = ""


@dataclass(frozen=True, eq=False)
class _Answered:
    """The reply to one call, its picture as a PNG file, the seconds that the tool took, and what the tool found."""

    reply: Reply
    png: bytes | None = None
    seconds: float = 0.0
    drawn: tuple[Drawn, ...] = ()


async def answer_calls(session: Session, turn: Turn) -> list[AnyMessage]:
    """Run the calls of *turn* and return the messages that answer them."""
    results: list[CallResult] = []
    calls = list(_calls(session, turn))
    for call in calls:
        answered = await in_thread(_called(session, call), partial(_run, session, call))
        text, picture = _content(session, answered)
        _note(session, call, answered, text)
        results.append(CallResult(call.id, call.name, text, answered.reply.ok, picture))
    readable = any(not call.problem for call in calls)
    session.counts["broken"] = 0 if readable else session.counts["broken"] + 1
    messages = session.protocol.answers(results)
    if not calls:  # the provider could not read a call and dropped it
        messages.append(HumanMessage(render("malformed", names=[tool.name for tool in session.condition.tools])))
    return messages


def _calls(session: Session, turn: Turn) -> Iterator[_Call]:
    for call in turn.tool_calls:
        yield _Call(call["id"] or uuid4().hex, call["name"], call["args"])
    for broken in turn.invalid_tool_calls:
        yield _Call(broken["id"] or uuid4().hex, broken["name"] or "", broken["args"], session.protocol.problem(broken))


def _called(session: Session, call: _Call) -> Tool | None:
    """Return the tool that a call names; None if no tool has that name."""
    return next((tool for tool in session.condition.tools if tool.name == call.name), None)


def _run(session: Session, call: _Call) -> _Answered:
    """Run one call and return its reply, or an error if it cannot be run."""
    session.counts["tool"] += 1
    limit = min(session.limits.tool_calls, session.condition.calls or session.limits.tool_calls)
    if session.counts["tool"] > limit:
        return _error("replies/call_limit", limit=limit)
    if call.problem:
        return _error("replies/call_unreadable", problem=call.problem)
    tool = _called(session, call)
    if tool is None:
        names = [one.name for one in session.condition.tools]
        hint = nearest(call.name, names)
        return _error("replies/call_unknown", name=repr(call.name[:60]), names=names, hint=hint)
    started = time.perf_counter()
    reply = tool.call(session.views, call.arguments)
    seconds, drawn = time.perf_counter() - started, reply.drawn
    if (control := session.condition.control) is not None:
        reply = control.shown(tool, call.arguments, reply, session.views)
    if not session.question.shows_picture:
        reply = without_pictures(reply)
    return _Answered(reply, encode_png(reply.picture.pixels) if reply.picture else None, seconds, drawn)


def _error(template: str, **values: Any) -> _Answered:
    return _Answered(Reply(render(template, **values), ok=False))


def _content(session: Session, answered: _Answered) -> tuple[str, Blocks]:
    """Return the text of a reply, which names its picture, and the content blocks of the picture; empty without one."""
    reply = answered.reply
    if reply.picture is None or answered.png is None:
        return reply.text, []
    session.counts["picture"] += 1
    name = f"picture {session.counts['picture']}"
    caption = {"type": "text", "text": f"[{name}] {reply.picture.caption}"}
    return json.dumps({**(reply.result or {}), "picture": name}), [caption, session.chat.picture_block(answered.png)]


def _note(session: Session, call: _Call, answered: _Answered, text: str) -> None:
    key = session.trace.picture(answered.png) if answered.png else None
    reply, seconds = answered.reply, round(answered.seconds, 6)
    # Counts as not shown until the model's next turn has been requested.
    shown, picture_shown = (False if reply.ok else None), (False if key else None)
    session.trace.tool_calls.append(
        ToolCallTrace(
            call.name,
            call.id,
            call.arguments,
            reply.ok,
            text,
            key,
            seconds,
            failure=reply.failure,
            shown=shown,
            picture_shown=picture_shown,
            turn=session.trace.turns,
            drawn=answered.drawn,
        )
    )
