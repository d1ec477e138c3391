"""What people met in public, one sample each: a server's rule or a reply, and how a run has to end.

Each report stands for a kind; the names are those of the servers and what went wrong there. The fault is always of the
wire or of the model's form, so that a sample is either answered or ends as what it is.
"""

import asyncio
import json

import pytest
from fake.replies import calls, error, raw, text
from fake.server import FakeServer
from fake.servers import (
    BROKEN,
    FINAL,
    always,
    call,
    chat,
    first,
    gemini_error,
    reads_history,
    takes_no_system_role,
    takes_pictures,
    thinker,
    turn_of,
    wants_nine_letters,
)

import medvision_agent as mva
from medvision_agent.errors import ProviderError

FIELDS = {"provider": "openai", "model": "m", "api_key_env": None, "max_tries": 1, "perceived": {"rule": "native"}}
HERMES = '<tool_call>{"name": "ruler", "arguments": {"view": "v0"}}</tool_call>'
LFM2 = "<|tool_call_start|>[ruler(view='v0', x0=0.1, y0=0.2, x1=0.5, y1=0.2)]<|tool_call_end|>"
HARMONY = (
    "<|channel|>commentary to=functions.ruler <|constrain|>json<|message|>"
    '{"view": "v0", "x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.2}<|call|>'
)
POINTS = '"x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.1'
OLD_CALL = {"name": "ruler", "arguments": f'{{"view": "v0", {POINTS}}}'}
DISCONNECTED = {"code": 502, "message": "Upstream provider disconnected"}


def repeats_an_id(request):
    ids = [message["tool_call_id"] for message in request.body["messages"] if message["role"] == "tool"]
    return error(400, "duplicate tool_call_id") if len(ids) != len(set(ids)) else None


def names_by_rule(request):
    """OpenAI and Bedrock: letters, digits, lines."""
    sent = [one["function"]["name"] for m in request.body["messages"] for one in m.get("tool_calls") or []]
    legal = all(name and name.replace("_", "").replace("-", "").isalnum() for name in sent)
    return None if legal else error(400, "string does not match pattern '^[a-zA-Z0-9_-]+$'")


def once(reply):
    """A server whose model begins with *reply*, whatever is declared, and then answers."""
    return lambda request: reply if len(request.body["messages"]) == 2 else chat({"content": FINAL})


def in_200(code, message):
    return always(raw({"error": {"message": message, "code": code}}))


def declared(words):
    return lambda request: error(400, words) if request.body.get("tools") else chat({"content": FINAL})


def usage(**counts):
    one = {"index": 0, "message": {"role": "assistant", "content": FINAL}, "finish_reason": "stop"}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [one], "usage": counts}
    return always(raw(body))


def empty_choices():
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    return always(raw(body))


BAD = calls(("ruler", BROKEN))
TWICE = chat({"content": None, "tool_calls": [call(id="call_0"), call("pixel_spacing", '{"view": "v0"}', id="call_0")]})
ANSWERED = {
    "vLLM reads arguments sent back": first(BAD, refuses=reads_history(400)),
    "llama.cpp reads arguments sent back": first(BAD, refuses=reads_history(500)),
    "OpenAI refuses a dotted name": first(
        chat({"content": None, "tool_calls": [call("functions.ruler", id="a1")]}), refuses=names_by_rule
    ),
    "OpenAI refuses an empty name": first(
        chat({"content": None, "tool_calls": [call(None, id="a1"), call(id="b1")]}), refuses=names_by_rule
    ),
    "an id given twice": first(TWICE, refuses=repeats_an_id),
    "Mistral wants ids of nine": first(chat({"content": "", "tool_calls": [call()]}), refuses=wants_nine_letters),
    "DeepSeek wants its reasoning back": thinker(),
    "a gateway names Gemini's broken call": once(
        chat({"content": ""}, "function_call_filter: MALFORMED_FUNCTION_CALL")
    ),
    "the old function_call": first(chat({"content": None, "function_call": OLD_CALL}, "function_call")),
}


@pytest.fixture
async def server():
    async with FakeServer() as server:
        yield server


@pytest.fixture
def ask(server, tmp_path):
    """Return a function that asks one lesion size with tools on and returns what ran."""

    async def asked(rule, **fields):
        server.behave(rule)
        url = server.gemini_url if fields.get("provider") == "gemini" else server.openai_url
        models = tmp_path / "models.yaml"
        models.write_text(json.dumps({"m": FIELDS | {"base_url": url} | fields}))
        given = {"model": "m", "models_file": models, "tools": "on", "probe": False, "progress": False}
        return await asyncio.to_thread(
            mva.run, selection={"tasks": ["size"], "limit": 1}, out=tmp_path / "run", **given
        )

    return asked


@pytest.mark.parametrize("report", ANSWERED)
async def test_the_model_is_heard(ask, report):
    (record,) = (await ask(ANSWERED[report])).run.records
    assert (record.outcome, record.response) == ("answered", FINAL)


