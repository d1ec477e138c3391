"""Models that call tools in text, through the real SDKs: what is on the wire, what comes back, limits and endings."""

import asyncio
import json

import numpy as np
import pytest
from fake.replies import calls, text

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.registry import grammar_named
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

KEYS = {"GEMINI_API_KEY": "a-test-key-of-google", "OPENAI_API_KEY": "a-test-key-of-openai"}
WIRES = ["gemini", "chat", "responses"]
ON, OFF = Condition.parse("on"), Condition.parse("off")
PIXELS = np.add.outer(np.arange(60), 2 * np.arange(80)).astype(np.uint8)
QUESTION = Question("distance", grey_slice(PIXELS, Spacing(1.0, 0.5)), "A slice.", None, ("tip", "base"))
CROP = '{"name": "crop", "arguments": {"view": "v0", "x0": 0, "y0": 0, "x1": 0.5, "y1": 0.5, "zoom": 2}}'
RULER = '{"name": "ruler", "arguments": {"view": "v1", "x0": 0, "y0": 0, "x1": 1, "y1": 0}}'
ANSWER = "<think>so</think><answer>20.0</answer>"


@pytest.fixture
def configured(request):
    """Return a function that makes the configuration of a model behind one of the interfaces."""
    fixtures = {"gemini": "gemini", "chat": "chat_completions", "responses": "responses"}

    def make(wire, **settings):
        return request.getfixturevalue(fixtures[wire]).config(**{"tool_calling": "text"} | settings)

    return make


async def ask(config, condition=ON, limits=None):
    async with asyncio.timeout(60), open_model(config, environ=KEYS) as chat:
        return await answer(QUESTION, condition, chat, limits or Limits())


def turns(wire, body):
    """Return who spoke, and the text of each turn but the system's."""
    if wire == "gemini":
        return [
            (
                turn["role"].replace("model", "assistant"),
                "|".join(part.get("text", "PICTURE") for part in turn["parts"]),
            )
            for turn in body["contents"]
        ]
    items = body["messages"] if wire == "chat" else body["input"]
    return [
        (item["role"], content if isinstance(content := item["content"], str) else "|".join(map(_block, content)))
        for item in items
        if item.get("role", "system") != "system"
    ]


def _block(block):
    return block.get("text", "PICTURE")


@pytest.mark.parametrize("wire", WIRES)
async def test_nothing_of_tools_is_on_the_wire_but_text_and_pictures(server, configured, wire):
    server.script([text(f"Look.\n```tool_call\n{CROP}\n```"), text(f"<tool_call>{RULER}</tool_call>"), text(ANSWER)])
    given = await ask(configured(wire))
    assert (given.outcome, given.response) == (Outcome.ANSWERED, ANSWER)
    assert [(call.tool, call.ok) for call in given.trace.tool_calls] == [("crop", True), ("ruler", True)]
    for request in server.requests:
        assert not {"tools", "tool_choice", "toolConfig", "functions"} & set(request.body)
        written = json.dumps(request.body)
        for word in ("functionCall", "functionResponse", "tool_calls", '"role": "tool"', "function_call_output"):
            assert word not in written.replace("Tool output", "")
    assert [len(request.pictures) for request in server.requests] == [1, 2, 3]
    said = turns(wire, server.requests[-1].body)
    assert [role for role, _ in said] == ["user", "assistant", "user", "assistant", "user"]
    assert said[1][1] == f"Look.\n```tool_call\n{CROP}\n```"
    assert said[3][1] == f"<tool_call>{RULER}</tool_call>"
    head, caption, picture = said[2][1].split("|")
    title, line = head.split("\n")
    assert (title, picture) == ("Tool output", "PICTURE")
    result = json.loads(line)
    assert (result["call"], result["name"], result["result"]["view"]) == (1, "crop", "v1")
    assert caption.startswith("[picture 2]")
    measured = json.loads(said[4][1].split("|")[0].split("\n")[1])
    assert measured["result"]["distance_mm"] == pytest.approx(20.0)


@pytest.mark.parametrize("wire", WIRES)
async def test_without_tools_the_setting_has_no_effect(server, configured, wire):
    server.script([text(f"{CROP} {ANSWER}")] * 2)
    for calling in ("text", "native"):
        given = await ask(configured(wire, tool_calling=calling), OFF)
        assert (given.outcome, given.response) == (Outcome.ANSWERED, f"{CROP} {ANSWER}")
    first, second = server.requests
    assert first.body == second.body


@pytest.mark.parametrize("wire", WIRES)
async def test_the_two_arms_differ_by_the_tool_paragraph_only(server, configured, wire):
    server.script([text(ANSWER)] * 2)
    off, on = await ask(configured(wire), OFF), await ask(configured(wire), ON)
    assert off.prompt_sha256 == on.prompt_sha256
    paragraph = on.trace.messages[0]["content"].removeprefix(off.trace.messages[0]["content"])
    assert "```tool_call" in paragraph
    for schema in ON.schemas():
        assert json.dumps(schema["function"], ensure_ascii=False) in paragraph.splitlines()
    without = json.dumps(server.requests[1].body).replace(json.dumps(paragraph)[1:-1], "")
    assert json.loads(without) == server.requests[0].body


