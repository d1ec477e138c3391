"""The whole agent through the real SDKs, on each of the three interfaces: tools, pictures, limits, endings."""

import asyncio
import json

import numpy as np
import pytest
from fake.replies import HANG, calls, error, refusal, text

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models.factory import open_model
from medvision_agent.agent.outcome import Outcome
from medvision_agent.agent.question import Question
from medvision_agent.tools.geometry import Spacing
from medvision_agent.tools.png import decode_png
from medvision_agent.tools.slice import grey_slice

KEYS = {"GEMINI_API_KEY": "AIza-test", "OPENAI_API_KEY": "sk-test"}
WIRES = ["gemini", "chat", "responses"]
ON, OFF = Condition.parse("on"), Condition.parse("off")
CROP = ("crop", {"view": "v0", "x0": 0.0, "y0": 0.0, "x1": 0.5, "y1": 0.5, "zoom": 2})
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
PIXELS = np.add.outer(np.arange(60), 2 * np.arange(80)).astype(np.uint8)
QUESTION = Question("distance", grey_slice(PIXELS, Spacing(1.0, 0.5)), "A slice.", None, ("tip", "base"))


async def ask(config, condition, limits=None):
    async with asyncio.timeout(60), open_model(config, environ=KEYS) as chat:
        return await answer(QUESTION, condition, chat, limits or Limits())


@pytest.fixture
def configured(request):
    """Return a function that makes the configuration of a model behind one of the interfaces."""
    fixtures = {"gemini": "gemini", "chat": "chat_completions", "responses": "responses"}
    return lambda wire, **settings: request.getfixturevalue(fixtures[wire]).config(**settings)


@pytest.mark.parametrize("wire", WIRES)
async def test_pictures_come_back_after_the_tool_replies(server, configured, wire):
    server.script([calls(CROP, RULER), text("I see. <answer>20.0</answer>", thoughts="hidden 99")])
    given = await ask(configured(wire), ON)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, "I see. <answer>20.0</answer>")
    assert [call.ok for call in given.trace.tool_calls] == [True, True]
    first, second = server.requests
    assert len(first.pictures) == 1
    assert len(second.pictures) == 3
    assert (decode_png(first.pictures[0]) == PIXELS).all()
    assert decode_png(second.pictures[1]).shape == (60, 80)  # half of each side, twice as large
    assert given.usage.model_calls == 2
    assert given.usage.input == 2000 or given.usage.unreported
    sent = json.dumps(second.body)
    assert sent.index("crop") < sent.rindex("picture 2") < sent.rindex("picture 3")


@pytest.mark.parametrize("wire", WIRES)
async def test_at_the_limit_tools_stay_declared_and_choice_is_none(server, configured, wire):
    server.script([calls(RULER), calls(RULER), text("<answer>1</answer>")])
    given = await ask(configured(wire), ON, Limits(model_calls=3))
    assert (given.outcome, given.forced) == (Outcome.ANSWERED, True)
    last = server.requests[-1].body
    assert "fit_contour" in json.dumps(last.get("tools"))
    choice = last.get("tool_choice") or last["toolConfig"]["functionCallingConfig"]["mode"]
    assert choice.lower() == "none"


@pytest.mark.parametrize("wire", ["chat", "responses"])
@pytest.mark.parametrize("arguments", ["{broken", "[1, 2]", '"text"'])
async def test_unreadable_calls_are_answered_and_the_loop_goes_on(server, configured, wire, arguments):
    server.script([calls(("ruler", arguments)), calls(RULER), text("<answer>20</answer>")])
    given = await ask(configured(wire), ON)
    assert given.outcome is Outcome.ANSWERED
    assert "could not be read" in json.dumps(server.requests[1].body)


async def test_call_that_gemini_could_not_read_is_answered(server, configured):
    server.script([text("", finish="MALFORMED_FUNCTION_CALL"), calls(RULER), text("<answer>20</answer>")])
    given = await ask(configured("gemini"), ON)
    assert given.outcome is Outcome.ANSWERED
    assert given.finish_reasons[0] == "MALFORMED_FUNCTION_CALL"
    assert "could not be read" in json.dumps(server.requests[1].body)


async def test_calls_that_stay_unreadable_end_as_broken_tool_protocol(server, configured):
    server.script([text("", finish="MALFORMED_FUNCTION_CALL")] * 3)
    given = await ask(configured("gemini"), ON)
    assert given.outcome is Outcome.TOOL_PROTOCOL
    assert given.response == ""
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("wire", "reply", "outcome"),
    [
        ("gemini", text("", finish="SAFETY"), Outcome.REFUSED),
        ("gemini", text("<answer>1", finish="MAX_TOKENS"), Outcome.LIMIT_REACHED),
        ("gemini", text(""), Outcome.NO_ANSWER),
        ("chat", refusal("I cannot measure this."), Outcome.REFUSED),
        ("responses", refusal("I cannot measure this."), Outcome.REFUSED),
        ("chat", text("", finish="content_filter"), Outcome.REFUSED),
        ("chat", error(400, "context_length_exceeded", code="context_length_exceeded"), Outcome.CONTEXT_OVERFLOW),
        ("chat", error(400, "no such thing"), Outcome.REJECTED),
        ("gemini", HANG, Outcome.TIMEOUT),
    ],
)
async def test_endings_are_typed(server, configured, wire, reply, outcome):
    server.script([reply])
    given = await ask(configured(wire, timeout_seconds=0.5 if reply is HANG else 30, max_tries=1), OFF)
    assert given.outcome is outcome
    assert given.detail


@pytest.mark.parametrize("wire", WIRES)
async def test_the_two_arms_send_the_same_but_for_the_tools(server, configured, wire):
    server.script([text("<answer>1</answer>"), text("<answer>1</answer>")])
    off, on = await ask(configured(wire), OFF), await ask(configured(wire), ON)
    bodies = [dict(request.body) for request in server.requests]
    assert off.prompt_sha256 == on.prompt_sha256
    assert bodies[1].pop("tools")
    assert "tools" not in bodies[0]
    for body in bodies:
        body.pop("toolConfig", None)
        body.pop("tool_choice", None)
    paragraph = on.trace.messages[0]["content"].removeprefix(off.trace.messages[0]["content"])
    without = json.dumps(bodies[1]).replace(json.dumps(paragraph)[1:-1], "")
    assert json.loads(without) == bodies[0]
