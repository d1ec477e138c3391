"""Whether the model was shown what its tools returned: looked up in the messages of its next turn, as they were sent.

Contract: only what a tool of ours returned without an error is looked for. A result that no answered request held is
marked as not shown: the conversation ended before, or somebody left it out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from medvision_agent.agent.grammars.medvision import told
from medvision_agent.agent.trace import Trace

__all__ = ["mark_shown"]


def mark_shown(trace: Trace, sent: Sequence[BaseMessage]) -> None:
    """Mark the results of the last turn's calls that stand in *sent*, the messages of a request that was answered."""
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
    """Tell whether a result stands in a text, if need be with other spaces and quotes, as a grammar may write it.

    The grammar `medvision` writes no JSON of what was only printed: that is looked for within its tags.
    """
    if any(result in text for text in texts):
        return True
    if result.startswith('{"printed"') and any(told(result) in text for text in texts):
        return True
    bare = _letters(result)
    return any(bare in _letters(text) for text in texts)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
