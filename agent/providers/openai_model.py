"""LangChain's OpenAI adapter for servers that speak chat completions with fields of their own.

The adapter drops what OpenAI's interface does not have: reasoning, an error beside a choice, calls in the old form.
Here they are kept, and reasoning goes back in the field in which it came, with the turns that called tools.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.openai_repair import as_written
from medvision_agent.agent.wire.failures import Fault, KnownFault
from medvision_agent.agent.wire.reading import BodyError

__all__ = ["REASONING", "CompatibleChat"]

REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks")
"""Fields of a message in which servers put thoughts: DeepSeek, vLLM and llama.cpp, OpenRouter, Ollama, LiteLLM."""


class CompatibleChat(ChatOpenAI):
    """ChatOpenAI, for every server that speaks OpenAI's interfaces."""

    return_reasoning: bool = True
    """Send reasoning back with the turns that called tools."""
    empty_content: str | None = None
    """Stands for the text of a turn that only called tools."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            result = await super()._agenerate(messages, stop, run_manager, **kwargs)
        except ValueError as error:
            # The adapter raises the error object of a response as the argument of a ValueError.
            raise _raised(error) from error
        for generation in result.generations:
            if isinstance(generation.message, AIMessage):
                as_written(generation.message)
        return result

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "messages" not in payload:
            return payload
        for sent, message in zip(payload["messages"], self._convert_input(input_).to_messages(), strict=True):
            if isinstance(message, AIMessage) and message.tool_calls:
                sent["content"] = sent["content"] if _says(sent["content"]) else self.empty_content
                sent.update(_reasoning(message.additional_kwargs) if self.return_reasoning else {})
        return payload

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        body = response if isinstance(response, dict) else _body(response)
        choices = list(_choices(body))
        result = super()._create_chat_result({**body, "choices": choices}, generation_info)
        for generation, choice in zip(result.generations, choices, strict=True):
            generation.message.additional_kwargs |= _reasoning(choice["message"])
            if choice.get("error"):
                generation.message.response_metadata["error"] = choice["error"]
        return result


def _says(content: Any) -> bool:
    return bool(content.strip() if isinstance(content, str) else content)


def _body(response: Any) -> dict[str, Any]:
    """Return the JSON object of a reply; the SDK passes on a text where there is none, such as a gateway's page."""
    if not isinstance(response, openai.BaseModel):
        raise KnownFault(
            Fault(Outcome.BAD_REPLY, f"the reply is no JSON object: {str(response)[:200]!r}", retryable=True)
        )
    return response.model_dump(warnings=False)


def _raised(error: ValueError) -> Exception:
    said = error.args[0] if error.args else None
    if isinstance(said, openai.BaseModel):
        said = said.model_dump(warnings=False)
    return BodyError(said) if isinstance(said, Mapping) else error


def _choices(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the choices of a reply as the adapter can read them; raises where the reply is an error, or has none."""
    if body.get("error"):
        raise BodyError(body["error"])
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise KnownFault(Fault(Outcome.BAD_REPLY, "the reply has no choices", retryable=True))
    for choice in choices:
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if not isinstance(message, Mapping):
            raise KnownFault(Fault(Outcome.BAD_REPLY, "the reply has a choice without a message", retryable=True))
        yield {**choice, "message": {**message, "role": "assistant", "tool_calls": list(_calls(message))}}


def _calls(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the calls of a message; one in the form before ``tool_calls`` is a call like any other."""
    calls: Sequence[Any] = message.get("tool_calls") or ()
    if not calls and isinstance(message.get("function_call"), Mapping):
        calls = [{"type": "function", "function": message["function_call"]}]
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            name, arguments = str(function.get("name") or ""), function.get("arguments")
            yield {
                "type": "function",
                "id": call.get("id") or "",
                "function": {"name": name, "arguments": arguments or ""},
            }


def _reasoning(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in REASONING if fields.get(name)}
