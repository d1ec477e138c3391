"""The provider's own code execution: what is sent, what is kept of the code and its results, and faults as ever."""

import json
from typing import Any

import numpy as np
import pytest
from fake.replies import USAGE, blocked_prompt, calls, came, drew, error, ran, raw, said, steps, text
from langchain_core.messages import HumanMessage, SystemMessage

from medvision_agent.agent.answer import answer
from medvision_agent.agent.chat.chat import Finish, Turn
from medvision_agent.agent.chat.code_run import CodeRun
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.providers.gemini.parts import code_runs
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.agent.words.question import Question
from medvision_agent.errors import ConfigError
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.png import decode_png, encode_png
from medvision_agent.tools.view.slice import grey_slice

CODE = Condition.parse("code")
PICTURE = encode_png(np.full((4, 5), 7, np.uint8))
COMPUTED = (
    said("I will compute."),
    ran("print(3*4)"),
    came("12\n"),
    said("<answer>12</answer>"),
)


async def turn_of(provider, *replies, **settings) -> Turn:
    """Ask one question with code execution on."""
    provider.server.script(list(replies))
    async with open_model(provider.config(**settings), environ=provider.environ, provider_code=True) as chat:
        return (await provider.call(chat, [HumanMessage("How wide?")]))[1]


async def answered(provider, question, *replies, condition=CODE, **settings):
    provider.server.script(list(replies))
    config, code = provider.config(**settings), condition.provider_code
    async with open_model(config, environ=provider.environ, provider_code=code) as chat:
        return await answer(question, condition, chat, Limits())


@pytest.fixture
def question():
    image = grey_slice(np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8), Spacing(1.0, 0.5))
    return Question("distance", image, "An axial slice.", None, ("tip", "base"))


SETTINGS = {"max_output_tokens": 512, "seed": 7, "temperature": 0.5, "top_p": 0.9}


async def test_arms_differ_in_the_tool_and_its_paragraph_alone_gemini(gemini, question):
    for condition in (Condition.parse("off"), CODE):
        await answered(gemini, question, text("<answer>1</answer>"), condition=condition, **SETTINGS)
    off, code = (request.body for request in gemini.requests)
    assert code.pop("tools") == [{"codeExecution": {}}]
    (plain,), (told,) = off.pop("systemInstruction")["parts"], code.pop("systemInstruction")["parts"]
    assert told["text"].startswith(plain["text"])
    assert "Python code" in told["text"].removeprefix(plain["text"])
    assert code == off
    assert code["generationConfig"]["mediaResolution"] == "MEDIA_RESOLUTION_HIGH"
    assert code["generationConfig"]["thinkingConfig"] == {"thinking_budget": -1}
    assert not {"temperature", "topP"} - set(code["generationConfig"])


async def test_arms_differ_in_the_tool_and_its_paragraph_alone_openai(responses, question):
    for condition in (Condition.parse("off"), CODE):
        await answered(responses, question, text("<answer>1</answer>"), condition=condition)
    off, code = (request.body for request in responses.requests)
    assert code.pop("tools") == [{"type": "code_interpreter", "container": {"type": "auto"}}]
    assert code.pop("tool_choice") == "auto"
    assert code.pop("include") == [*off.pop("include"), "code_interpreter_call.outputs"]
    assert code["input"][0]["content"].startswith(off["input"][0]["content"])
    assert code["input"][1:] == off["input"][1:]
    assert {name for name in code if code[name] != off[name]} == {"input"}
    assert code["store"] is False


async def test_the_text_is_what_was_said_and_code_is_counted(gemini, responses, question):
    for provider in (gemini, responses):
        given = await answered(provider, question, steps(*COMPUTED))
        assert (given.outcome, given.response) == (Outcome.ANSWERED, "I will compute.\n<answer>12</answer>")
        (call,) = given.trace.tool_calls
        assert (call.tool, call.ok, call.text) == ("code_execution", True, "12\n")
        assert call.arguments == {"code": "print(3*4)", "language": "PYTHON"}
        stored = json.loads(given.trace.to_json())
        assert "print(3*4)" in json.dumps(stored["messages"][-1])


@pytest.mark.parametrize("outcome", ["FAILED", "DEADLINE_EXCEEDED"])
async def test_outcomes_keep_their_names(gemini, outcome):
    turn = await turn_of(gemini, steps(ran("1/0"), came("Traceback", outcome), said("<answer>1</answer>")))
    (run,) = turn.code_runs
    assert (run.outcome, run.ok, run.text) == (f"OUTCOME_{outcome}", False, f"OUTCOME_{outcome}: Traceback")


async def test_a_failed_run_openai(responses):
    turn = await turn_of(responses, steps(ran("1/0"), came(None, "FAILED"), said("1")))
    assert [(run.outcome, run.ok, run.output, run.code) for run in turn.code_runs] == [("failed", False, "", "1/0")]


async def test_empty_results_and_code_without_one_stay(gemini):
    taken = [ran("x = 1"), came(None), ran("y = 2"), came(""), ran("while True: pass"), said("5")]
    turn = await turn_of(gemini, steps(*taken))
    assert [(run.code, run.ok, run.text) for run in turn.code_runs] == [
        ("x = 1", True, ""),
        ("y = 2", True, ""),
        ("while True: pass", False, "no result"),
    ]


async def test_results_go_by_id_where_there_are_ids(gemini):
    taken = [
        ran("a", known_as="1"),
        ran("b", known_as="2"),
        came("of b", known_as="2"),
        came("of a", known_as="1"),
        came("of none", known_as="3"),
    ]
    turn = await turn_of(gemini, steps(*taken, said("x")))
    assert [(run.id, run.code, run.output) for run in turn.code_runs] == [
        ("1", "a", "of a"),
        ("2", "b", "of b"),
        ("3", None, "of none"),
    ]


