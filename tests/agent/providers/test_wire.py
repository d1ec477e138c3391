"""What is sent: settings, schemas, message order, pictures; and nothing in the environment moves it elsewhere."""

import asyncio
import logging
from enum import StrEnum
from typing import Any

import aiohttp
import pytest
from fake.replies import calls, text
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import Field

from medvision_agent.agent.providers.factory import open_model
from medvision_agent.tools.base import Arguments, Output, Tool
from medvision_agent.tools.pixel_spacing import pixel_spacing
from medvision_agent.tools.view.views import ViewSet

PNG = bytes(range(256))


class Way(StrEnum):
    """Two ways."""

    ACROSS = "across"
    DOWN = "down"


class ProbeArguments(Arguments):
    """Where to probe."""

    way: Way = Field(default=Way.ACROSS, description="Direction of the probe")
    x: float | None = Field(default=None, ge=0, le=1, description="0..1, or null for the middle")
    depth: float = Field(description="Depth in millimetres")


def _never(views: ViewSet, arguments: Any) -> Output:
    raise AssertionError


PROBE = Tool("probe", "Probe the picture.", ProbeArguments, _never)
TOOLS = [pixel_spacing.schema(), PROBE.schema()]


async def test_settings_on_the_wire_gemini(gemini):
    gemini.server.script([text("a"), text("b"), text("c")])
    async with open_model(gemini.config(max_output_tokens=512, seed=7), environ=gemini.environ) as chat:
        await gemini.call(chat, [HumanMessage("q")])
        await gemini.call(chat, [HumanMessage("q")], TOOLS)
        await gemini.call(chat, [HumanMessage("q")], TOOLS, "none")
    plain, auto, none = (request.body for request in gemini.requests)
    for body in (plain, auto, none):
        settings = body["generationConfig"]
        assert settings["mediaResolution"] == "MEDIA_RESOLUTION_HIGH"
        assert settings["thinkingConfig"] == {"thinking_budget": -1}
        assert (settings["maxOutputTokens"], settings["seed"]) == (512, 7)
        assert not {"temperature", "topP", "topK"} & set(settings)
    assert "tools" not in plain
    assert auto["toolConfig"]["functionCallingConfig"]["mode"] == "AUTO"
    assert none["toolConfig"]["functionCallingConfig"]["mode"] == "NONE"
    assert none["tools"] == auto["tools"]


async def test_settings_given_are_sent_gemini(gemini):
    await gemini.turn(text("a"), temperature=0, top_p=0.5, thinking_budget=None, media_resolution=None)
    settings = gemini.requests[0].body["generationConfig"]
    assert settings == {"candidateCount": 1, "temperature": 0, "topP": 0.5}


async def test_thinking_level_gemini_3(gemini):
    await gemini.turn(text("a"), model="gemini-3-pro", thinking_budget=None, thinking_level="low")
    settings = gemini.requests[0].body["generationConfig"]
    assert [value.upper() for value in settings["thinkingConfig"].values()] == ["LOW"]
    assert "temperature" not in settings


@pytest.mark.parametrize("wire", ["chat", "responses"])
async def test_settings_on_the_wire_openai(wire, chat_completions, responses):
    provider = {"chat": chat_completions, "responses": responses}[wire]
    provider.server.script([text("a"), text("b"), text("c")])
    settings = {"max_output_tokens": 512, "reasoning_effort": "high"}
    async with open_model(provider.config(**settings), environ=provider.environ) as chat:
        await provider.call(chat, [HumanMessage("q")])
        await provider.call(chat, [HumanMessage("q")], TOOLS)
        await provider.call(chat, [HumanMessage("q")], TOOLS, "none")
    plain, auto, none = (request.body for request in provider.requests)
    for request in provider.requests:
        assert request.wire == wire
        assert not {"temperature", "top_p", "seed"} & set(request.body)
        if wire == "chat":
            assert request.body["max_completion_tokens"] == 512
            assert request.body["reasoning_effort"] == "high"
        else:
            assert request.body["max_output_tokens"] == 512
            assert request.body["reasoning"] == {"effort": "high"}
            assert request.body["store"] is False
    assert "tools" not in plain
    assert (auto["tool_choice"], none["tool_choice"]) == ("auto", "none")
    assert none["tools"] == auto["tools"]


