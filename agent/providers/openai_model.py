"""LangChain's OpenAI adapter for servers that add their own fields to chat completions.

The adapter drops what OpenAI's interface does not have: reasoning, an error beside a choice, calls in the old form.
Here they are kept, and reasoning goes back in the field in which it came, with the turns that called tools.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import ConfigDict, Field

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.openai_repair import as_written
from medvision_agent.agent.providers.openai_shapes import one_choice
from medvision_agent.agent.providers.openai_thin import ThinCompletions, UnusualReply
from medvision_agent.agent.providers.replay import replayed
from medvision_agent.agent.wire.failures import Fault, KnownFault
from medvision_agent.agent.wire.reading import BodyError

__all__ = ["REASONING", "CompatibleChat"]

REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
"""Fields of a message in which servers put thoughts: DeepSeek, vLLM and llama.cpp, OpenRouter, Ollama, LiteLLM."""
_AS_THEY_ARE = ("text", "image_url")
"""Types of blocks in a user message that the adapter does not change."""
_EXTRA = "extra_content"
"""Field of a call with Gemini's thought signature (``google.thought_signature``), in replies and requests."""


class CompatibleChat(ChatOpenAI):
    """LangChain's ChatOpenAI, extended for every server with OpenAI's interfaces."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    return_reasoning: bool = True
    """Send reasoning back with the turns that called tools."""
    empty_content: str | None = None
    """What is sent as the text of a turn that only called tools."""
    thin: ThinCompletions | None = Field(default=None, exclude=True)
    """Sends chat completions requests; None if the SDK's own methods send them."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            result = await self._asked(messages, stop, run_manager, **kwargs)
        except ValueError as error:
            # The adapter raises the error object of a response as the argument of a ValueError.
            raise _raised(error) from error
        for generation in result.generations:
            if isinstance(generation.message, AIMessage):
                as_written(generation.message)
        return result

    async def _asked(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun | None,
        **kwargs: Any,
    ) -> ChatResult:
        """Return the reply, requested by ``openai_thin.py``; unusual replies go through the adapter's own method."""
        if self.thin is not None:
            try:
                body = await self.thin.create(**self._get_request_payload(messages, stop=stop, **kwargs))
            except UnusualReply as unusual:
                with replayed(unusual.came):
                    return await super()._agenerate(messages, stop, run_manager, **kwargs)
            if body is not None:
                return self._create_chat_result(body)
        return await super()._agenerate(messages, stop, run_manager, **kwargs)

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        messages = self._convert_input(input_).to_messages()
        plain = [] if self.use_responses_api else [_as_it_is(message) for message in messages]
        rest = [message for message, sent in zip(messages, plain, strict=True) if sent is None] if plain else messages
        payload = super()._get_request_payload(rest, stop=stop, **kwargs)
        if "messages" not in payload:
            return payload
        others = iter(payload["messages"])
        payload["messages"] = [sent or next(others) for sent in plain]
        for sent, message in zip(payload["messages"], messages, strict=True):
            if isinstance(message, AIMessage):
                sent["content"] = _one_text(sent["content"])
            if isinstance(message, AIMessage) and message.tool_calls:
                sent["content"] = sent["content"] if _says(sent["content"]) else self.empty_content
                sent.update(_reasoning(message.additional_kwargs) if self.return_reasoning else {})
                extras = message.additional_kwargs.get(_EXTRA) or {}
                for call in sent["tool_calls"]:
                    call.update({_EXTRA: extras[call["id"]]} if call["id"] in extras else {})
        return payload

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        body = response if isinstance(response, dict) else _body(response)
        if error := body.get("error"):
            raise BodyError(error if isinstance(error, str | Mapping) else body)
        choice = one_choice(body.get("choices"))
        result = super()._create_chat_result({**body, "choices": [choice]}, generation_info)
        message = result.generations[0].message
        message.additional_kwargs |= _reasoning(choice["message"]) | _extras(choice["message"]["tool_calls"])
        beside = {name: choice[name] for name in ("error", "native_finish_reason") if choice.get(name)}
        message.response_metadata |= beside
        return result


def _as_it_is(message: BaseMessage) -> dict[str, Any] | None:
    """Return a user message of texts and images in the form that is sent; None for any other message.

    The adapter looks up the types of other kinds of content for every block, a third of a millisecond each.
    """
    if type(message) is not HumanMessage or message.name or message.additional_kwargs:
        return None
    blocks = message.content if isinstance(message.content, list) else []
    usual = (isinstance(one, dict) and one.get("type") in _AS_THEY_ARE and "extras" not in one for one in blocks)
    return {"content": list(blocks), "role": "user"} if blocks and all(usual) else None


def _one_text(content: Any) -> Any:
    """Return the content of a text-only reply as one text: many servers accept no parts in a model's message."""
    if not isinstance(content, list) or not all(part.get("type") == "text" for part in content):
        return content
    return "".join(part["text"] for part in content)


def _says(content: Any) -> bool:
    return bool(content.strip() if isinstance(content, str) else content)


def _body(response: Any) -> dict[str, Any]:
    """Return the JSON object of a reply; raises KnownFault for a text, such as a gateway's error page."""
    if not isinstance(response, openai.BaseModel):
        raise KnownFault(
            Fault(Outcome.BAD_REPLY, f"the reply is not a JSON object: {str(response)[:200]!r}", retryable=True)
        )
    return response.model_dump(warnings=False)


def _raised(error: ValueError) -> Exception:
    said = error.args[0] if error.args else None
    if isinstance(said, openai.BaseModel):
        said = said.model_dump(warnings=False)
    return BodyError(said) if isinstance(said, Mapping) else error


def _reasoning(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in REASONING if fields.get(name)}


def _extras(calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields of tool calls that OpenAI's interface does not define, by the id of the call; else empty.

    They are sent back with the next request: Gemini behind this interface refuses calls without its signatures.
    """
    extras = {call["id"]: call[_EXTRA] for call in calls if call[_EXTRA]}
    return {_EXTRA: extras} if extras else {}
