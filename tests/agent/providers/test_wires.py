"""The whole agent through the real SDKs, on each of the three interfaces: tools, pictures, limits, endings."""

import asyncio
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from fake.replies import HANG, calls, error, raw, refusal, text

from medvision_agent.agent import retry, session
from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.session import GivenUpError, Waiting
from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.png import decode_png
from medvision_agent.tools.view.slice import grey_slice

KEYS = {"GEMINI_API_KEY": "a-test-key-of-google", "OPENAI_API_KEY": "a-test-key-of-openai"}
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
    assert (given.usage.input, given.usage.unreported) == (2000, 0)
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


@pytest.mark.parametrize(("wire", "finish"), [("gemini", "FINISH_REASON_UNSPECIFIED"), ("responses", "failed")])
async def test_tokens_of_an_incomplete_reply_are_counted(server, configured, wire, finish):
    config = configured(wire, requests_per_minute=600)
    server.script([text("half of", finish=finish), text("<answer>1</answer>")])
    async with open_model(config, environ=KEYS) as chat:
        given = await answer(QUESTION, OFF, chat, Limits(), waiting=Waiting(sleep=lambda _: asyncio.sleep(0)))
        failed = await answer(QUESTION, OFF, chat, Limits())  # 400: the script is exhausted
    assert (given.outcome, given.failed_tries) == (Outcome.ANSWERED, 1)
    assert (given.usage.model_calls, given.usage.input, given.usage.output) == (1, 2000, 120)
    assert failed.usage.input == 0
    server.script([text("half of", finish=finish)])
    alone = await ask(configured(wire, max_tries=1), OFF)
    assert (alone.outcome, alone.usage.model_calls, alone.usage.input) == (Outcome.BAD_REPLY, 0, 1000)


@pytest.mark.parametrize("wire", WIRES)
async def test_what_was_paid_is_kept_when_a_conversation_is_given_up(server, configured, wire):
    async def stopped(seconds):
        raise GivenUpError

    async with open_model(configured(wire), environ=KEYS) as chat:
        server.script([calls(RULER), error(503)])
        given = await answer(QUESTION, ON, chat, Limits(), waiting=Waiting(sleep=stopped))
        assert (given.outcome, given.response) == (Outcome.SERVER_ERROR, "")
        assert given.usage.model_calls == 1
        assert given.usage.input == 1000
        server.script([error(503)])
        with pytest.raises(GivenUpError):  # nothing was paid: as if never asked
            await answer(QUESTION, ON, chat, Limits(), waiting=Waiting(sleep=stopped))


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


async def test_waits_for_the_provider_are_not_the_models_time(server, configured):
    server.script([error(429, retry_after="30"), calls(RULER), text("<answer>20</answer>")])

    async def no_wait(seconds):
        await asyncio.to_thread(time.sleep, 0.05 * (seconds > 29))

    faults = []
    waiting = Waiting(sleep=no_wait, on_fault=lambda fault, tries: faults.append((fault.outcome, tries)))
    async with asyncio.timeout(60), open_model(configured("chat"), environ=KEYS) as chat:
        given = await answer(QUESTION, ON, chat, Limits(), waiting=waiting)
    assert given.outcome is Outcome.ANSWERED
    assert not given.forced
    assert faults == [(Outcome.RATE_LIMITED, 1)]
    assert given.failed_tries == 1
    assert given.waited_seconds >= 0.05


async def test_waits_do_not_use_up_the_seconds_of_a_sample(server, configured, monkeypatch):
    """A provider's wait of 30 s and one of the rate limit pass on a clock of the test, against a limit of 20 s."""
    late = 0.0

    def now():
        return time.monotonic() + late

    async def passes(seconds):
        nonlocal late
        late += seconds

    for module in (session, retry):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=now))
    server.script([error(429, retry_after="30"), calls(RULER), text("<answer>20</answer>")])
    async with open_model(configured("chat"), environ=KEYS) as chat:
        vars(chat)["pace"] = Pace(requests=2, clock=now)
        given = await answer(QUESTION, ON, chat, Limits(seconds=20), waiting=Waiting(sleep=passes))
    assert (given.outcome, given.forced) == (Outcome.ANSWERED, False)
    assert late > 59  # the third request had to wait for the first to be a minute old
    assert given.waited_seconds == pytest.approx(late, abs=19)
    assert 0 < given.seconds < 20


async def test_one_unreadable_call_does_not_lose_the_readable_one(server, configured):
    server.script([calls(RULER, ("ruler", "[1, 2]")), text("<answer>20</answer>")])
    given = await ask(configured("chat"), ON)
    assert [call.ok for call in given.trace.tool_calls] == [True, False]
    assert given.finish_reasons == ("tool_calls", "stop")


@pytest.mark.parametrize("wire", WIRES)
async def test_half_a_surrogate_pair_is_replaced_and_the_sample_goes_on(server, configured, wire):
    odd = "x \ud800 "
    server.script([calls((f"rul{odd}", {"view": odd})), text(f"{odd}<answer>20</answer>")])
    given = await ask(configured(wire), ON)
    assert given.outcome is Outcome.ANSWERED
    assert given.response == "x ? <answer>20</answer>"
    given.trace.to_json().encode()


async def test_text_that_looks_like_a_picture_stays_text(server, configured):
    words = "data:image/png;base64,abc <answer>1</answer>"
    server.script([calls(("ruler", {"view": "data:image/png;base64,AAAA"})), text(words)])
    given = await ask(configured("chat"), ON)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, words)
    assert words in given.trace.to_json()
    assert "data:image/png;base64,AAAA" in given.trace.to_json()
    assert set(given.trace.pictures) == {given.v0_sha256}


async def test_a_key_in_a_reply_of_status_200_is_blotted_out(server, configured):
    body = {"error": {"message": f"Incorrect API key provided: {KEYS['OPENAI_API_KEY']}"}}
    server.script([raw(body)])
    given = await ask(configured("chat", max_tries=1), OFF)
    assert given.outcome is Outcome.BAD_REPLY
    assert "Incorrect API key provided" in given.detail
    assert KEYS["OPENAI_API_KEY"] not in given.detail


async def test_without_tools_a_tool_call_ends_the_sample(server, configured):
    server.script([text("", finish="UNEXPECTED_TOOL_CALL"), text("<answer>1</answer>")])
    given = await ask(configured("gemini"), OFF)
    assert given.outcome is Outcome.TOOL_PROTOCOL
    assert len(server.requests) == 1


async def test_a_failure_of_the_service_leaves_no_response(server, configured):
    server.script([text("<answer>5</answer>")])
    good = await ask(configured("chat"), OFF)
    server.script([calls(RULER), error(500, retry_after="0")])
    bad = await ask(configured("chat", max_tries=1), ON)
    assert good.response
    assert (bad.outcome, bad.response) == (Outcome.SERVER_ERROR, "")
    assert len(bad.trace.tool_calls) == 1


async def test_a_call_that_was_dropped_is_put_in_words_so_that_roles_take_turns(server, configured):
    server.script([text("", finish="MALFORMED_FUNCTION_CALL"), text("<answer>1</answer>")])
    given = await ask(configured("gemini"), ON)
    _, said, told = server.requests[1].body["contents"]
    assert (said["role"], told["role"]) == ("model", "user")
    assert said["parts"] == [{"text": "(A tool call that could not be read.)"}]
    assert "could not be read" in told["parts"][-1]["text"]
    assert given.trace.messages[2]["content"] == ""  # as it came
    assert given.trace.messages[2]["sent_back"]["content"] == "(A tool call that could not be read.)"
