"""The history of a conversation that is sent back to a model, in a form that every service accepts.

Contract: the trace keeps what the model wrote. The history that is sent back is legal: ids of calls are unique in the
conversation, arguments are strict JSON objects, names are those of declared tools, and no two messages of the user
follow each other. A call of an undeclared tool, and its answer, are written as plain text instead.
"""

import json
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from medvision_agent.agent.chat.chat import Turn
from medvision_agent.agent.chat.names import plain_name
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.models import ModelConfig
from medvision_agent.prompts.render import render

__all__ = ["blocks_of", "is_empty", "legal", "newest_pictures", "ordered", "settled"]

_ID = re.compile(r"[!-~]{1,4000}")
"""A well-formed id: visible ASCII. Services put signatures into ids, so long ids are allowed."""
_KEPT = 1000
"""Characters of unreadable arguments that are sent back."""
_RAW = ("tool_calls", "function_call")
"""Keys under which adapters keep a second copy of the calls, in the service's own form."""
_CALL_BLOCKS = ("tool_use", "function_call")


def settled(turn: Turn, declared: Collection[str], taken: Collection[str]) -> Turn:
    """Return *turn* with plain tool names and with unique ids of its calls.

    *declared* are the names of the tools, and *taken* the ids of earlier calls. An id that the model gave is kept if it
    is well-formed and not among *taken*; otherwise the call gets a new one.
    """
    used = set(taken)
    numbers = count(len(used) + 1)

    def new_id(given: str | None) -> str:
        wanted = given if given and _ID.fullmatch(given) else ""
        while not wanted or wanted in used:
            wanted = f"call{next(numbers):05d}"  # nine letters and digits: Mistral takes nothing else
        used.add(wanted)
        return wanted

    calls = tuple(
        ToolCall(type="tool_call", name=plain_name(call["name"], declared), args=call["args"], id=new_id(call["id"]))
        for call in turn.tool_calls
    )
    invalid = tuple(
        InvalidToolCall(**{**call, "name": plain_name(call["name"] or "", declared), "id": new_id(call["id"])})
        for call in turn.invalid_tool_calls
    )
    return replace(turn, tool_calls=calls, invalid_tool_calls=invalid)


def legal(message: AIMessage, turn: Turn, declared: Collection[str]) -> AIMessage | None:
    """Return a model's reply in the form in which it is sent back; a reply that every service accepts stays unchanged.

    *turn* is the same reply as ``settled`` returned it, and *declared* are the names of the tools. The result is None
    for a reply without text and calls, because some services reject it. A call that the service dropped is written as
    text, so that no two user messages follow each other.
    """
    if is_empty(turn):
        dropped = str(message.response_metadata.get("failed_generation") or "")[:_KEPT]
        placeholder = render("replies/call_dropped", written=dropped)
        return AIMessage(placeholder) if turn.finish is Finish.MALFORMED_CALL else None
    calls = [*map(_call, turn.tool_calls), *map(_call, turn.invalid_tool_calls)]
    if not message.invalid_tool_calls and calls == message.tool_calls and _all_declared(calls, declared):
        return message
    old = [call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)]
    kept = [(before, call) for before, call in zip(old, calls, strict=True) if call["name"] in declared]
    words = [_in_words(call) for call in calls if call["name"] not in declared]
    extras = {key: _rekeyed(value, kept) for key, value in message.additional_kwargs.items() if key not in _RAW}
    return message.model_copy(
        update={
            "content": _content(message, kept, words),
            "tool_calls": [call for _, call in kept],
            "invalid_tool_calls": [],
            "additional_kwargs": extras,
        }
    )


def is_empty(turn: Turn) -> bool:
    """Return whether a turn has neither text nor calls."""
    return not (turn.text.strip() or turn.tool_calls or turn.invalid_tool_calls)


def _all_declared(calls: Sequence[ToolCall], declared: Collection[str]) -> bool:
    return all(call["name"] in declared for call in calls)


def _call(call: ToolCall | InvalidToolCall) -> ToolCall:
    """Return the call with an object as arguments; unreadable arguments become an object that holds the raw text."""
    args = call["args"] if isinstance(call["args"], dict) else {"unreadable": str(call["args"] or "")[:_KEPT]}
    return ToolCall(type="tool_call", name=call["name"] or "", args=_strict(args), id=call["id"])


