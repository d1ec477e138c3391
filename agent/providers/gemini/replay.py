"""Replay of MedVision's published Gemini experiment of 2025: what was sent, and the text stored from a reply.

Read in upstream's public source (``lmms_eval/models/gemini__2_5.py``; what is not known: docs/published-experiment.md):
image and prompt in one user message, no system text, dynamic thinking, nothing else set. Without the tool, a JSON
object {Thought, Answer}; with it, plain text and a sentence after the prompt. The two arms differ in more than the
tool: ``published-2025-matched`` asks both as the arm with the tool was asked.
"""

from dataclasses import replace
from functools import cache
from typing import Any, Literal

from langchain_core.messages import AIMessage
from pydantic import BaseModel, Field, ValidationError, create_model

from medvision_agent.agent.chat.chat import Turn
from medvision_agent.agent.models import Replay
from medvision_agent.agent.words.question import Prompt
from medvision_agent.prompts.render import render

__all__ = ["LITERAL", "RECIPE", "output_format", "settings", "stored", "worded"]

LITERAL: Replay = "published-2025"
RECIPE = "paper-v1"
"""The recipe with the experiment's images and the facts of its prompts."""
_MISSING = "<not provided>"
_HIDDEN = "<code block ignored>"


def output_format(replay: Replay, *, code: bool) -> Literal["json", "text"]:
    """Return the form of reply that the experiment requested; *code*: in its arm with code execution.

    In ``published-2025`` the two arms differ in it; in ``published-2025-matched`` both are asked for text.
    """
    return "json" if replay == LITERAL and not code else "text"


def worded(words: Prompt, replay: Replay, *, code: bool) -> Prompt:
    """Return the prompt as the experiment sent it: one text, with a suffix if a plain-text reply is wanted.

    There is no system text.
    """
    text = words.question
    if output_format(replay, code=code) == "text":
        text = f"{text}\n{render('published_suffix')}\n\n"
    return Prompt(system="", tool_paragraph="", question=text)


def settings(replay: Replay, *, code: bool) -> dict[str, Any]:
    """Return the experiment's request settings, without contents and tool, for ``GenerateContentConfig``."""
    from google.genai.types import ThinkingConfig  # noqa: PLC0415 - costs more than a second

    as_json = output_format(replay, code=code) == "json"
    return {
        "thinking_config": ThinkingConfig(thinking_budget=-1),
        "response_mime_type": "application/json" if as_json else "text/plain",
        "response_schema": _schema() if as_json else None,
    }


def stored(turn: Turn, message: AIMessage, *, as_json: bool) -> Turn:
    """Return the turn with the text that the experiment stored and scored; unchanged if the reply has no content.

    *as_json*: the reply was requested as a JSON object.
    """
    blocks = [block for block in message.content if isinstance(block, dict)]
    if not blocks:
        return turn
    return replace(turn, text=_from_json(turn.text) if as_json else _from_blocks(blocks))


def _from_json(text: str) -> str:
    try:
        fields = _schema().model_validate_json(text).model_dump()
    except ValidationError:
        fields = {}
    return "".join(f"{name}\n: {fields.get(name, _MISSING)}\n" for name in _schema().model_fields)


def _from_blocks(blocks: list[dict[str, Any]]) -> str:
    """Return the texts, code (left out) and outputs in the order of the reply, each kind numbered separately."""
    counts = {"Text Block": 0, "Code Block": 0, "Code Result Block": 0}
    stored = ""
    for block in blocks:
        match block.get("type"):
            case "text" | "thinking":
                name, content = "Text Block", block[block["type"]]
            case "executable_code":
                name, content = "Code Block", _HIDDEN
            case "code_execution_result":
                name, content = "Code Result Block", block["output"]  # None is written as the word
            case _:
                continue
        counts[name] += 1
        stored += f"{name} {counts[name]}:\n{content}\n"
    return stored


@cache
def _schema() -> type[BaseModel]:
    """Return the schema of a JSON reply; its name is sent too."""
    fields: dict[str, Any] = {name: (str, Field(...)) for name in ("Thought", "Answer")}
    return create_model("JSON_format", **fields)
