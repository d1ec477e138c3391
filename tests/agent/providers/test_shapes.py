"""Replies of chat completions in further shapes that servers are known to write: read as what they say.

Each was reported of a server or gateway in public. The fault is always of the wire, so that the model is heard.
"""

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from fake.replies import error, raw
from fake.servers import ARGUMENTS, FINAL, GOOD, always, call, chat, first, history_of

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.errors import ProviderError
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

ON, OFF = Condition.parse("on"), Condition.parse("off")
QUESTION = Question("distance", grey_slice(np.zeros((60, 80)), Spacing(1.0, 1.0)), "A slice.", None, ("tip", "base"))
SIGNED = {"google": {"thought_signature": "c2ln"}}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


@pytest.fixture
def ask(server, chat_completions):
    """Return a function that has a conversation with a server that follows a rule."""

    async def asked(rule, condition=ON):
        server.behave(rule)
        config = chat_completions.config(max_tries=1)
        async with asyncio.timeout(60), open_model(config, environ=chat_completions.environ) as model:
            return await answer(QUESTION, condition, model, Limits())

    return asked


def body(*choices: Any, **more: Any):
    return always(
        raw({"id": "1", "object": "chat.completion", "created": 1, "choices": choices, "usage": USAGE} | more)
    )


def choice(content: Any, index: int = 0, finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": content}, "finish_reason": finish, **more}


TEXT = {"type": "text", "text": FINAL}


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "output_text", "text": FINAL}],
        [{"text": FINAL}],
        [{"type": "text", "text": None}, TEXT],
        [None, TEXT],
        [FINAL],
        TEXT,
        [{"type": "thinking", "thinking": [{"type": "text", "text": "<answer>9</answer>"}]}, TEXT],
    ],
    ids=["output_text", "no type", "a text of null", "null", "a text", "one part", "Magistral's thoughts"],
)
@pytest.mark.parametrize("condition", [ON, OFF], ids=["on", "off"])
async def test_the_text_of_parts(ask, content, condition):
    given = await ask(body(choice(content)), condition)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


async def test_a_number_is_a_text(ask):
    assert (await ask(body(choice(20.5)))).response == "20.5"


async def test_the_first_choice_is_the_one_of_index_0(ask):
    assert (await ask(body(choice("<answer>9</answer>", 1), choice(FINAL)))).response == FINAL


def called(*calls: Any, finish: str = "tool_calls"):
    return first(chat({"content": None, "tool_calls": list(calls)}, finish))


FLAT = {"id": "a", "name": "ruler", "arguments": GOOD}
SPLIT = raw(
    {
        "choices": [
            choice("I measure.", finish="tool_calls"),
            {"index": 0, "message": {"tool_calls": [call(id="a")]}, "finish_reason": "tool_calls"},
        ],
        "usage": USAGE,
    }
)
RUN = {
    "an id that is a number": called(call(id=5)),
    "an id that is an object": called(call(id={"a": 1})),
    "a call without function": called(FLAT),
    "a call without function under stop": called(FLAT, finish="stop"),
    "one call and no list": first(chat({"content": None, "tool_calls": call(id="a")}, "tool_calls")),
    "calls in a text": first(chat({"content": None, "tool_calls": json.dumps([call(id="a")])}, "tool_calls")),
    "calls in a choice of their own": first(SPLIT),
    "arguments written twice": called(call(arguments=json.dumps(GOOD), id="a")),
    "arguments as an object": called(call(arguments=ARGUMENTS, id="a")),
    "a name with markup": called(call("ruler<|channel|>commentary", id="a")),
    "a name of Google's": called(call("default_api:ruler", id="a")),
    "a name with a number": called(call("functions.ruler:0", id="a")),
}


@pytest.mark.parametrize("shape", RUN)
async def test_calls_are_run(ask, shape):
    given = await ask(RUN[shape])
    assert [(use.tool, use.arguments, use.ok) for use in given.trace.tool_calls] == [("ruler", ARGUMENTS, True)]
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


@pytest.mark.parametrize("arguments", ["", " ", None])
async def test_nothing_stands_for_no_arguments(ask, arguments):
    given = await ask(called(call("pixel_spacing", arguments, id="a")))
    assert [(use.arguments, use.ok) for use in given.trace.tool_calls] == [({}, True)]


@pytest.mark.parametrize(
    ("arguments", "kept"), [([GOOD], json.dumps([GOOD])), (5, "5"), (True, "true"), ("[" * 5000, "[" * 5000)]
)
async def test_arguments_that_are_no_object_are_answered_and_kept_as_written(ask, arguments, kept):
    given = await ask(called(call(arguments=arguments, id="a"), call(id="b")))
    assert [(use.arguments, use.ok) for use in given.trace.tool_calls] == [(ARGUMENTS, True), (kept, False)]
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


@pytest.mark.parametrize("calls", [True, [None], [{"type": "function", "function": None}], [5]])
async def test_calls_that_say_nothing_are_told_so(ask, calls):
    given = await ask(first(chat({"content": None, "tool_calls": calls}, "tool_calls")))
    assert (given.outcome, given.response, given.trace.tool_calls) == (Outcome.ANSWERED, FINAL, [])


def demand(fulfilled, words="no"):
    """Return the refusal of a history in which a reply with calls does not fulfil something."""

    def refused(request):
        replies = [message for message in history_of(request) if message.get("tool_calls")]
        return None if all(map(fulfilled, replies)) else raw([{"error": {"code": 400, "message": words}}], status=400)

    return refused


def signed(message):
    return all(one.get("extra_content") == SIGNED for one in message["tool_calls"])


