"""Every reason to stop that a service is known to give, and what becomes of one that nobody knows."""

import re

import pytest
from fake.replies import Reply, calls, raw, text
from fake.servers import FINAL, RULER, call, chat, first
from google.genai.types import FinishReason
from langchain_core.messages import AIMessage

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.finish import CHAT, GEMINI, RESPONSES, Finish, finish_of
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.langchain import LangChainChat

ON, OFF = Condition.parse("on"), Condition.parse("off")
PARTIAL = "<answer>3, 2</answer> then I go on and"


def test_every_reason_of_the_gemini_sdk_stands_in_the_table():
    assert {reason.value for reason in FinishReason} <= GEMINI.keys()


@pytest.mark.parametrize(
    ("words", "finish"),
    [
        ("stop eos eos_token stop_sequence end_turn COMPLETE STOP", Finish.STOP),
        ("tool_calls function_call tool_use", Finish.TOOL_CALLS),
        ("length max_tokens MAX_TOKENS model_length model_context_window_exceeded repetition", Finish.LENGTH),
        ("content_filter sensitive refusal SAFETY safety guardrail_intervened", Finish.BLOCKED),
        ("MALFORMED_FUNCTION_CALL malformed_function_call malformed_tool_use", Finish.MALFORMED_CALL),
        ("error abort network_error insufficient_system_resource load pause_turn", Finish.BROKEN_OFF),
        ("other image_other something_new", Finish.UNKNOWN),
    ],
)
def test_words_of_chat_completions(words, finish):
    assert {finish_of(word, CHAT) for word in words.split()} == {finish}


def test_a_gateway_may_put_words_before_the_reason():
    assert finish_of("function_call_filter: MALFORMED_FUNCTION_CALL", CHAT) is Finish.MALFORMED_CALL
    assert finish_of("stop: because", CHAT) is Finish.UNKNOWN
    assert finish_of("", CHAT) is Finish.UNKNOWN


def test_tables_hold_words_of_one_case():
    assert all(word == word.lower() for word in [*CHAT, *RESPONSES])
    assert all(word == word.upper() for word in GEMINI)


def test_reasons_of_any_langchain_model_are_read_by_the_same_table():
    config = MODEL_CONFIG.validate_python({"provider": "langchain", "model": "m", "factory": "a:b"})
    read = LangChainChat(config, None).finish
    found = [read(AIMessage("", response_metadata={"stop_reason": word}))[0] for word in ("end_turn", "eh", "error")]
    assert found == [Finish.STOP, Finish.UNKNOWN, Finish.BROKEN_OFF]


@pytest.mark.parametrize("word", ["max_tokens", "MAX_TOKENS", "model_length", "length"])
async def test_a_reply_that_was_cut_off_is_no_answer_whatever_the_word(ask, word):
    given = await ask(chat({"content": PARTIAL}, word))
    assert (given.outcome, given.response) == (Outcome.LIMIT_REACHED, PARTIAL)


@pytest.mark.parametrize("word", ["error", "abort", "network_error"])
async def test_a_reply_that_was_broken_off_is_none(ask, word):
    given = await ask(chat({"content": PARTIAL}, word))
    assert (given.outcome, given.response, given.usage.output) == (Outcome.BAD_REPLY, "", 10)
    assert word in given.detail


@pytest.mark.parametrize(("code", "outcome"), [(502, Outcome.SERVER_ERROR), (429, Outcome.RATE_LIMITED)])
async def test_an_error_beside_a_choice_says_why_it_was_broken_off(ask, code, outcome):
    error = {"code": code, "message": "Upstream provider disconnected"}
    given = await ask(chat({"content": PARTIAL}, "error", error=error))
    assert (given.outcome, given.response) == (outcome, "")
    assert "Upstream provider disconnected" in given.detail
    given = await ask(chat({"content": PARTIAL}, "stop", error=error))
    assert given.outcome is outcome


@pytest.mark.parametrize("condition", [OFF, ON])
async def test_an_unknown_reason_is_an_ending_of_its_own(ask, condition):
    given = await ask(chat({"content": FINAL}, "eos_x"), condition)
    assert (given.outcome, given.finish_reasons) == (Outcome.UNKNOWN_ENDING, ("eos_x",))
    assert given.outcome.infrastructure
    assert (given.response, given.usage.model_calls) == ("", 1)
    assert "'eos_x'" in given.detail


async def test_a_call_under_an_unknown_reason_is_not_run(ask):
    given = await ask(chat({"content": "", "tool_calls": [call(id="a")]}, "tool_ish"), ON)
    assert (given.outcome, given.trace.tool_calls) == (Outcome.UNKNOWN_ENDING, [])


