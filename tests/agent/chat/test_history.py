"""What goes back to a model is legal on every server, whatever the model wrote; the trace holds what it wrote."""

import asyncio
import json
import re

import numpy as np
import pytest
from fake import servers
from fake.replies import calls, text
from fake.servers import CROP, FINAL, RULER, call, chat, first, history_of, reads_history, thinker

from medvision_agent.agent.answer import answer
from medvision_agent.agent.chat.history import newest_pictures
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

KEYS = {"GEMINI_API_KEY": "a-test-key-of-google", "OPENAI_API_KEY": "a-test-key-of-openai"}
ON, OFF = Condition.parse("on"), Condition.parse("off")
PIXELS = np.add.outer(np.arange(60), 2 * np.arange(80)).astype(np.uint8)
QUESTION = Question("distance", grey_slice(PIXELS, Spacing(1.0, 0.5)), "A slice.", None, ("tip", "base"))


@pytest.fixture
def ask(server, chat_completions, gemini, responses):
    """Return a function that has a conversation with a server of a rule, or of scripted replies."""

    async def asked(rule, condition=ON, *, wire="chat", limits=None, **row):
        server.behave(rule) if callable(rule) else server.script(rule)
        config = {"chat": chat_completions, "gemini": gemini, "responses": responses}[wire].config(max_tries=1, **row)
        async with asyncio.timeout(60), open_model(config, environ=KEYS) as model:
            return await answer(QUESTION, condition, model, limits or Limits())

    return asked


def answered(given):
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL), given.detail
    return [(use.tool, use.ok) for use in given.trace.tool_calls]


def said(given):
    """What the model wrote in its first turn, by the trace."""
    return next(message for message in given.trace.messages if message["type"] == "ai")


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("arguments", [servers.BROKEN, "[1, 2]", '"text"', "3", '{"x0": NaN}'])
async def test_arguments_go_back_as_an_object_and_stay_in_the_trace(ask, server, status, arguments):
    given = await ask(first(calls(("ruler", arguments)), refuses=reads_history(status)))
    assert answered(given) == [("ruler", False)]
    (sent,) = history_of(server.requests[1])[2]["tool_calls"]
    assert isinstance(json.loads(sent["function"]["arguments"]), dict)
    if "NaN" not in arguments:  # readable, so it is kept as it was read
        assert json.loads(sent["function"]["arguments"]) == {"unreadable": arguments}
        assert said(given)["invalid_tool_calls"][0]["args"] == arguments
        assert said(given)["sent_back"]["tool_calls"][0]["args"] == {"unreadable": arguments}


@pytest.mark.parametrize("arguments", [servers.BROKEN, "[1, 2]"])
async def test_arguments_go_back_as_an_object_to_responses(ask, server, arguments):
    given = await ask([calls(("ruler", arguments), RULER), text(FINAL)], wire="responses")
    assert answered(given) == [("ruler", True), ("ruler", False)]
    sent = [item for item in server.requests[1].body["input"] if item["type"] == "function_call"]
    assert [json.loads(one["arguments"]) for one in sent] == [{"unreadable": arguments}, RULER[1]]
    assert arguments in [block.get("arguments") for block in said(given)["content"]]


async def test_a_name_with_a_prefix_is_the_tools_own(ask, server):
    given = await ask(first(calls(("functions.ruler", RULER[1]))))
    assert answered(given) == [("ruler", True)]
    assert history_of(server.requests[1])[2]["tool_calls"][0]["function"]["name"] == "ruler"
    assert said(given)["tool_calls"][0]["name"] == "functions.ruler"


@pytest.mark.parametrize("name", ["", None, "no.such tool", "zoom"])
async def test_a_call_of_no_declared_tool_is_put_in_words_and_so_is_its_answer(ask, server, name):
    message = {"content": "So.", "tool_calls": [call(name, id="a"), call(id="b")]}
    given = await ask(first(chat(message, "tool_calls")))
    assert answered(given) == [(name or "", False), ("ruler", True)]
    turn, result, told = history_of(server.requests[1])[2:]
    assert [one["id"] for one in turn["tool_calls"]] == ["b"]
    assert turn["content"].startswith(f'So.\n(Called {name or "a tool without a name"} with {{"view": "v0"')
    assert (result["role"], result["tool_call_id"]) == ("tool", "b")
    assert told["content"][0]["text"] == "Tool output"
    assert told["content"][1]["text"].startswith("Error: unknown tool")


