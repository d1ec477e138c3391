"""Convert conversations to the form of a checkpoint's chat template, and test what the template leaves out.

A chat template is a small program by the checkpoint's authors; it silently drops what it does not know. So each
is tested when the model is opened, with marked texts: is a system message shown, is a tool declared, does a tool's
result arrive? What is missing is replaced if possible (a system text goes into the user's message); otherwise it
is a ConfigError. Consecutive messages of one role are merged, because strict templates refuse them, and
the model's control tokens in a text are broken up, because a stray one would stand for an image or end a turn.
"""

import binascii
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import jinja2
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from PIL import Image

from medvision_agent.agent.chat.chat import png_of
from medvision_agent.errors import ConfigError

__all__ = ["ChatTemplate", "Conversation"]

Conversation = list[dict[str, Any]]
_Form = Callable[[str], Any]

_TOOL = {
    "type": "function",
    "function": {
        "name": "zq_tool",
        "description": "Measure.",
        "parameters": {"type": "object", "properties": {"zq_argument": {"type": "number", "description": "A number."}}},
    },
}
_ROLES = {"system": "system", "human": "user", "ai": "assistant", "tool": "tool"}


class ChatTemplate:
    """The chat template of a processor; a new object tests it with marked texts.

    Raises ConfigError if the template leaves out the question, its image or earlier replies, and with *native_tools* if
    it leaves out the declarations or the results of tools. *name* is the model's name in errors.
    """

    def __init__(self, processor: Any, *, name: str, native_tools: bool) -> None:
        self._processor = processor
        self._name = name
        self._special = _special_tokens(processor)
        question = self._user("zq-question")
        self._require(question)
        self._assistant = self._form(
            "zq-said", lambda said: [question, {"role": "assistant", "content": said}, self._user("zq-more")]
        )
        if self._assistant is None:
            raise ConfigError(
                f"model {name}: its chat template leaves out the model's own earlier messages, so that no conversation "
                "is possible. Choose another checkpoint."
            )
        self._system = self._form("zq-system", lambda said: [{"role": "system", "content": said}, question])
        self._tool = self._tool_form(question) if native_tools else None

    def breaks_up(self, text: str) -> bool:
        """Return whether *text* contains control tokens of the model, into which ``conversation`` would put a space."""
        return self._special.search(text) is not None

    def conversation(self, messages: Sequence[BaseMessage]) -> Conversation:
        """Return *messages* in the template's form, with images decoded; raises ValueError for an unreadable image."""
        said: Conversation = []
        for message in messages:
            entry = self._entry(message)
            if said and entry["role"] == said[-1]["role"] != "tool" and not said[-1].get("tool_calls"):
                said[-1]["content"] += entry["content"]
                said[-1] |= {key: value for key, value in entry.items() if key not in {"role", "content"}}
            else:
                said.append(entry)
        if self._system is None and said and said[0]["role"] == "system":
            system = said.pop(0)
            said[0]["content"] = [*system["content"], *said[0]["content"]]
        return [self._formed(entry) for entry in said]

    def _entry(self, message: BaseMessage) -> dict[str, Any]:
        """Return a message with its content as a list of parts."""
        role = _ROLES[message.type]
        blocks = [message.content] if isinstance(message.content, str) else message.content
        parts = [part for block in blocks for part in self._parts(block)]
        if isinstance(message, ToolMessage):
            if self._tool is None:
                return {"role": "user", "content": parts}
            return {"role": role, "content": parts, "name": message.name, "tool_call_id": message.tool_call_id}
        if isinstance(message, AIMessage) and message.tool_calls and self._tool is not None:
            calls = [
                {
                    "type": "function",
                    "id": call["id"],
                    "function": {"name": self._plain(call["name"]), "arguments": self._plain(call["args"])},
                }
                for call in message.tool_calls
            ]
            thoughts = message.additional_kwargs.get("reasoning_content")
            kept = {"reasoning_content": self._plain(thoughts)} if thoughts else {}
            return {"role": role, "content": parts, "tool_calls": calls, **kept}
        return {"role": role, "content": parts}

    def _parts(self, block: str | dict[str, Any]) -> Conversation:
        """Return a block of a message as a list of parts; empty if it is neither text nor image."""
        if isinstance(block, str):
            return [{"type": "text", "text": self._plain(block)}]
        if block.get("type") == "image_url":
            return [{"type": "image", "image": _picture(block["image_url"]["url"])}]
        return [{"type": "text", "text": self._plain(block["text"])}] if block.get("type") == "text" else []

    def _formed(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return an entry with its content in the form that the template accepts for this role."""
        if entry["role"] == "user":
            return entry
        form = {"system": self._system, "assistant": self._assistant, "tool": self._tool}[entry["role"]]
        text = "\n".join(part["text"] for part in entry["content"] if part["type"] == "text")
        return entry | {"content": (form or _as_text)(text)}

    def _plain(self, value: Any) -> Any:
        """Return *value* with the model's control tokens broken up in every text: ``<image>`` becomes ``< image>``."""
        if isinstance(value, str):
            return self._special.sub(lambda found: f"{found[0][0]} {found[0][1:]}", value)
        if isinstance(value, dict):
            return {self._plain(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        return value

    @staticmethod
    def _user(text: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}

    def _render(self, conversation: Conversation, tools: list[Any] | None = None) -> str:
        return str(
            self._processor.apply_chat_template(conversation, tools=tools, add_generation_prompt=True, tokenize=False)
        )

    def _require(self, question: dict[str, Any]) -> None:
        """Raise ConfigError unless there is a template that shows a question and its image."""
        try:
            seen = self._render([question])
            blind = self._render([{"role": "user", "content": question["content"][1:]}])
        except (ValueError, TypeError, jinja2.TemplateError) as error:
            raise ConfigError(
                f"model {self._name}: it has no usable chat template ({error}). Choose a checkpoint with a chat "
                "template for images."
            ) from None
        if "zq-question" not in seen or seen == blind:
            raise ConfigError(
                f"model {self._name}: its chat template leaves out the question or its image. Choose a checkpoint with "
                "a chat template for images."
            )

    def _form(self, marker: str, conversation: Callable[[Any], Conversation], **settings: Any) -> _Form | None:
        """Return the function that gives a text the form of content in which the template shows *marker*.

        None if the template shows it neither as a list of parts nor as plain text.
        """
        for form in (_as_parts, _as_text):
            try:
                shown = self._render(conversation(form(marker)), **settings)
            except (ValueError, TypeError, jinja2.TemplateError):
                continue
            # A template that accepts only texts would print a list of parts in Python or JSON syntax.
            printed = form is _as_parts and (f"'{marker}'" in shown or f'"{marker}"' in shown)
            if marker in shown and not printed:
                return form
        return None

    def _tool_form(self, question: dict[str, Any]) -> _Form:
        """Return the function that gives a tool's result the form of content in which the template shows it.

        Raises ConfigError if the template leaves out declarations or results.
        """
        advice = "set `tool_calling: text` in its row."
        try:
            declared = "zq_tool" in self._render([question], [_TOOL])
        except (ValueError, TypeError, jinja2.TemplateError):
            declared = False
        if not declared:
            raise ConfigError(f"model {self._name}: its chat template leaves out the declarations of tools; {advice}")
        assert self._assistant is not None  # noqa: S101 - for the type checker
        function = {"name": "zq_tool", "arguments": {"zq_argument": 1}}
        calls = {
            "role": "assistant",
            "content": self._assistant(""),
            "tool_calls": [{"type": "function", "id": "call_0", "function": function}],
        }
        result = {"role": "tool", "name": "zq_tool", "tool_call_id": "call_0"}
        form = self._form("zq-result", lambda said: [question, calls, result | {"content": said}], tools=[_TOOL])
        if form is None:
            raise ConfigError(f"model {self._name}: its chat template leaves out the results of tools; {advice}")
        return form


def _as_parts(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def _as_text(text: str) -> str:
    return text


def _picture(url: str) -> Image.Image:
    """Return the image of a data URL in RGB, as encoders expect it; raises ValueError if it cannot be read."""
    try:
        with Image.open(io.BytesIO(png_of(url))) as picture:
            return picture.convert("RGB")
    except (binascii.Error, OSError) as error:
        raise ValueError(f"the image cannot be read: {error}") from error


def _special_tokens(processor: Any) -> re.Pattern[str]:
    """Return a pattern that finds the control tokens of tokenizer and processor."""
    tokenizer = processor.tokenizer
    tokens = {str(token) for token in tokenizer.all_special_tokens}
    tokens |= {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    tokens |= {value for key, value in vars(processor).items() if key.endswith("_token") and isinstance(value, str)}
    words = sorted((token for token in tokens if len(token.strip()) > 2), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)) if words else r"(?!)")
