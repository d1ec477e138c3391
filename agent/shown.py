"""Find out whether the model was shown its tools' results, by searching the messages sent for its next turn.

Contract: only results of our tools without an error are searched for. A result that is in no answered request is
marked as not shown: the conversation ended earlier, or the result was left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from medvision_agent.agent.grammars.medvision import told
from medvision_agent.agent.trace import Trace

__all__ = ["mark_shown"]


def mark_shown(trace: Trace, sent: Sequence[BaseMessage]) -> None:
    """Mark in *trace*, for each call of the last turn, whether its result is in *sent*, an answered request."""
    fresh = range(trace.looked_up, len(trace.tool_calls))
    trace.looked_up = len(trace.tool_calls)
    if not any(trace.tool_calls[at].shown is False for at in fresh):
        return
    blocks = [block for message in sent if not isinstance(message, AIMessage) for block in _blocks(message)]
    texts = [str(block["text"]) for block in blocks if block.get("type") == "text"]
    pictures = {trace.named(block["image_url"]["url"]) for block in blocks if block.get("type") == "image_url"}
    for at in fresh:
        call = trace.tool_calls[at]
        if call.shown is False:
            picture = None if call.picture is None else call.picture in pictures
            trace.tool_calls[at] = replace(call, shown=_stands_in(call.text, texts), picture_shown=picture)


def _blocks(message: BaseMessage) -> Iterator[dict[str, Any]]:
    content = [message.content] if isinstance(message.content, str) else message.content
    for block in content:
        yield {"type": "text", "text": block} if isinstance(block, str) else block


def _stands_in(result: str, texts: Sequence[str]) -> bool:
    """Return whether a tool's result is in one of *texts*, ignoring spaces and quotes, which a grammar may change.

    The grammar `medvision` writes printed text without JSON: such text is searched for within its tags.
    """
    if any(result in text for text in texts):
        return True
    if result.startswith('{"printed"') and any(told(result) in text for text in texts):
        return True
    bare = _letters(result)
    return any(bare in _letters(text) for text in texts)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