def _strict(value: Any) -> Any:
    """Return *value* as strict JSON data: NaN and infinite numbers become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    return [_strict(item) for item in value] if isinstance(value, list) else value


def _in_words(call: ToolCall) -> str:
    return render("replies/called", name=call["name"][:60], arguments=json.dumps(call["args"])[:_KEPT])


def _rekeyed(value: Any, kept: Sequence[tuple[str | None, ToolCall]]) -> Any:
    """Return an extra field of the message; if its keys are call ids (thought signatures), with the new ids as keys.

    *kept* are the pairs of a call's old id and the call as it is sent back.
    """
    if not isinstance(value, dict) or not any(old in value for old, _ in kept):
        return value
    return {call["id"]: value[old] for old, call in kept if old in value}


def _content(
    message: AIMessage, kept: Sequence[tuple[str | None, ToolCall]], words: Sequence[str]
) -> str | list[str | dict[Any, Any]]:
    """Return the content with its calls replaced by the *kept* calls, and *words* added at its end.

    *kept* are the pairs of a call's old id and the call as it is sent back.
    """
    if isinstance(message.content, str):
        return "\n".join(filter(None, [message.content, *words]))
    blocks: list[str | dict[Any, Any]] = []
    left = list(kept)
    for block in message.content:
        if words and isinstance(block, dict) and block.get("type") == "function_call_signature":
            continue  # it counts calls that are no longer there
        if not isinstance(block, dict) or block.get("type") not in _CALL_BLOCKS:
            blocks.append(block)
            continue
        own = block.get("call_id", block.get("id"))
        found = next((pair for pair in left if pair[0] == own), None)
        if found is not None:
            left.remove(found)
            blocks.append(_block(block, found[1]))
    return [*blocks, *({"type": "text", "text": text} for text in words)]


def _block(block: dict[Any, Any], call: ToolCall) -> dict[Any, Any]:
    """Return the content block of a call in the form of OpenAI's responses or Anthropic."""
    if "call_id" in block:
        return block | {"name": call["name"], "arguments": json.dumps(call["args"]), "call_id": call["id"]}
    return block | {"name": call["name"], "input": call["args"], "id": call["id"]}


def ordered(messages: Sequence[AnyMessage], config: ModelConfig) -> list[AnyMessage]:
    """Return a conversation as the server of *config* accepts it: valid order of roles, no more images than allowed.

    Consecutive user messages are joined. If the model's row says so, the system text is moved into the first question,
    a short reply is put between tool and user messages, and images other than the first and the newest become text.
    """
    sent: list[AnyMessage] = []
    for message in messages:
        last = sent[-1] if sent else None
        if isinstance(message, HumanMessage) and isinstance(last, HumanMessage):
            sent[-1] = HumanMessage([*blocks_of(last), *blocks_of(message)])
        elif isinstance(message, HumanMessage) and isinstance(last, ToolMessage) and not config.user_after_tool:
            sent += [AIMessage(render("replies/bridge")), message]
        else:
            sent.append(message)
    if config.system_role == "fold" and len(sent) > 1 and isinstance(sent[0], SystemMessage):
        question = sent[1]
        assert isinstance(question, HumanMessage)  # noqa: S101 - a conversation opens with the question
        sent[:2] = [HumanMessage([{"type": "text", "text": sent[0].text}, *blocks_of(question)])]
    if config.pictures_per_request is None:
        return sent
    first = next((at for at, message in enumerate(sent, start=1) if _pictures(message)), 0)
    return [*sent[:first], *newest_pictures(sent[first:], config.pictures_per_request)]


def newest_pictures(messages: Sequence[AnyMessage], per_request: int | None) -> list[AnyMessage]:
    """Return *messages* with only the newest images that fit in a request beside the image of the question.

    *per_request* is the maximum number of images in a request, None for no limit. A sentence replaces each other image.
    """
    places = [(m, b) for m, message in enumerate(messages) for b in _pictures(message)]
    if per_request is None or len(places) < per_request:
        return list(messages)
    dropped = set(places[: len(places) - per_request + 1])
    instead = {"type": "text", "text": render("replies/picture_left_out", most=per_request)}
    shown = list(messages)
    for m in {m for m, _ in dropped}:
        blocks = [instead if (m, b) in dropped else block for b, block in enumerate(messages[m].content)]
        shown[m] = messages[m].model_copy(update={"content": blocks})
    return shown


def blocks_of(message: HumanMessage) -> list[str | dict[str, Any]]:
    """Return the content of a message as a list of content blocks."""
    return [{"type": "text", "text": message.content}] if isinstance(message.content, str) else list(message.content)


def _pictures(message: AnyMessage) -> list[int]:
    if isinstance(message, AIMessage) or isinstance(message.content, str):
        return []
    return [
        at for at, block in enumerate(message.content) if isinstance(block, dict) and block.get("type") == "image_url"
    ]
