"""One model in use: how tools are bound, images are encoded and replies are read, for every provider.

Contract: the text of a ``Turn`` leaves out the model's thoughts, and its reason to stop is one of the
few in ``Finish``.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.runnables import Runnable

from medvision_agent.agent.chat.code_run import CodeRun
from medvision_agent.agent.endings.finish import CHAT, Finish, finish_of
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import ModelConfig, Offline
from medvision_agent.agent.wire.rate_limit import Pace

__all__ = ["BRIEF", "Chat", "Finish", "ToolChoice", "Turn"]

ToolChoice = Literal["auto", "none"]
BRIEF = 16
"""Output limit for a request that only counts prompt tokens: the smallest limit that every service accepts."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One parsed reply of a model."""

    text: str
    """Visible text, without thoughts and refusals."""
    tool_calls: tuple[ToolCall, ...] = ()
    invalid_tool_calls: tuple[InvalidToolCall, ...] = ()
    """Calls whose arguments are not a JSON object."""
    finish: Finish
    finish_raw: str
    """The reason as the provider wrote it."""
    usage: Usage
    model_version: str | None = None
    """The exact model that answered, as the provider names it."""
    fingerprint: str | None = None
    """The server's identifier of its version and settings (``system_fingerprint``)."""
    response_id: str | None = None
    """The server's id of this reply."""
    unread_calls: int = 0
    """Number of tool calls in the text that neither the service nor the grammar parsed."""
    code_runs: tuple[CodeRun, ...] = ()
    """Code that the provider ran before this reply was complete."""

    @property
    def calls_a_tool(self) -> bool:
        """True if the model calls a tool, even if the call cannot be parsed."""
        return bool(self.tool_calls or self.invalid_tool_calls) or self.finish is Finish.MALFORMED_CALL


@dataclass(frozen=True, eq=False)
class Chat:
    """A model that can be asked, with its settings; subclasses fit it to a provider, this class to offline policies."""

    config: ModelConfig
    model: BaseChatModel
    redact: Callable[[str], str] = field(default=str, repr=False)
    """Removes the API key from a text before the text is stored or shown."""

    @cached_property
    def pace(self) -> Pace:
        """The rate limits of this model (requests and tokens per minute), shared by all samples of a run."""
        return Pace(self.config.requests_per_minute, self.config.tokens_per_minute)

    def beside(self, other: "Chat", config: ModelConfig) -> "Chat":
        """Return a copy of this chat with the configuration *config*; the copy shares the rate limits of *other*."""
        beside = replace(self, config=config)
        vars(beside)["pace"] = other.pace
        return beside

    def bind(
        self, tools: Sequence[Mapping[str, Any]], tool_choice: ToolChoice = "auto"
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with *tools* declared and with the settings of each request.

        *tool_choice* "none" forbids tool calls; for a service that does not accept "none", no tools are declared
        instead.
        """
        if not tools or (tool_choice == "none" and not self.config.tool_choice_none):
            settings = self.call_settings()
            return self.model.bind(**settings) if settings else self.model
        return self._with_tools([dict(tool) for tool in tools], tool_choice)

    def _with_tools(
        self, tools: list[dict[str, Any]], tool_choice: ToolChoice
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.model.bind_tools(tools, tool_choice=tool_choice, **self.call_settings())

    def call_settings(self) -> dict[str, Any]:
        """Return the settings that a provider's adapter accepts only with each call; none for this class."""
        return {}

    def briefly(self) -> dict[str, Any]:
        """Return the settings of one call that limit its output to a few tokens; empty if the interface has none."""
        return {}

    async def prompt_tokens(self, message: str, tools: Sequence[Mapping[str, Any]]) -> int | None:  # noqa: ARG002
        """Return how many prompt tokens *message* with *tools* declared has, counted without asking the model.

        None if they cannot be counted in this way.
        """
        return None

    def picture_block(self, png: bytes) -> dict[str, Any]:
        """Return a PNG file as a content block of a message."""
        return {"type": "image_url", "image_url": {"url": data_url(png)}}

    def read(self, message: AIMessage) -> Turn:
        """Return the model's reply *message* in parsed form."""
        finish, raw = self.finish(message)
        text, calls = visible_text(message), bool(message.tool_calls or message.invalid_tool_calls)
        if finish is Finish.STOP and calls:
            finish = Finish.TOOL_CALLS
        elif finish is Finish.TOOL_CALLS and not calls and not text.strip():
            finish = Finish.MALFORMED_CALL  # there was a call, and the service lost it
        return Turn(
            text=text,
            tool_calls=tuple(message.tool_calls),
            invalid_tool_calls=tuple(message.invalid_tool_calls),
            finish=finish,
            finish_raw=raw,
            usage=Usage(model_calls=1) if isinstance(self.config, Offline) else usage_of(message),
            model_version=_name(message, "model_name"),
            fingerprint=_name(message, "system_fingerprint"),
            response_id=_name(message, "id"),
            code_runs=self.code_runs(message),
        )

    def code_runs(self, message: AIMessage) -> tuple[CodeRun, ...]:  # noqa: ARG002
        """Return the runs of code on the provider's machine that belong to a reply; empty for most providers."""
        return ()

    def finish(self, message: AIMessage) -> tuple[Finish, str]:
        """Return why the reply stopped, as ``Finish`` and as the provider wrote it; offline policies always finish."""
        raw = str(message.response_metadata.get("finish_reason") or "stop")
        return finish_of(raw, CHAT), raw


_LONGEST_NAME = 200


def _name(message: AIMessage, key: str) -> str | None:
    """Return the text under *key* in a reply's metadata, cut to 200 characters; None if the server gave none."""
    value = message.response_metadata.get(key)
    return str(value)[:_LONGEST_NAME] if value else None


def data_url(png: bytes) -> str:
    """Return a PNG file as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def png_of(url: str) -> bytes:
    """Return the bytes of the PNG file in a data URL."""
    return base64.b64decode(url.partition(",")[2])


def visible_text(message: AIMessage) -> str:
    """Return the text of a reply without thoughts: adjacent parts joined directly, all others by a line break.

    A service may cut one sentence into parts, so nothing is put between adjacent parts: a number must not be split.
    Parts with a thought or a tool call between them are separate texts, and so are parts of two messages in one reply
    (the responses interface: one message before the answer, and the answer).
    """
    if isinstance(message.content, str):
        return message.content
    texts, of = [""], None
    for block in message.content:
        if isinstance(block, str):
            texts[-1] += block
        elif block.get("type") == "text":
            if block.get("id") != of:
                texts, of = [*texts, ""], block.get("id")
            texts[-1] += str(block.get("text") or "")
        elif texts[-1]:
            texts.append("")
    return "\n".join(text for text in texts if text)


def usage_of(message: AIMessage) -> Usage:
    """Return the token counts of one reply; a reply without token counts is counted as one unreported call."""
    counts = message.usage_metadata
    if counts is None:
        return Usage(model_calls=1, unreported=1)
    said = visible_text(message).strip() or message.tool_calls or message.invalid_tool_calls
    return Usage.of_a_reply(
        input=counts["input_tokens"],
        output=counts["output_tokens"],
        reasoning=counts.get("output_token_details", {}).get("reasoning") or 0,
        cached=counts.get("input_token_details", {}).get("cache_read") or 0,
        empty=not said,
    )