CALLING = {"content": "", "tool_calls": [call(id="a")]}
BAD_ENDINGS = {
    "a filter, chat": ("chat", chat(CALLING, "content_filter"), Outcome.REFUSED),
    "z.AI's filter": ("chat", chat(CALLING, "sensitive"), Outcome.REFUSED),
    "an error, chat": ("chat", chat(CALLING, "error"), Outcome.BAD_REPLY),
    "a refusal beside it": ("chat", chat({**CALLING, "refusal": "I must not."}, "tool_calls"), Outcome.REFUSED),
    "behind a gateway": ("chat", chat(CALLING, "tool_calls", native_finish_reason="SAFETY"), Outcome.REFUSED),
    "broken off behind it": ("chat", chat(CALLING, "tool_calls", native_finish_reason="error"), Outcome.BAD_REPLY),
    "a filter, responses": ("responses", calls(RULER, finish="content_filter"), Outcome.REFUSED),
    "SAFETY": ("gemini", calls(RULER, finish="SAFETY"), Outcome.REFUSED),
    "RECITATION": ("gemini", calls(RULER, finish="RECITATION"), Outcome.REFUSED),
    "OTHER": ("gemini", calls(RULER, finish="OTHER"), Outcome.UNKNOWN_ENDING),
    "NO_IMAGE": ("gemini", calls(RULER, finish="NO_IMAGE"), Outcome.BAD_REPLY),
}


@pytest.mark.parametrize("ending", BAD_ENDINGS)
async def test_calls_in_a_reply_that_was_refused_or_is_not_whole_are_not_run(ask, ending, server):
    wire, reply, outcome = BAD_ENDINGS[ending]
    given = await ask(first(reply), ON, wire=wire)
    assert (given.outcome, given.response, given.trace.tool_calls) == (outcome, "", [])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("OTHER", Outcome.UNKNOWN_ENDING),
        ("SOMETHING_NEW", Outcome.UNKNOWN_ENDING),
        ("LANGUAGE", Outcome.REFUSED),
        ("ESCALATION", Outcome.REFUSED),
        ("NO_IMAGE", Outcome.BAD_REPLY),
        ("MISSING_THOUGHT_SIGNATURE", Outcome.BAD_REPLY),
        ("CONTINUATION", Outcome.LIMIT_REACHED),
        ("MALFORMED_RESPONSE", Outcome.TOOL_PROTOCOL),
    ],
)
async def test_reasons_of_gemini_that_are_no_answer(ask, capfd, reason, outcome):
    given = await ask(text(PARTIAL, finish=reason), ON, wire="gemini")
    assert given.outcome is outcome
    assert reason in given.detail or outcome in {Outcome.LIMIT_REACHED, Outcome.TOOL_PROTOCOL}
    assert "is not a valid" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("reason", "outcome"), [("max_output_tokens", Outcome.LIMIT_REACHED), ("eh", Outcome.UNKNOWN_ENDING)]
)
async def test_reasons_of_responses(ask, reason, outcome):
    given = await ask(text(PARTIAL, finish=reason), wire="responses")
    assert given.outcome is outcome


def _failed(code: str) -> Reply:
    body = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "failed", "output": []}
    return raw(body | {"error": {"code": code, "message": "it broke"}, "parallel_tool_calls": True, "tools": []})


@pytest.mark.parametrize(
    ("code", "outcome"), [("server_error", Outcome.SERVER_ERROR), ("rate_limit_exceeded", Outcome.RATE_LIMITED)]
)
async def test_a_response_that_failed_is_read_by_its_code(ask, code, outcome):
    given = await ask(_failed(code), wire="responses")
    assert given.outcome is outcome
    assert re.search("it broke", given.detail)


async def test_a_call_that_a_gateway_dropped_gets_a_repair_turn(ask):
    reason = "function_call_filter: MALFORMED_FUNCTION_CALL"
    given = await ask(first(chat({"content": ""}, reason)), ON)
    assert (given.outcome, given.response, given.finish_reasons) == (Outcome.ANSWERED, FINAL, (reason, "stop"))


@pytest.mark.parametrize("message", [{"content": None}, {"content": "", "tool_calls": [{"type": "custom"}]}])
async def test_a_call_that_is_announced_and_not_there_gets_a_repair_turn(ask, message):
    given = await ask(first(chat(message, "tool_calls")), ON)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)
    assert (await ask(chat({"content": FINAL}, "tool_calls"), ON)).outcome is Outcome.ANSWERED
