"""The probe: do tool declarations reach the model? The same short message is sent with and without them.

Contract: if the service does not count at least one more prompt token per declaration, the model does not get its
tools (its chat template may drop them) and ``probe`` raises ConfigError. It also does if the service refuses only the
request with declarations. What cannot be found out is a result, not an error. A provider that refuses to work
at all raises ProviderError, as it would for a sample.

Gemini's free counter (countTokens) takes no tools in the SDK's mode for API keys, so Gemini is probed like the others.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import HumanMessage

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.endings.finish import CALL_REFUSED
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.probe import ToolProbe
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import OpenAI
from medvision_agent.agent.retry import RequestFailed, call_model
from medvision_agent.agent.session import Waiting
from medvision_agent.agent.wire.failures import classify
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.prompts.render import render

__all__ = ["MESSAGE", "Prober"]

MESSAGE = render("checks/probe")
"""The message that is sent."""
Tools = Sequence[Mapping[str, Any]]
_OF_TOOLS = re.compile(r"\btools?\b|function.?call|jinja", re.IGNORECASE)
"""Words by which an error with several possible causes is about tools."""
_ALSO_OF_TOOLS = frozenset({Outcome.SERVER_ERROR, Outcome.BAD_REPLY})
"""Outcomes that may be temporary, but with which some services refuse tools."""


class _UnreadCall(Exception):  # noqa: N818 - it reads as what happened
    """Raised if the model called a tool and the service could not read the call, so there are no token counts."""


class Prober:
    """A probe of one model; the message without declarations is sent only once for all sets of tools."""

    def __init__(self, chat: Chat, waiting: Waiting) -> None:
        self._chat, self._waiting = chat, waiting
        self._settings: dict[str, Any] = {}
        self._without: int | None = None
        self._asked = False
        self._usage = Usage()

    async def probe(self, tools: Tools) -> ToolProbe:
        """Return whether the declarations of *tools* reach the model, with the token counts that show it.

        Raises ConfigError if they do not reach the model or if the service refuses them, and ProviderError if the
        provider refuses to work at all. What cannot be found out is a result, not an error.
        """
        self._usage = Usage()
        try:
            without = await self._without_tools()
        except RequestFailed as failure:
            return self._found("failed", detail=str(failure))
        try:
            with_tools = await self._with_tools(tools)
        except _UnreadCall as failure:
            return self._found("failed", detail=f"the service could not read a call of the model: {failure}")
        except (RequestFailed, ProviderError) as failure:
            if _refuses_tools(failure):
                refusal = f"{self._name}: the service refuses declared tools: {failure}"
                raise ConfigError(f"{refusal}. {self._advice}.") from None
            if isinstance(failure, ProviderError):
                raise
            return self._found("failed", detail=str(failure))
        if without is None or with_tools is None:
            return self._found("not reported")
        if with_tools < without + len(tools):
            raise ConfigError(
                f"{self._name}: the declarations of the tools do not reach the model: the same message has "
                f"{with_tools} prompt tokens with them and {without} without. {self._advice}; --no-probe leaves this "
                "check out."
            )
        return self._found("reached", with_tools=with_tools, without_tools=without)

    async def _without_tools(self) -> int | None:
        """Return the prompt tokens without declarations; None if they are not reported.

        The message is sent without the short output limit if the service refuses that limit.
        """
        if not self._asked:
            try:
                self._without = await self._tokens((), settings := self._chat.briefly())
            except RequestFailed as failure:
                cut_short = not failure.fault.outcome.infrastructure or failure.fault.outcome is Outcome.BAD_REPLY
                if not cut_short or not self._chat.briefly():
                    raise
                self._without = await self._tokens((), settings := {})
            self._settings, self._asked = settings, True
        return self._without

    async def _with_tools(self, tools: Tools) -> int | None:
        """Return the prompt tokens with *tools* declared; None if they are not reported.

        The message is sent again without the short output limit if the limit may have cut off a call.
        """
        try:
            return await self._tokens(tools, self._settings)
        except _UnreadCall:
            if not self._settings:
                raise
            return await self._tokens(tools, {})

    async def _tokens(self, tools: Tools, settings: Mapping[str, Any]) -> int | None:
        """Return the prompt tokens of the message with *tools* declared, or None if they are not reported.

        *settings* are added to the request. Raises RequestFailed or ProviderError without a proper reply, and
        _UnreadCall.
        """
        chat = self._chat
        try:
            counted = await chat.prompt_tokens(MESSAGE, tools)
        except Exception as error:
            raise RequestFailed(classify(error), 1) from error
        if counted is not None:
            return counted
        reply = await call_model(
            chat.bind(tools).bind(**settings),
            [HumanMessage(MESSAGE)],
            config=chat.config,
            read=chat.read,
            sleep=self._waiting.sleep,
            on_fault=self._waiting.on_fault,
            on_spent=self._paid,
            redact=chat.redact,
            pace=chat.pace,
            tools=bool(tools),
        )
        usage = reply.turn.usage
        self._paid(usage)
        if reply.turn.finish_raw == CALL_REFUSED:
            raise _UnreadCall(reply.message.response_metadata["error"])
        return usage.input if usage.input > 0 and not usage.unreported else None

    def _paid(self, usage: Usage) -> None:
        self._usage = self._usage + usage

    def _found(self, found: Any, **fields: Any) -> ToolProbe:
        cost = self._usage.cost_usd(self._chat.config.prices)
        return ToolProbe(found=found, usage=self._usage, cost_usd=cost, **fields)

    @property
    def _name(self) -> str:
        return f"model {self._chat.config.model}"

    @property
    def _advice(self) -> str:
        server = (
            ", or start the server with tool calling (vLLM: --enable-auto-tool-choice --tool-call-parser NAME; "
            "llama.cpp: --jinja)"
        )
        return f"Set `tool_calling: text` in its row{server if isinstance(self._chat.config, OpenAI) else ''}"


def _refuses_tools(failure: RequestFailed | ProviderError) -> bool:
    """Return whether a request was refused for its declarations, if the same request without them was answered."""
    if isinstance(failure, RequestFailed) and failure.fault.outcome not in _ALSO_OF_TOOLS:
        return not failure.fault.outcome.infrastructure
    return _OF_TOOLS.search(str(failure)) is not None
