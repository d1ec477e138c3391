"""The thin path of chat completions: the same bytes on the wire, and the same reading, as by the ordinary method."""

import asyncio
import re
from typing import Any

import pytest
from fake.replies import calls, error, raw, refusal, text
from fake.servers import call, chat
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, InvalidToolCall, SystemMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers import openai_model
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.providers.gemini.model import GeminiModel
from medvision_agent.agent.providers.openai_thin import Thin
from medvision_agent.agent.retry import RequestFailed, call_model
from medvision_agent.errors import ProviderError

PNG = bytes(range(256))
TOOLS = Condition.parse("on").schemas()
RULER = {"name": "ruler", "args": {"view": "v0", "x0": 0.25, "note": 'é "\u2028\U0001f600'}, "id": "a1"}
BLOCKS: list[str | dict[str, Any]] = [{"type": "text", "text": "Let"}, {"type": "text", "text": " me see."}]


def conversation(picture: Any) -> list[BaseMessage]:
    """Return messages of every kind of content that the agent sends."""
    extras = {"reasoning_content": "I think.", "extra_content": {"a1": {"google": {"thought_signature": "s"}}}}
    broken = InvalidToolCall(name="ruler", args='{"view": ', id="a2", error=None, type="invalid_tool_call")
    return [
        SystemMessage("You measure."),
        HumanMessage([picture(PNG), {"type": "text", "text": "How wide? µ"}]),
        AIMessage("", tool_calls=[RULER], additional_kwargs=extras),
        ToolMessage('{"distance_mm": 1.5}', tool_call_id="a1", name="ruler"),
        HumanMessage([{"type": "text", "text": "Tool output"}, picture(PNG[::-1])]),
        AIMessage(BLOCKS, tool_calls=[{**RULER, "id": "a3"}], invalid_tool_calls=[broken]),
        ToolMessage([{"type": "text", "text": "inside"}, picture(PNG)], tool_call_id="a3", status="error"),
        ToolMessage("Error: unreadable", tool_call_id="a2", name="ruler", status="error"),
        AIMessage(BLOCKS),
        HumanMessage("Reply now."),
        HumanMessage(["a text ", {"type": "text", "text": "and more", "extras": {"index": 1}}]),
        AIMessage("12.5"),
        HumanMessage([{"type": "text", "text": "Check."}], name="user1"),
    ]


async def both(provider, monkeypatch, reply, *, tools=TOOLS, choice="auto", more=None, most=None, **settings):
    """Return what the thin path and the ordinary one sent and read, in this order."""
    provider.server.behave(lambda request: reply)
    said = []
    async with open_model(provider.config(**settings), environ=provider.environ) as model:
        thin = model.bind(tools, choice).bind(**(more or {}))
        assert isinstance(thin, Thin)
        messages = conversation(model.picture_block)[:most]
        for way in ("thin", "thin", "ordinary"):  # the second request is prepared already
            runnable = thin if way == "thin" else _ordinary(model, monkeypatch, tools, choice, more or {})
            try:
                said.append((await call_model(runnable, messages, config=model.config, read=model.read)).message)
            except (RequestFailed, ProviderError) as failure:
                said.append(failure)
    return provider.requests, said


def _ordinary(model, monkeypatch, tools, choice, more):
    """Return the adapter's own model, with the SDK's own method, and settings bound as LangChain does."""
    monkeypatch.setattr(openai_model, "_as_it_is", lambda message: None)
    bound = Chat.bind(model, tools, choice).bind(**more)
    model.model.thin = None
    return bound


@pytest.mark.parametrize(
    ("settings", "bound"),
    [
        ({}, {}),
        ({}, {"choice": "none"}),
        ({}, {"tools": []}),
        ({"model": "o3"}, {}),
        ({"max_output_tokens": 99, "output_limit_key": "max_tokens", "extra_body": {"top_k": 5}}, {}),
        ({"max_output_tokens": 512, "reasoning_effort": "high", "seed": 3, "temperature": 0.5, "top_p": 0.9}, {}),
        ({"empty_content": "empty", "return_reasoning": False}, {"more": {"max_completion_tokens": 16}}),
        ({"extra_body": {"chat_template_kwargs": {"thinking": True}}}, {"more": {"extra_body": {"max_tokens": 16}}}),
    ],
)
async def test_the_same_bytes_and_headers_are_sent(chat_completions, monkeypatch, settings, bound):
    requests, _ = await both(chat_completions, monkeypatch, text("a"), **bound, **settings)
    first, second, ordinary = requests
    assert len(ordinary.pictures) == 3
    assert first.content == second.content == ordinary.content
    assert first.path == ordinary.path
    assert first.headers == second.headers == ordinary.headers