async def test_bare_request_openai(chat_completions):
    await chat_completions.turn(text("a"))
    assert set(chat_completions.requests[0].body) == {"model", "stream", "messages"}


async def test_an_older_server_gets_its_name_of_the_limit_and_fields_of_its_own(chat_completions):
    settings = {"max_output_tokens": 99, "output_limit_key": "max_tokens", "extra_body": {"top_k": 5}}
    await chat_completions.turn(text("a"), **settings)
    body = chat_completions.requests[0].body
    assert (body["max_tokens"], body["top_k"]) == (99, 5)
    assert "max_completion_tokens" not in body


async def test_a_server_without_tool_choice_none_gets_no_tools_in_the_last_call(provider):
    provider.server.script([text("a")])
    async with open_model(provider.config(tool_choice_none=False), environ=provider.environ) as chat:
        await provider.call(chat, [HumanMessage("q")], TOOLS, "none")
    assert not {"tools", "tool_choice", "toolConfig"} & set(provider.requests[0].body)


async def test_tool_schemas_arrive_intact_openai(chat_completions, responses):
    for provider in (chat_completions, responses):
        provider.server.script([text("a")])
        async with open_model(provider.config(), environ=provider.environ) as chat:
            await provider.call(chat, [HumanMessage("q")], TOOLS)
    sent = [tool["function"] for tool in provider.requests[0].body["tools"]]
    assert sent == [tool["function"] for tool in TOOLS]
    flat = provider.requests[1].body["tools"]
    # Not strict: strict mode would make every argument required.
    assert flat == [{"type": "function", "strict": False, **tool["function"]} for tool in TOOLS]


async def test_tool_schemas_arrive_gemini(gemini, monkeypatch, capsys):
    monkeypatch.setattr(logging.root, "handlers", [])  # as in a process that has not set up logging
    gemini.server.script([text("a")])
    async with open_model(gemini.config(), environ=gemini.environ) as chat:
        await gemini.call(chat, [HumanMessage("q")], TOOLS)
    (group,) = gemini.requests[0].body["tools"]
    spacing, probe = group["functionDeclarations"]
    assert spacing["name"] == "pixel_spacing"
    assert spacing["description"] == pixel_spacing.description
    assert spacing["parameters"]["properties"]["view"] == {
        "type": "STRING",
        "description": "Id of the view (v0 if left out): v0 is the whole image, crops are v1, v2, ...",
    }
    parameters = probe["parameters"]
    assert parameters["required"] == ["depth"]
    way, x, depth = (parameters["properties"][name] for name in ("way", "x", "depth"))
    assert (way["type"], way["enum"], way["description"]) == ("STRING", ["across", "down"], "Direction of the probe")
    assert (x["type"], x["nullable"], x["description"]) == ("NUMBER", True, "0..1, or null for the middle")
    assert depth == {"type": "NUMBER", "description": "Depth in millimetres"}
    assert capsys.readouterr().err == "", "one line of log per tool and request drowns everything else"