@pytest.mark.parametrize("wire", ["gemini", "responses"])
async def test_an_undeclared_tool_is_put_in_words_on_other_interfaces(ask, server, wire):
    given = await ask([calls(("no.such", {}), RULER), text(FINAL)], wire=wire)
    assert answered(given) == [("no.such", False), ("ruler", True)]
    sent = json.dumps(server.requests[1].body)
    assert "(Called no.such with {}.)" in sent
    assert '"name": "no.such"' not in sent
    assert "Error: unknown tool" in sent


async def test_no_id_is_sent_twice_not_even_in_another_turn(ask, server):
    twice = chat({"content": None, "tool_calls": [call(id="call_0"), call("pixel_spacing", "{}", id="call_0")]})

    def rule(request):
        return twice if servers.turn_of(request) < 2 else chat({"content": FINAL})

    assert len(answered(await ask(rule))) == 4
    history = history_of(server.requests[2])
    asked = [one["id"] for message in history for one in message.get("tool_calls") or []]
    assert asked == [message["tool_call_id"] for message in history if message["role"] == "tool"]
    assert asked == ["call_0", "call00001", "call00003", "call00004"]


@pytest.mark.parametrize("known_as", [{}, {"id": None}, {"id": ""}, {"id": "two words"}])
async def test_an_id_of_ours_suits_every_server(ask, known_as):
    rule = first(chat({"content": "", "tool_calls": [call(**known_as)]}), refuses=servers.wants_nine_letters)
    assert answered(await ask(rule)) == [("ruler", True)]


async def test_ids_of_the_server_go_back_as_they_came(ask, server):
    await ask(first(chat({"content": "", "tool_calls": [call(id="functions.ruler:0")]})))
    assert history_of(server.requests[1])[2]["tool_calls"][0]["id"] == "functions.ruler:0"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"])
async def test_reasoning_goes_back_in_its_field_and_is_no_answer(ask, server, field):
    thoughts = "SECRET 99" if field.startswith("reasoning") and not field.endswith("s") else [{"text": "SECRET 99"}]
    rule = first(chat({"content": "", field: thoughts, "tool_calls": [call(id="a")]}, "tool_calls"))
    given = await ask(rule)
    assert answered(given) == [("ruler", True)]
    assert history_of(server.requests[1])[2][field] == thoughts
    assert said(given)["additional_kwargs"][field] == thoughts


async def test_reasoning_without_a_call_is_in_the_trace_only(ask, server):
    given = await ask(
        lambda request: chat({"content": FINAL, "reasoning_content": "SECRET"}), Condition.parse("again:1")
    )
    answered(given)
    assert said(given)["additional_kwargs"] == {"reasoning_content": "SECRET"}
    assert "SECRET" not in json.dumps(server.requests[1].body)


async def test_a_thinker_that_wants_its_reasoning_back_gets_it(ask):
    assert answered(await ask(thinker())) == [("ruler", True)]
    lost = await ask(thinker(), return_reasoning=False)
    assert lost.outcome is Outcome.REJECTED


async def test_a_server_that_refuses_reasoning_names_the_key_that_keeps_it_back(ask):
    reply = chat({"content": "", "reasoning_content": "hm", "tool_calls": [call(id="a")]}, "tool_calls")
    rule = first(reply, refuses=servers.takes_no_reasoning)
    refused = await ask(rule)
    assert (refused.outcome, "set return_reasoning: false" in refused.detail) == (Outcome.REJECTED, True)
    assert answered(await ask(rule, return_reasoning=False)) == [("ruler", True)]


async def test_a_blank_text_beside_a_call_is_none(ask, server):
    answered(await ask(first(chat({"content": "\n\n", "tool_calls": [call(id="a")]}, "tool_calls"))))
    assert history_of(server.requests[1])[2]["content"] is None