async def test_pictures_made_by_code_are_stored_by_hash(gemini, question):
    taken = [ran("plot()"), came(""), drew(PICTURE), ran("save()"), came(""), drew(b"a,b", "text/csv"), said("1")]
    given = await answered(gemini, question, steps(*taken))
    first, second = given.trace.tool_calls
    assert given.trace.pictures[first.picture] == PICTURE
    assert second.picture is None
    reply = json.loads(given.trace.to_json())["messages"][-1]["content"]
    assert {"type": "image_url", "picture": first.picture} in reply
    assert {"type": "inline_data", "mime_type": "text/csv", "base64": "YSxi"} in reply


async def test_tokens_of_code_are_input(gemini):
    turn = await turn_of(gemini, steps(*COMPUTED, usage={**USAGE, "tool_use": 300}))
    assert turn.usage == Usage(model_calls=1, input=1300, output=60, reasoning=40, cached=100)
    turn = await turn_of(gemini, steps(*COMPUTED, usage=None))
    assert turn.usage == Usage(model_calls=1, unreported=1)


async def test_thoughts_are_no_answer_and_parts_of_one_text_are_one(gemini):
    assert (await turn_of(gemini, text("0.4", "5", thoughts="9"))).text == "0.45"


@pytest.mark.parametrize(
    ("finish", "named"),
    [("MAX_TOKENS", Finish.LENGTH), ("SAFETY", Finish.BLOCKED), ("UNEXPECTED_TOOL_CALL", Finish.MALFORMED_CALL)],
)
async def test_reasons_to_stop(gemini, finish, named):
    turn = await turn_of(gemini, steps(*COMPUTED, finish=finish))
    assert (turn.finish, turn.finish_raw) == (named, finish)
    assert len(turn.code_runs) == 1


async def test_an_unknown_reason_is_no_complete_answer(gemini):
    turn = await turn_of(gemini, text("a", finish="SOMETHING_NEW"))
    assert (turn.finish, turn.finish_raw) == (Finish.UNKNOWN, "SOMETHING_NEW")


async def test_a_blocked_prompt_is_a_refusal_and_its_tokens_count(gemini, question):
    given = await answered(gemini, question, blocked_prompt("PROHIBITED_CONTENT"))
    assert (given.outcome, given.finish_reasons) == (Outcome.REFUSED, ("PROHIBITED_CONTENT",))
    assert given.usage.input == 777


async def test_a_call_of_a_function_nobody_declared(gemini, question):
    given = await answered(gemini, question, calls(("ruler", {"x0": 1})))
    assert given.outcome is Outcome.TOOL_PROTOCOL


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(raw({"candidates": [{"index": 0}]}), id="bare"),
        pytest.param(raw({"candidates": []}), id="empty"),
        pytest.param(raw({}), id="nothing"),
        pytest.param(raw({"error": {"message": "overloaded"}}), id="error under 200"),
        pytest.param(raw("<html>Bad gateway</html>", content_type="text/html"), id="html"),
        pytest.param(raw('{"candidates": ['), id="half"),
        pytest.param(raw(None), id="null"),
    ],
)
async def test_replies_that_are_none(gemini, reply):
    assert (await turn_of(gemini, reply, text("there"))).text == "there"
    with pytest.raises(RequestFailed) as caught:
        await turn_of(gemini, reply, reply, max_tries=2)
    assert (caught.value.fault.outcome, caught.value.tries) == ("bad_reply", 2)


async def test_one_layer_tries_again_and_keeps_to_what_is_asked(gemini):
    turn = await turn_of(gemini, error(503), error(429, retry_info="2.5s"), text("there"))
    assert turn.text == "there"
    assert len(gemini.requests) == 3
    assert 2.5 <= gemini.waits[1] <= 3.5
    assert [fault.outcome for fault, _ in gemini.faults] == [Outcome.SERVER_ERROR, Outcome.RATE_LIMITED]


async def test_the_environment_does_not_redirect_requests(gemini, monkeypatch):
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9/elsewhere")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "elsewhere")
    assert (await turn_of(gemini, text("here"), max_tries=1)).text == "here"


async def test_thinking_level_gemini_3(gemini):
    settings: dict[str, Any] = {"model": "gemini-3-pro", "thinking_budget": None, "thinking_level": "low"}
    await turn_of(gemini, text("a"), **settings)
    thinking = gemini.requests[0].body["generationConfig"]["thinkingConfig"]
    assert [value.upper() for value in thinking.values()] == ["LOW"]


async def test_a_system_text_and_a_picture_are_sent_as_they_are(gemini):
    gemini.server.script([text("a")])
    async with open_model(gemini.config(), environ=gemini.environ, provider_code=True) as chat:
        asked = HumanMessage([chat.picture_block(PICTURE), {"type": "text", "text": "q"}])
        await gemini.call(chat, [SystemMessage("s"), asked])
    (request,) = gemini.requests
    assert request.pictures == [PICTURE]
    assert (decode_png(request.pictures[0]) == 7).all()


def test_runs_of_an_empty_reply():
    assert code_runs([]) == ()
    assert CodeRun(code=None, outcome="", output="", ok=False).text == "no result"


@pytest.mark.parametrize("written", ["blind/code", "sham/code", "code,ruler"])
def test_it_goes_with_nothing_else(written):
    with pytest.raises(ConfigError, match="code"):
        Condition.parse(written)
