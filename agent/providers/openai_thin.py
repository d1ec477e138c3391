"""Chat completions with little overhead: the SDK's client prepares a request of each kind only once.

The SDK converts every value of a request by its declared type, builds its headers and its URL, and converts every field
of a reply, each time. That is more work than all else around a request, and changes nothing that the adapter wrote.
Here the SDK builds a request of each kind once, without messages and without sending it. What is sent is a copy of that
with the messages and tools as the adapter wrote them, by the same HTTP client. A reply of the usual shape is read as
plain JSON. Any other reply, an error or another shape, is given to the SDK's own method as the answer to the same
request (``replay.py``): the SDK's errors and conversions stay, and nothing is sent twice.

Contract: the bytes on the wire and what the adapter reads are those of the ordinary method
(``tests/agent/providers/test_thin.py``).
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx2
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.utils.uuid import uuid7
from openai import AsyncOpenAI
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from pydantic import BaseModel

from medvision_agent.agent.providers.replay import Came

__all__ = ["ThinCompletions", "UnusualReply", "thin"]

Json = dict[str, Any]
_GATEWAY = "lc_gateway_metadata"
"""Key that LangChain leaves out of a reply's metadata."""
_DETAILS = {"completion_tokens_details": CompletionTokensDetails, "prompt_tokens_details": PromptTokensDetails}


class UnusualReply(Exception):  # noqa: N818 - it carries a reply
    """Raised for a reply that has to be read by the SDK's own method; ``came`` holds the reply."""

    def __init__(self, came: Came) -> None:
        super().__init__()
        self.came = came


class ThinCompletions:
    """A sender of chat completions requests for the adapter, with the settings and the HTTP client of the SDK."""

    def __init__(self, client: AsyncOpenAI, http: httpx2.AsyncClient) -> None:
        self._client, self._http = client, http
        self._patterns: dict[str, _Pattern | None] = {}
        self._making = asyncio.Lock()

    async def create(self, *, messages: list[Json], tools: list[Json] | None = None, **settings: Any) -> Json | None:
        """Send one request and return the JSON object of a usual reply, with every field that the SDK knows.

        Returns None, without sending, if the SDK's own method would send something else, such as a cookie. Raises
        UnusualReply for any other reply.
        """
        kind = json.dumps([settings, tools is not None], default=repr)
        own: Json = {"messages": messages} if tools is None else {"messages": messages, "tools": tools}
        if kind not in self._patterns:
            async with self._making:
                if kind not in self._patterns:  # not yet made by another task that waited here
                    self._patterns[kind] = await self._pattern(list(own), settings)
        pattern = self._patterns[kind]
        if pattern is None or self._http.cookies:
            return None
        try:
            response = await self._http.send(pattern.request(own))
        except Exception as error:  # noqa: BLE001 - raised by the SDK's own method, as what it is there
            raise UnusualReply(error) from None
        if response.status_code != 200 or (body := _usual(response)) is None:
            raise UnusualReply(response)
        return body

    async def _pattern(self, names: list[str], settings: Json) -> "_Pattern | None":
        """Return the request that the SDK builds from *settings*, with an empty list for each of *names*.

        None if the SDK builds no request, or writes JSON differently than this module.
        """
        empty: Json = {name: [] for name in names}
        async with _Catcher(headers=self._http.headers, transport=httpx2.AsyncBaseTransport()) as catcher:
            completions = self._client.with_options(http_client=catcher).chat.completions
            with suppress(Exception):  # the SDK's own method raises it again where it matters
                await completions.with_raw_response.create(**empty, **settings)
        if catcher.caught is None:
            return None
        pattern = _Pattern(catcher.caught)
        return pattern if pattern.request(empty).content == catcher.caught.content else None


class _Catcher(httpx2.AsyncClient):
    """An HTTP client that catches the request an SDK builds instead of sending it."""

    caught: httpx2.Request | None = None

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Store the request that would be sent, and raise NotImplementedError."""
        self.caught = request
        raise NotImplementedError


class _Pattern:
    """A prepared request, from which requests with other bodies are made."""

    def __init__(self, request: httpx2.Request) -> None:
        self._request = request
        self._body: Json = json.loads(request.content)

    def request(self, own: Json) -> httpx2.Request:
        """Return a copy of the request with the values *own* in its body, written as the SDK writes JSON."""
        body = {**self._body, **own}
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        like, headers = self._request, self._request.headers.copy()
        headers["Content-Length"] = str(len(content))
        return httpx2.Request(like.method, like.url, headers=headers, content=content, extensions=like.extensions)


def thin(model: Runnable[LanguageModelInput, AIMessage]) -> Runnable[LanguageModelInput, AIMessage]:
    """Return an adapter's model, with its bound settings if any, that is called without LangChain's callbacks.

    A *model* of any other type is returned unchanged.
    """
    if isinstance(model, RunnableBinding) and isinstance(model.bound, BaseChatModel):
        return Thin(model.bound, dict(model.kwargs))
    return Thin(model, {}) if isinstance(model, BaseChatModel) else model


class Thin(Runnable[LanguageModelInput, AIMessage]):
    """A model with its call settings, called without the callbacks that LangChain runs around each call."""

    def __init__(self, model: BaseChatModel, settings: Json) -> None:
        self._model = model
        self._settings = settings

    def bind(self, **kwargs: Any) -> "Thin":
        """Return the model with further settings."""
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
        """Return the reply, with the id and the metadata that LangChain adds."""
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


def _usual(response: Any) -> Json | None:
    """Return the reply's JSON object with every field that the SDK knows; None if the reply is unusual."""
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
    """Return *value* with every field of *kind*; fields that it lacks get their defaults.

    Raises KeyError if a required field is missing, and TypeError if a field holds more than a plain value, except those
    *apart*.
    """
    known = {
        name: value[name] if field.is_required() else value.get(name, field.default)
        for name, field in kind.model_fields.items()
    }
    if any(isinstance(held, dict | list) and held for name, held in known.items() if name not in apart):
        raise TypeError("a field of another form")
    return {**known, **value}
