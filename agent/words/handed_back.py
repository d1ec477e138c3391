"""Tool results that are sent beside a question, taken from another conversation about the same sample.

Contract: a model's replies are not among them. They follow the question in one message of the user, each with
its tool, its arguments, its text, and its picture under its caption, in the order of the calls.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from medvision_agent.prompts.render import render

__all__ = ["HandedBack", "blocks"]

Block = dict[str, Any]


@dataclass(frozen=True, eq=False)
class HandedBack:
    """The result of one tool call of another conversation, to be sent beside the question."""

    tool: str
    arguments: Any
    """Arguments as the model wrote them."""
    text: str
    """Text of the tool's reply."""
    caption: str = ""
    png: bytes | None = None
    """Picture of the tool's reply, a PNG file."""


def blocks(results: Sequence[HandedBack], picture_block: Callable[[bytes], Block]) -> list[str | Block]:
    """Return the content of the message that hands back *results*; *picture_block* makes a block of a PNG file."""
    content: list[str | Block] = [_text(render("replies/handed_back"))]
    for one in results:
        arguments = json.dumps(one.arguments, ensure_ascii=False)
        content.append(_text(render("replies/handed_back_result", tool=one.tool, arguments=arguments, text=one.text)))
        if one.png is not None:
            content += [*([_text(one.caption)] if one.caption else []), picture_block(one.png)]
    return content


def _text(words: str) -> Block:
    return {"type": "text", "text": words}
