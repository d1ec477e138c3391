"""Chat completions by a thin path: each kind of request is prepared once, by the SDK's own method.

The SDK converts every value of a request by its declared type, and of a reply every field, each time: more work than
all else around a request, and nothing in what the adapter wrote is changed by it. Here the SDK's method makes a request
of each kind once, without sending it; what is sent is that with the messages and tools as the adapter wrote them, by
the SDK's client, whose headers, errors and timeouts stay. A reply of the usual shape is read as plain JSON, any other
by the SDK.

Contract: the bytes on the wire and what the adapter reads are those of the ordinary method
(``tests/agent/providers/test_thin.py``).
"""

import json
from typing import Any, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.utils.uuid import uuid7
from openai import AsyncOpenAI
from openai.resources.chat import AsyncCompletions
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from pydantic import BaseModel

__all__ = ["ThinCompletions", "thin"]

Json = dict[str, Any]
_GATEWAY = "lc_gateway_metadata"
"""What LangChain keeps out of a reply's metadata."""
_DETAILS = {"completion_tokens_details": CompletionTokensDetails, "prompt_tokens_details": PromptTokensDetails}


class ThinCompletions:
    """Stands where the adapter asks ``chat.completions`` of the SDK's client."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client
        self._prepared: dict[str, tuple[str, Json]] = {}

    @property
    def with_raw_response(self) -> Self:
        """Itself: it always returns the reply as it came."""
        return self

    async def create(self, *, messages: list[Json], tools: list[Json] | None = None, **settings: Any) -> "_Reply":
        """Ask once; raises what the SDK raises."""
        kind = json.dumps([settings, tools is not None], default=repr)
        if kind not in self._prepared:
            empty: Json = {"messages": []} if tools is None else {"messages": [], "tools": []}
            self._prepared[kind] = await _prepared(**empty, **settings)
        path, request = self._prepared[kind]
        own: Json = {"messages": messages} if tools is None else {"messages": messages, "tools": tools}
        return _Reply(await self._client.post(path, **{**request, "body": {**request["body"], **own}}))


def thin(model: Runnable[LanguageModelInput, AIMessage]) -> Runnable[LanguageModelInput, AIMessage]:
    """Return an adapter's model, or one with settings bound to it, asked without LangChain's callbacks."""
    if isinstance(model, RunnableBinding) and isinstance(model.bound, BaseChatModel):
        return Thin(model.bound, dict(model.kwargs))
    return Thin(model, {}) if isinstance(model, BaseChatModel) else model


class Thin(Runnable[LanguageModelInput, AIMessage]):
    """A model with its settings of a call. The callbacks that LangChain calls around each are none here."""

    def __init__(self, model: BaseChatModel, settings: Json) -> None:
        self._model = model
        self._settings = settings

    def bind(self, **kwargs: Any) -> "Thin":
        """Return it with further settings."""
        return Thin(self._model, {**self._settings, **kwargs})

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:  # noqa: A002 - LangChain's name
        """Raise NotImplementedError: models are asked by ``ainvoke``."""
        raise NotImplementedError

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> AIMessage:
        """Return the reply, with the id and the metadata that LangChain gives it."""
        messages = self._model._convert_input(input).to_messages()
        result = await self._model._agenerate(messages, **self._settings, **kwargs)
        (generation,) = result.generations
        message = generation.message
        assert isinstance(message, AIMessage)  # noqa: S101 - for the type checker
        if message.id is None:
            message.id = f"lc_run--{uuid7()}-0"
        told = {name: value for name, value in (generation.generation_info or {}).items() if name != _GATEWAY}
        message.response_metadata = {**(result.llm_output or {}), **told, **message.response_metadata}
        return message


class _Recorder:
    """Takes the place of the SDK's client where a request is only prepared."""

    def __init__(self) -> None:
        self.get = self.patch = self.put = self.delete = self.get_api_list = None
        self.request: tuple[str, Json] | None = None

    async def post(self, path: str, **request: Any) -> None:
        """Keep what would be sent."""
        self.request = path, request


async def _prepared(**payload: Any) -> tuple[str, Json]:
    """Return the path and the arguments of a request as the SDK's own method makes them of *payload*."""
    recorder: Any = _Recorder()
    await AsyncCompletions(recorder).with_raw_response.create(**payload)
    path, request = recorder.request
    return path, request


class _Reply:
    """A reply as it came, which the adapter asks for its content."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.headers = raw.headers
        self.http_response = raw.http_response

    def parse(self) -> Any:
        """Return the JSON object of a reply of the usual shape as the SDK's model would give it, else that model."""
        return _usual(self.http_response) or self._raw.parse()


def _usual(response: Any) -> Json | None:
    """Return the object, with every field the SDK knows; None where anything about it is unusual."""
    if response.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        body = json.loads(response.content)
        choices = [_choice(choice) for choice in body["choices"]]
        apart = {"choices": choices, "usage": _usage(body.get("usage"))}
        return _filled(ChatCompletion, body, *apart) | apart
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _choice(choice: Json) -> Json:
    message = choice["message"]
    calls = message.get("tool_calls") or ()
    if any(one["type"] != "function" or not isinstance(one["function"], dict) for one in calls):
        raise TypeError("calls of another form")
    return _filled(Choice, choice, "message") | {"message": _filled(ChatCompletionMessage, message, "tool_calls")}


def _usage(usage: Any) -> Any:
    if usage is None:
        return None
    details = {name: _filled(kind, usage[name]) for name, kind in _DETAILS.items() if usage.get(name) is not None}
    return _filled(CompletionUsage, usage, *_DETAILS) | details


def _filled(kind: type[BaseModel], value: Json, *apart: str) -> Json:
    """Return *value* with every field of *kind*.

    Raises KeyError where a required one is not there, and TypeError where one holds more than a plain value, but for
    those *apart*.
    """
    known = {
        name: value[name] if field.is_required() else value.get(name, field.default)
        for name, field in kind.model_fields.items()
    }
    if any(isinstance(held, dict | list) and held for name, held in known.items() if name not in apart):
        raise TypeError("a field of another form")
    return {**known, **value}