@pytest.mark.parametrize(
    "calls",
    [
        [call(id="a", extra_content=SIGNED)],
        [call(id="", extra_content=SIGNED)],
        [call(id="a", extra_content=SIGNED), call("ruler", "{bad", id="a", extra_content=SIGNED)],
    ],
    ids=["one", "without an id", "unreadable, the same id"],
)
async def test_signatures_of_gemini_go_back_with_its_calls(ask, calls):
    """The interface for OpenAI's clients refuses a call without the signature of its thought."""
    given = await ask(first(chat({"content": None, "tool_calls": calls}, "tool_calls"), refuses=demand(signed)))
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


async def test_a_reply_in_parts_goes_back_as_one_text(ask):
    reply = {"content": [{"type": "text", "text": "I "}, {"type": "text", "text": "measure."}], "tool_calls": [call()]}
    refuses = demand(lambda message: message["content"] == "I measure.")
    assert (await ask(first(chat(reply, "tool_calls"), refuses=refuses))).response == FINAL


def announces(content):
    return chat({"content": content}, "tool_calls")


async def test_words_before_a_lost_call_are_no_answer(ask):
    """A gateway lost the call that it announces: the words before it are no answer."""
    given = await ask(first(announces("I measure.")))
    assert (given.outcome, given.response, given.usage.model_calls) == (Outcome.ANSWERED, FINAL, 2)


async def test_a_server_that_announces_calls_in_every_reply_is_told_once(ask):
    given = await ask(always(announces(FINAL)))
    assert (given.outcome, given.response, given.usage.model_calls) == (Outcome.ANSWERED, FINAL, 2)
    given = await ask(always(announces(FINAL)), OFF)
    assert (given.outcome, given.response, given.usage.model_calls) == (Outcome.ANSWERED, FINAL, 1)


@pytest.mark.parametrize(
    ("native", "outcome"),
    [
        ("MAX_TOKENS", Outcome.LIMIT_REACHED),
        ("SAFETY", Outcome.REFUSED),
        ("MALFORMED_FUNCTION_CALL", Outcome.TOOL_PROTOCOL),
        ("error", Outcome.BAD_REPLY),
        ("STOP", Outcome.ANSWERED),
        ("a_word_of_its_own", Outcome.ANSWERED),
    ],
)
async def test_the_word_behind_a_gateways_stop_counts(ask, native, outcome):
    assert (await ask(body(choice(FINAL, native_finish_reason=native)))).outcome is outcome


@pytest.mark.parametrize(
    ("reply", "outcome", "words"),
    [
        ([{"error": {"code": 429, "message": "Resource exhausted"}}], "rate_limited", "Resource exhausted"),
        ({"error": {"code": "1302", "message": "Rate limit reached for requests"}}, "rate_limited", "Rate limit"),
        ({"error": True, "message": "overloaded"}, "bad_reply", "overloaded"),
        ({"error": "the input length exceeds the context length"}, "context_overflow", "input length"),
        ([5], "bad_reply", "not a JSON object"),
    ],
)
async def test_errors_under_200_in_further_shapes(ask, reply, outcome, words):
    given = await ask(always(raw(reply)))
    assert (given.outcome, given.response) == (outcome, "")
    assert words in given.detail


@pytest.mark.parametrize(
    "reply",
    [
        [{"error": {"message": "the sentence"}}],
        {"error": "the sentence"},
        {"detail": "the sentence"},
        {"detail": [{"msg": "the sentence"}]},
        {"message": "the sentence"},
    ],
)
async def test_a_refusal_is_quoted_in_whatever_shape(ask, reply):
    given = await ask(always(raw(reply, status=400)))
    assert given.outcome is Outcome.REJECTED
    assert "the sentence" in given.detail


@pytest.mark.parametrize(
    "said",
    [
        "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
        "Trying to keep the first 4096 tokens when context the overflows.",
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "Invalid request: Your request exceeded model token limit: 8192",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000",
    ],
    ids=["SGLang", "LM Studio", "xAI", "Moonshot", "TGI"],
)
async def test_words_for_a_full_context(ask, said):
    assert (await ask(always(error(400, said)))).outcome is Outcome.CONTEXT_OVERFLOW


@pytest.mark.parametrize(
    "said",
    [
        "Input data may contain inappropriate content.",
        "<400> InternalError.Algo.DataInspectionFailed",
        "系统检测到输入或生成内容可能包含不安全或敏感内容",
    ],
)
async def test_words_for_a_refusal(ask, said):
    assert (await ask(always(error(400, said)))).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (always(raw({"error": "Unexpected endpoint or method. (POST /chat/completions)"})), "Unexpected endpoint"),
        (
            always(error(429, "Usage limit reached for 5 hour.", code="1308")),
            "the daily quota or the credit is used up",
        ),
    ],
    ids=["LM Studio's 200 for a wrong path", "the limit of a plan"],
)
async def test_what_no_sample_can_mend_stops_the_run(ask, rule, words):
    with pytest.raises(ProviderError, match=words):
        await ask(rule)


async def test_a_reply_that_cannot_be_read_gets_no_advice_for_refusals(ask):
    given = await ask(body(choice(FINAL) | {"message": {"role": "assistant", "content": FINAL, "refusal": [1]}}))
    assert "empty_content" not in given.detail


async def test_two_messages_are_two_texts(responses):
    def said(key: str, *texts: str) -> dict[str, Any]:
        parts = [{"type": "output_text", "text": words, "annotations": []} for words in texts]
        return {"type": "message", "id": key, "role": "assistant", "status": "completed", "content": parts}

    output = [said("m1", "About 12"), said("m2", "20", ".5")]
    reply = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": output}
    turn = await responses.turn(raw(reply | {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}))
    assert turn.text == "About 12\n20.5"