async def test_a_call_in_the_form_before_tool_calls_is_run(ask):
    message = {"content": None, "function_call": {"name": "ruler", "arguments": json.dumps(RULER[1])}}
    assert answered(await ask(first(chat(message, "function_call")))) == [("ruler", True)]


async def test_the_user_speaks_once_when_pictures_and_the_last_question_meet(ask, server):
    answered(await ask([calls(CROP), text(FINAL)], limits=Limits(model_calls=2)))
    roles = [message["role"] for message in history_of(server.requests[1])]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    assert history_of(server.requests[1])[-1]["content"][-1]["text"].startswith("The limit of this conversation")


@pytest.mark.parametrize(
    ("refuses", "key", "value"),
    [
        (servers.takes_no_system_role, "system_role", "fold"),
        (servers.takes_pictures(1), "pictures_per_request", 1),
        (servers.takes_no_user_after_tool, "user_after_tool", False),
        (servers.takes_no_null, "empty_content", "empty"),
    ],
)
@pytest.mark.parametrize("calling", ["native", "text"])
async def test_what_a_server_refuses_is_a_key_of_the_row_and_the_error_names_it(ask, refuses, key, value, calling):
    written = json.dumps({"name": CROP[0], "arguments": CROP[1]})
    begins = calls(CROP) if calling == "native" else text(f"<tool_call>{written}</tool_call>")

    def rule(request):
        fresh = begins if servers.turn_of(request) == 0 else chat({"content": FINAL})
        return refuses(request) or fresh

    refused = await ask(rule, tool_calling=calling)
    if calling == "text" and key in {"user_after_tool", "empty_content"}:
        assert answered(refused) == [("crop", True)]  # no tool message, and never a turn without text
    else:
        assert refused.outcome is Outcome.REJECTED
        assert re.search(rf"\(in the model's row: set {key}\b", refused.detail)
    given = await ask(rule, tool_calling=calling, **{key: value})
    assert answered(given) == [("crop", True)]


async def test_a_folded_system_text_stands_before_the_question(ask, server):
    answered(await ask([text(FINAL)], OFF, system_role="fold"))
    (message,) = history_of(server.requests[0])
    assert message["role"] == "user"
    assert message["content"][0]["text"].startswith("You measure medical images.")
    assert [block["type"] for block in message["content"]] == ["text", "image_url", "text"]


async def test_a_server_of_few_pictures_gets_the_first_and_the_newest(ask, server):
    given = await ask([calls(CROP, CROP), calls(CROP), text(FINAL)], pictures_per_request=2)
    answered(given)
    assert [len(request.pictures) for request in server.requests] == [1, 2, 2]
    assert server.requests[0].pictures[0] == server.requests[2].pictures[0]
    assert json.dumps(server.requests[2].body).count("(This picture is not shown") == 2
    shown = [message["content"] for message in given.trace.messages if message["type"] == "human"][1:]
    # The record says what was shown: of the two of the first turn, the second.
    assert [[block["type"] for block in content[1:]] for content in shown] == [
        ["text", "text", "text", "image_url"],
        ["text", "image_url"],
    ]


async def test_a_server_of_one_picture_is_told_so_in_words_and_the_trace_says_it(ask, server):
    given = await ask([calls(CROP), text(FINAL)], pictures_per_request=1)
    answered(given)
    assert [len(request.pictures) for request in server.requests] == [1, 1]
    told = given.trace.messages[4]["content"]
    assert [block["text"] for block in told if "not shown" in block["text"]] == [
        "(This picture is not shown: a request takes 1 picture at most.)"
    ]


def test_without_a_limit_nothing_changes():
    assert newest_pictures([], None) == []


@pytest.mark.parametrize("row", [{"system_role": "fold"}, {"pictures_per_request": 2}, {"return_reasoning": False}])
def test_a_key_is_in_the_identity_only_where_it_changes_what_is_sent(row):
    plain = {"provider": "openai", "model": "m"}
    before = MODEL_CONFIG.validate_python(plain).identity()
    assert not before.keys() & {"system_role", "user_after_tool", "pictures_per_request", "empty_content"}
    assert MODEL_CONFIG.validate_python(plain | row).identity() == before | row
