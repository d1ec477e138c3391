"""The turn in which each tool was called: turns are all messages except results of tools, counted from 1.

Current runs store the turn with each call. In older runs it follows from the ids of calls, or from their order: calls
of one reply were answered before the model's next reply.

Contract: any trace can be read; entries that are not JSON objects are left out, here as in ``talk.py``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["entries", "last_turn", "turns_of_calls"]

Entry = Mapping[str, Any]


def entries(value: object) -> list[Entry]:
    """Return the objects in a list of a stored trace; empty if it is not a list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def turns_of_calls(trace: Entry) -> list[int | None]:
    """Return the turn (from 1) in which each call of a stored trace was made, in order; None for an unknown turn."""
    by_id, replies = _ids(trace)
    calls = entries(trace.get("tool_calls"))
    stated = [_number(call.get("turn")) or by_id.get(str(call.get("call_id"))) for call in calls]
    if all(stated):
        return stated
    # There is one call for each reply but the last, which answers. All conversations with calls in the text look like
    # this.
    return [*replies[: len(calls)]] if len(replies) - 1 == len(calls) else stated


def last_turn(trace: Entry) -> int | None:
    """Return the turn of the model's last message; None if it sent none."""
    replies = _ids(trace)[1]
    return replies[-1] if replies else None


def _ids(trace: Entry) -> tuple[dict[str, int], Sequence[int]]:
    """Return the turn in which each call was made, by the call's id, and the turns of the model's replies."""
    known, replies, turn = dict[str, int](), list[int](), 0
    for message in entries(trace.get("messages")):
        kind = message.get("type")
        if kind == "tool":
            # If a reply used an id again, the call was answered under a new id, right after that reply.
            if replies:
                known.setdefault(str(message.get("tool_call_id")), replies[-1])
            continue
        turn += 1
        if kind == "ai":
            replies.append(turn)
            for call in (*entries(message.get("tool_calls")), *entries(message.get("invalid_tool_calls"))):
                known.setdefault(str(call.get("id")), turn)
    return known, replies


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