@pytest.mark.parametrize(
    ("rule", "outcome", "words"),
    [
        pytest.param(
            always(chat({"content": "<think>The lesion"}, "error", error=DISCONNECTED)),
            "server_error",
            "Upstream provider disconnected",
            id="OpenRouter breaks off",
        ),
        pytest.param(
            always(chat({"content": "<answer>3, 2</answer> partial"}, "error", error=DISCONNECTED)),
            "server_error",
            "Upstream provider disconnected",
            id="OpenRouter breaks off behind numbers",
        ),
        pytest.param(always(chat({"content": "<think>The les"}, "abort")), "bad_reply", "abort", id="vLLM aborts"),
        pytest.param(
            always(chat({"content": "<answer>3, 2</answer> then"}, "max_tokens")),
            "limit_reached",
            "output token limit",
            id="cut off as max_tokens",
        ),
        pytest.param(
            always(chat({"content": "<think>I measure"}, "MAX_TOKENS")),
            "limit_reached",
            "output token limit",
            id="cut off as MAX_TOKENS",
        ),
        pytest.param(
            in_200(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
            "context_overflow",
            "4096 tokens",
            id="context overflow under 200",
        ),
        pytest.param(in_200(429, "Rate limit exceeded"), "rate_limited", "Rate limit", id="429 under 200"),
        pytest.param(empty_choices(), "bad_reply", "the reply has no choices", id="no choices"),
        pytest.param(
            always(error(400, "Failed to call a function.", code="tool_use_failed")),
            "tool_protocol",
            "readable tool call",
            id="Groq's broken call",
        ),
        pytest.param(
            first(chat({"content": HERMES, "tool_calls": []})), "tool_protocol", "nobody read", id="vLLM without parser"
        ),
        pytest.param(first(text(LFM2)), "tool_protocol", "nobody read", id="LFM2's call unread"),
        pytest.param(first(text(HARMONY)), "tool_protocol", "nobody read", id="harmony's call unread"),
        pytest.param(
            first(
                calls(("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.5})), refuses=takes_pictures(1)
            ),
            "unsupported",
            "pictures_per_request",
            id="vLLM takes one picture",
        ),
    ],
)
async def test_what_is_no_answer_ends_as_what_it_is(ask, rule, outcome, words):
    (record,) = (await ask(rule)).run.records
    assert record.outcome == outcome
    assert words in record.detail
    assert "Error: list" not in record.detail


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param(in_200(401, "No auth credentials found"), "No auth credentials", id="401 under 200"),
        pytest.param(
            lambda request: takes_no_system_role(request) or chat({"content": FINAL}),
            "system_role: fold",
            id="no system role",
        ),
        pytest.param(
            declared('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
            "--tool-call-parser to be set.*tool_calling: text",
            id="vLLM without auto tool choice",
        ),
        pytest.param(
            declared("gemma3:4b does not support tools"), "does not support tools.*tool_calling: text", id="Ollama"
        ),
    ],
)
async def test_what_no_sample_can_mend_stops_the_run(ask, rule, words):
    with pytest.raises(ProviderError, match=words):
        await ask(rule)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"system_role": "fold"}, lambda request: takes_no_system_role(request) or chat({"content": FINAL})),
        (
            {"pictures_per_request": 1},
            first(
                calls(("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.5, "y1": 0.5})), refuses=takes_pictures(1)
            ),
        ),
        ({"tool_calling": "text"}, lambda request: chat({"content": FINAL if turn_of(request) else LFM2})),
        ({"tool_calling": "text"}, lambda request: chat({"content": FINAL if turn_of(request) else HARMONY})),
    ],
    ids=["system_role", "pictures_per_request", "LFM2 in text", "harmony in text"],
)
async def test_the_key_of_the_row_that_was_named_helps(ask, settings, rule):
    (record,) = (await ask(rule, **settings)).run.records
    assert (record.outcome, record.response) == ("answered", FINAL)
    assert all(use.ok for use in record.tool_uses)
    assert bool(record.tool_uses) == ("system_role" not in settings)


async def test_reasoning_is_kept_and_not_scored(ask):
    ran = await ask(always(chat({"content": FINAL, "reasoning_content": "SECRETTHOUGHT at the upper right"})))
    (record,) = ran.run.records
    assert "SECRETTHOUGHT" not in record.response
    assert list(mva.load(ran.run.folder).turns().thoughts.dropna()) == ["SECRETTHOUGHT at the upper right"]


@pytest.mark.parametrize(
    "counts",
    [{}, {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}, {"total_tokens": 110}],
    ids=["empty", "null", "partial"],
)
async def test_usage_that_is_not_told_is_not_none(ask, counts):
    (record,) = (await ask(usage(**counts))).run.records
    assert (record.outcome, record.usage.unreported) == ("answered", 1)


GEMINI = {"provider": "gemini", "model": "gemini-2.5-flash", "api_key_env": "GEMINI_API_KEY"}


@pytest.mark.parametrize(
    ("reason", "outcome"), [("MALFORMED_RESPONSE", "tool_protocol"), ("MISSING_THOUGHT_SIGNATURE", "bad_reply")]
)
async def test_new_reasons_of_gemini(ask, monkeypatch, capfd, reason, outcome):
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-key-of-this-test")
    (record,) = (await ask(always(text("", finish=reason)), **GEMINI)).run.records
    assert record.outcome == outcome
    assert "Warning" not in capfd.readouterr().err


async def test_a_daily_quota_of_gemini_stops_the_run(ask, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-key-of-this-test")
    violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}
    detail = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
    with pytest.raises(ProviderError, match="daily quota"):
        await ask(always(gemini_error(429, "You exceeded your current quota.", detail)), **GEMINI)