async def test_results_are_numbered_as_the_calls_stand_in_the_text(server, configured):
    lines = [
        RULER.replace("v1", "v0"),
        '{"name": "ruler", "arguments": {"x0": 0,1}}',
        '{"name": "rulr", "arguments": {}}',
    ]
    server.script([text("```tool_call\n" + "\n".join(lines) + "\n```"), text(ANSWER)])
    given = await ask(configured("chat"))
    assert given.outcome is Outcome.ANSWERED
    first, second, third = map(json.loads, turns("chat", server.requests[1].body)[2][1].split("|")[0].split("\n")[1:])
    assert [line["call"] for line in (first, second, third)] == [1, 2, 3]
    assert first["result"]["distance_mm"] == pytest.approx(40.0)
    assert second["error"].startswith("the arguments could not be read: it cannot be read from '1}}' on")
    assert third["error"].startswith("unknown tool 'rulr'; declared tools: ")


async def test_a_call_wins_over_an_answer_in_the_same_message(server, configured):
    server.script([text(f"{RULER.replace('v1', 'v0')}\n<answer>99</answer>"), text(ANSWER)])
    given = await ask(configured("chat"))
    assert (given.response, len(given.trace.tool_calls)) == (ANSWER, 1)


@pytest.mark.parametrize("wire", WIRES)
async def test_the_forced_turn_follows_the_results_in_one_message(server, configured, wire):
    server.script([text(f"<tool_call>{CROP}</tool_call>"), text(ANSWER)])
    given = await ask(configured(wire), limits=Limits(model_calls=2))
    assert (given.outcome, given.forced) == (Outcome.ANSWERED, True)
    said = turns(wire, server.requests[-1].body)
    assert [role for role, _ in said] == ["user", "assistant", "user"]
    assert said[-1][1].startswith("Tool output\n")
    assert "no further tool call is possible" in said[-1][1].split("|")[-1]


async def test_a_call_in_the_forced_turn_ends_at_the_limit(server, configured):
    server.script([text(f"<tool_call>{CROP}</tool_call>"), text(f"So. <tool_call>{CROP}</tool_call>")])
    given = await ask(configured("chat"), limits=Limits(model_calls=2))
    assert (given.outcome, given.response) == (Outcome.LIMIT_REACHED, "So. ")


async def test_calls_that_stay_unreadable_end_the_sample(server, configured):
    server.script([text("```tool_call\n{ruler\n```")], by_turn=True)
    given = await ask(configured("chat"), limits=Limits(broken_turns=3))
    assert given.outcome is Outcome.TOOL_PROTOCOL
    assert len(given.trace.tool_calls) == 3


@pytest.mark.parametrize("wire", WIRES)
async def test_a_reply_cut_off_within_a_call_is_answered_not_run(server, configured, wire):
    length = {"gemini": "MAX_TOKENS", "chat": "length", "responses": "max_output_tokens"}[wire]
    server.script([text(f"<tool_call>{CROP[:60]}", finish=length), text("12", finish=length)])
    given = await ask(configured(wire))
    assert [(call.tool, call.ok) for call in given.trace.tool_calls] == [("crop", False)]
    assert "cut off" in given.trace.tool_calls[0].text
    assert (given.outcome, given.response) == (Outcome.LIMIT_REACHED, "12")


async def test_a_call_the_service_read_by_itself_is_kept_as_text(server, configured):
    server.script([calls(("ruler", json.loads(RULER.replace("v1", "v0"))["arguments"])), text(ANSWER)])
    given = await ask(configured("chat"))
    assert (given.outcome, [call.ok for call in given.trace.tool_calls]) == (Outcome.ANSWERED, [True])
    role, said = turns("chat", server.requests[1].body)[1]
    assert role == "assistant"
    assert said == f"```tool_call\n{RULER.replace('v1', 'v0')}\n```"
    assert "tool_calls" not in server.requests[1].body["messages"][2]


async def test_a_call_the_service_dropped_is_told(server, configured):
    server.script([text("", finish="MALFORMED_FUNCTION_CALL"), text(ANSWER)])
    given = await ask(configured("gemini"))
    assert given.outcome is Outcome.ANSWERED
    ((role, said),) = turns("gemini", server.requests[1].body)
    assert role == "user"
    assert said.split("|")[-1].startswith("Error: a tool call in the last message could not be read.")


async def test_half_a_surrogate_pair_in_a_call_can_be_stored_and_sent(server, configured):
    server.script(
        [text('<tool_call>{"name": "ru\\ud800", "arguments": {"view": "\\ud800"}}</tool_call>'), text(ANSWER)]
    )
    given = await ask(configured("chat"))
    assert given.outcome is Outcome.ANSWERED
    given.trace.to_json().encode()


def test_the_paragraph_of_either_protocol_is_part_of_the_identity():
    native, plain, hermes = ON.identity(), *(ON.identity(grammar_named(name)) for name in ("plain", "hermes"))
    for a, b in ((native, plain), (native, hermes), (plain, hermes)):
        assert {key for key in a if a[key] != b[key]} == {"tool_paragraph_sha256"}
    assert OFF.identity(grammar_named("hermes")) == OFF.identity()