async def test_a_conversation_with_tools_and_pictures(provider):
    """Tool messages in call order, then one user message with text and pictures; valid for every interface."""
    wanted = [("pixel_spacing", {"view": "v0"}), ("pixel_spacing", {"view": "v1"}), ("probe", {"depth": 2.5})]
    provider.server.script([calls(*wanted, texts=("Let me look.",)), text("<answer>1.5</answer>")])
    async with open_model(provider.config(), environ=provider.environ) as chat:
        question = HumanMessage([chat.picture_block(PNG), {"type": "text", "text": "How wide?"}])
        messages: list[BaseMessage] = [SystemMessage("You measure."), question]
        said, turn = await provider.call(chat, messages, TOOLS)
        assert [(call["name"], call["args"]) for call in turn.tool_calls] == wanted
        replies = [
            ToolMessage(f"result {number}", tool_call_id=call["id"], name=call["name"])
            for number, call in enumerate(turn.tool_calls)
        ]
        pictures = HumanMessage([{"type": "text", "text": "[image 2]"}, chat.picture_block(PNG[::-1])])
        _, last = await provider.call(chat, [*messages, said, *replies, pictures], TOOLS)
    assert last.text == "<answer>1.5</answer>"
    first, second = provider.requests
    assert first.pictures == [PNG]
    assert second.pictures == [PNG, PNG[::-1]]
    opening, closing = "user:picture text", "user:text picture"
    results = ["result 0", "result 1", "result 2"]
    assert (
        _outline(provider.wire, second.body)
        == {
            "gemini": [opening, "model:text call call call", f"user:{' '.join(results)}", closing],
            "chat": ["system", opening, "assistant", *(f"tool:{result}" for result in results), closing],
            "responses": ["system", opening, "reasoning", "assistant", *["call"] * 3, *results, closing],
        }[provider.wire]
    )
    if provider.wire == "responses":
        kept = next(item for item in second.body["input"] if item.get("type") == "reasoning")
        assert kept["encrypted_content"] == "c2VjcmV0"
    if provider.wire != "gemini":
        assert str(second.body).count("'detail': 'high'") == 2


def _outline(wire: str, body: dict[str, Any]) -> list[str]:
    """Say in short words who said what kind of thing in which order."""
    if wire == "gemini":
        return [f"{turn['role']}:{' '.join(map(_part, turn['parts']))}" for turn in body["contents"]]
    items = body["messages"] if wire == "chat" else body["input"]
    return [_item(item) for item in items]


def _part(part: dict[str, Any]) -> str:
    if "functionResponse" in part:
        return str(part["functionResponse"]["response"]["output"])
    return next(
        word for key, word in {"inlineData": "picture", "functionCall": "call", "text": "text"}.items() if key in part
    )


def _item(item: dict[str, Any]) -> str:
    match item.get("role") or item["type"]:
        case "user":
            words = {"image_url": "picture", "input_image": "picture", "text": "text", "input_text": "text"}
            return f"user:{' '.join(words[block['type']] for block in item['content'])}"
        case "tool":
            return f"tool:{item['content']}"
        case "function_call":
            return "call"
        case "function_call_output":
            return str(item["output"])
        case other:
            return str(other)


async def test_the_environment_does_not_redirect_requests(provider, monkeypatch):
    for name in (
        "OPENAI_BASE_URL", "OPENAI_API_BASE", "GOOGLE_GEMINI_BASE_URL", "LANGSMITH_GATEWAY", "LANGSMITH_ENDPOINT",
    ):  # fmt: skip
        monkeypatch.setenv(name, "http://127.0.0.1:9/elsewhere")
    monkeypatch.setenv("OPENAI_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("LANGSMITH_GATEWAY_API_KEY", "gateway-key")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "tracing-key")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "elsewhere")
    turn = await provider.turn(text("here"), max_tries=1)
    assert turn.text == "here"
    (request,) = provider.requests
    assert "gateway-key" not in str(request.headers)


async def test_installed_aiohttp_is_not_used(provider, monkeypatch):
    async def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("aiohttp was used")

    monkeypatch.setattr(aiohttp.ClientSession, "_request", refuse)
    assert (await provider.turn(text("a"), max_tries=1)).text == "a"


async def test_one_pool_with_a_bound(provider):
    """Eight at once through two connections: all answered, none of them refused by the pool."""
    provider.server.script([text("a")], by_turn=True)
    async with asyncio.timeout(20), open_model(provider.config(max_connections=2), environ=provider.environ) as chat:
        turns = await asyncio.gather(*(provider.call(chat, [HumanMessage("q")]) for _ in range(8)))
    assert [turn.text for _, turn in turns] == ["a"] * 8
    assert provider.server.connections <= 2
    assert not provider.faults