REPLIES = {
    "text": text("<answer>1</answer>"),
    "no usage": text("a", usage=None),
    "calls": calls(("ruler", {"view": "v0"}), ("crop", "[1]"), texts=("so",)),
    "refusal": refusal("no"),
    "length": text("a", finish="length"),
    "reasoning": chat({"content": "a", "reasoning_content": "why", "annotations": [], "audio": None}),
    "annotated": chat({"content": "a", "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
    "parts": chat({"content": [{"type": "text", "text": "a"}]}),
    "log probabilities": chat({"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -1.0, "bytes": None}]}),
    "an old call": chat({"content": None, "function_call": {"name": "ruler", "arguments": "{}"}}, "function_call"),
    "a custom call": chat({"content": None, "tool_calls": [{"type": "custom", "custom": {"name": "ruler"}}]}),
    "a call without its type": chat({"content": "", "tool_calls": [{"id": "1", "function": {"name": "ruler"}}]}),
    "signature": chat({"content": None, "tool_calls": [call(id="a1", extra_content={"google": {"s": "x"}})]}),
    "native finish": chat({"content": "a"}, native_finish_reason="stop", provider="p"),
    "error beside": chat({"content": "a"}, "error", error={"message": "broken", "code": 502}),
    "no finish": chat({"content": "a"}, None),
    "bare": raw({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}),
    "no choices": raw({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": None}),
    "null": raw(b"null"),
    "half": raw(b'{"choices": ['),
    "page": raw(b"<html>", content_type="text/html"),
    "plain text": raw({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}, content_type="text/plain"),
    "problem": raw({"choices": []}, content_type="application/problem+json"),
    "refused": error(400, "no"),
    "too long": error(400, "prompt is too long", code="context_length_exceeded"),
    "busy": error(429),
    "gone": error(404),
}


FAILURES = {
    *("error beside", "no finish", "no choices", "null", "half", "page", "problem"),
    *("refused", "too long", "busy", "gone"),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_the_same_is_read(chat_completions, monkeypatch, name):
    requests, (first, second, ordinary) = await both(chat_completions, monkeypatch, REPLIES[name], most=5, max_tries=1)
    assert len(requests) == 3  # what is unusual is read by the SDK, and not sent twice
    if name in FAILURES:
        assert str(first) == str(second) == str(ordinary)
        faults = {one.fault for one in (first, second, ordinary) if isinstance(one, RequestFailed)}
        assert len(faults) == (name != "gone")  # which ends the run
        assert Outcome.INTERNAL not in {fault.outcome for fault in faults}
        return
    kept = [_unnumbered(message.model_dump(exclude={"id"})) for message in (first, second, ordinary)]
    assert kept[0] == kept[1] == kept[2]
    assert [message.id.partition("--")[0] for message in (first, ordinary)] == ["lc_run"] * 2


async def test_of_many_requests_at_once_each_gets_its_own_reply(chat_completions):
    def reply(request):
        number = request.body["messages"][0]["content"]
        kinds = text(number), error(400, number), chat({"content": [{"type": "text", "text": number}]})
        large = chat({"content": number, "annotations": [{"type": "a"}] * 2000})
        return (*kinds, calls(("ruler", {"view": number})), large)[int(number) % 5]

    chat_completions.server.behave(reply)
    async with open_model(chat_completions.config(), environ=chat_completions.environ) as model:
        bound = [model.bind(TOOLS, "auto"), model.bind([], "auto"), model.bind(TOOLS, "none")]

        async def ask(number):
            runnable = bound[number % 3]
            try:
                said = await call_model(
                    runnable, [HumanMessage(str(number))], config=model.config, read=model.read, on_fault=print
                )
            except RequestFailed as failure:
                return failure.fault.detail
            one = said.message
            return one.tool_calls[0]["args"]["view"] if one.tool_calls else one.text

        found = await asyncio.gather(*map(ask, range(60)))
    for number, one in enumerate(found):
        assert re.findall(r"\d+", one.replace("400", ""))[:1] == [str(number)], one
    sent = sorted(int(request.body["messages"][0]["content"]) for request in chat_completions.requests)
    assert sent == list(range(60))


async def test_cookies_go_back_as_by_the_ordinary_method(chat_completions, monkeypatch):
    reply = {**chat({"content": "a"}), "headers": {"Set-Cookie": "session=1"}}
    (first, second, ordinary), _ = await both(chat_completions, monkeypatch, reply, most=5)
    assert "cookie" not in first.headers
    assert second.headers == ordinary.headers
    assert second.headers["cookie"] == "session=1"


@pytest.mark.parametrize("name", ["text", "calls", "refusal", "length", "refused", "busy"])
async def test_responses_are_asked_and_read_as_by_langchains_binding(responses, monkeypatch, name):
    requests, (first, _, ordinary) = await both(responses, monkeypatch, REPLIES[name], most=5, max_tries=1)
    assert requests[0].content == requests[2].content
    assert requests[0].headers == requests[2].headers
    if isinstance(ordinary, RequestFailed):
        assert first.fault == ordinary.fault
        return
    # The server numbers what it says: only that differs.
    assert _unnumbered(first.model_dump(exclude={"id"})) == _unnumbered(ordinary.model_dump(exclude={"id"}))


def _unnumbered(value: Any) -> str:
    return re.sub(r"(resp|rs|msg|fc|call)_\d+", r"\1", repr(value))


@pytest.mark.parametrize("choice", ["auto", "none"])
async def test_gemini_is_sent_the_same_bytes_with_tools_that_were_kept(gemini, monkeypatch, choice):
    gemini.server.behave(lambda request: text("a"))
    async with open_model(gemini.config(), environ=gemini.environ) as model:
        messages = conversation(model.picture_block)[:5]
        for tools in (TOOLS, TOOLS, TOOLS[:3], TOOLS):
            await call_model(model.bind(tools, choice), messages, config=model.config, read=model.read)
        monkeypatch.setattr(GeminiModel, "_format_tools", ChatGoogleGenerativeAI._format_tools)
        for tools in (TOOLS, TOOLS[:3]):
            await call_model(model.bind(tools, choice), messages, config=model.config, read=model.read)
    first, second, few, again, ordinary, few_ordinary = (request.content for request in gemini.requests)
    assert first == second == again == ordinary
    assert few == few_ordinary != first
    assert gemini.requests[1].headers == gemini.requests[4].headers
