"""What errors mean: by the code of an error under status 200, by words, by the status of a gateway."""

import httpx2
import pytest
from fake.replies import error, raw
from fake.servers import FINAL, first, gemini_error

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.wire.reading import detail_of
from medvision_agent.agent.wire.words import MOST_READ
from medvision_agent.errors import ProviderError

ON = Condition.parse("on")
LONG = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"
GROQ = {"message": "Failed to call a function.", "code": "tool_use_failed", "failed_generation": "<function=ruler{"}


def under_200(message, **fields):
    return raw({"error": {"message": message, **fields}})


@pytest.mark.parametrize("wire", ["chat", "responses", "gemini"])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (under_200(LONG, code=400, type="BadRequestError"), Outcome.CONTEXT_OVERFLOW),
        (under_200(LONG), Outcome.CONTEXT_OVERFLOW),
        (under_200("too long", code="context_length_exceeded"), Outcome.CONTEXT_OVERFLOW),
        (under_200("Rate limit exceeded", code=429), Outcome.RATE_LIMITED),
        (under_200("Rate limit exceeded", code="429"), Outcome.RATE_LIMITED),
        (under_200("slow down", type="RateLimitError"), Outcome.RATE_LIMITED),
        (under_200("bad gateway", code=502), Outcome.SERVER_ERROR),
        (under_200("no such thing", code=400), Outcome.REJECTED),
        (under_200("your prompt was flagged", code=403), Outcome.REFUSED),
        (raw({"object": "error", "message": LONG, "type": "BadRequestError", "code": 400}), Outcome.CONTEXT_OVERFLOW),
        (raw({"message": "Too many requests", "statusCode": 429}), Outcome.RATE_LIMITED),
        (under_200("what a pity"), Outcome.BAD_REPLY),
        (raw({"error": "what a pity"}), Outcome.BAD_REPLY),
    ],
)
async def test_an_error_under_status_200_is_read_by_its_code(ask, reply, outcome, wire):
    given = await ask(reply, wire=wire)
    assert (given.outcome, given.response) == (outcome, "")
    assert "{" not in given.detail, "a sentence, and no Python"


@pytest.mark.parametrize(
    "reply",
    [
        under_200("No auth credentials found", code=401),
        under_200("no credit", code="insufficient_quota"),
        error(302, "moved"),
        error(405, "method not allowed"),
        error(407, "proxy wants a login"),
        error(415, "wrong type"),
    ],
)
async def test_what_no_other_sample_would_escape_stops_the_run(ask, reply):
    with pytest.raises(ProviderError):
        await ask(reply)


@pytest.mark.parametrize("wire", ["gemini", "chat", "responses"])
async def test_a_redirect_stops_the_run_and_names_the_setting(ask, wire):
    with pytest.raises(ProviderError, match="redirected; set base_url") as caught:
        await ask(error(307, "moved"), wire=wire)
    assert "log in to its gateway" in str(caught.value)


@pytest.mark.parametrize("wire", ["gemini", "chat", "responses"])
@pytest.mark.parametrize("status", [413, 414, 421, 423, 424, 431])
async def test_a_gateway_is_never_the_models_loss(ask, status, wire):
    given = await ask(error(status, "nothing of the model's"), wire=wire)
    assert (given.outcome, given.outcome.infrastructure) == (Outcome.GATEWAY, True)


async def test_a_page_under_status_400_is_a_gateways(ask):
    page = "<html><h1>400 Request Header Or Cookie Too Large</h1></html>"
    given = await ask(raw(page, status=400, content_type="text/html"))
    assert given.outcome is Outcome.GATEWAY


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(413, "Request too large: tokens per minute (TPM): limit 6000"), Outcome.RATE_LIMITED),
        (error(413, LONG), Outcome.CONTEXT_OVERFLOW),
        (error(403, "your input was flagged by moderation"), Outcome.REFUSED),
    ],
)  # fmt: skip
async def test_words_that_say_more_than_a_status(ask, reply, outcome):
    assert (await ask(reply)).outcome is outcome


def base_resp(code, words="something", **fields):
    return raw({"id": "1", "choices": None, "base_resp": {"status_code": code, "status_msg": words}, **fields})


@pytest.mark.parametrize(
    ("code", "words", "outcome"),
    [
        (1002, "rate limit", Outcome.RATE_LIMITED),
        (1039, "token limit", Outcome.RATE_LIMITED),
        ("1001", "request timeout", Outcome.TIMEOUT),
        (1024, "internal error", Outcome.SERVER_ERROR),
        (1026, "input new_sensitive", Outcome.REFUSED),
        (1027, "output new_sensitive", Outcome.REFUSED),
        (2013, "invalid params", Outcome.REJECTED),
        (2013, "invalid params, context window exceeds limit", Outcome.CONTEXT_OVERFLOW),
        (3999, "new", Outcome.BAD_REPLY),
    ],
)
async def test_minimax_states_its_errors_by_codes_of_its_own(ask, code, words, outcome):
    given = await ask(base_resp(code, words))
    assert given.outcome is outcome
    assert f"{words} (MiniMax, status_code {code})" in given.detail


@pytest.mark.parametrize("code", [1004, 1008, 2049, 2056, 2061])
async def test_minimax_without_key_or_credit_stops_the_run(ask, code):
    with pytest.raises(ProviderError, match=f"usage limit.*status_code {code}"):
        await ask(base_resp(code, "usage limit"))


async def test_minimax_says_of_every_reply_that_all_is_well(ask):
    choice = {"index": 0, "message": {"role": "assistant", "content": FINAL}, "finish_reason": "stop"}
    given = await ask(base_resp(0, "", choices=[choice], model="MiniMax-M2"))
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


QUOTA = {"@type": "type.googleapis.com/google.rpc.QuotaFailure"}


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (
            "gemini",
            gemini_error(429, "You exceeded your quota.", {**QUOTA, "violations": [{"quotaId": "GeneratePerDay"}]}),
        ),
        ("chat", error(429, "You exceeded your current quota.", code="insufficient_quota")),
        ("chat", error(429, "Rate limit reached on requests per day (RPD): Limit 200, Used 200")),
        ("chat", error(429, "Rate limit exceeded: free-models-per-day")),
        ("chat", under_200("Rate limit exceeded: free-models-per-day", code=429)),
    ],
)  # fmt: skip
async def test_a_quota_of_the_day_stops_the_run_and_is_called_that(ask, wire, reply):
    with pytest.raises(ProviderError, match="daily quota"):
        await ask(reply, wire=wire)


async def test_a_quota_of_the_minute_is_waited_for(ask):
    violations = [{"quotaId": "GenerateRequestsPerMinutePerProject"}]
    given = await ask(gemini_error(429, "quota", {**QUOTA, "violations": violations}), wire="gemini")
    assert given.outcome is Outcome.RATE_LIMITED


@pytest.mark.parametrize("body", [{"choices": []}, {"choices": None}, {}])
async def test_a_reply_without_choices_says_so(ask, body):
    given = await ask(raw({"id": "x", "object": "chat.completion", "model": "m", **body}))
    assert (given.outcome, given.detail) == (Outcome.BAD_REPLY, "the reply has no choices")


BROKEN_CALLS = {
    "groq": raw({"error": GROQ}, status=400),
    "groq, another gateway": under_200("provider returned error", code=400, metadata={"raw": "tool_use_failed"}),
    "llama.cpp": error(500, "Failed to parse tool call arguments as JSON: parse error at line 1, column 74"),
    "llama.cpp, later": error(500, "The model produced output that does not match the expected peg-native format"),
    "ollama": error(500, "error parsing tool call: raw='{\"x0\": }', err=invalid character '}'"),
}


@pytest.mark.parametrize("server_of", BROKEN_CALLS)
async def test_a_call_that_the_server_could_not_read_is_a_turn_of_the_model(ask, server, server_of):
    reply = BROKEN_CALLS[server_of]
    given = await ask(first(reply), ON)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)
    assert given.finish_reasons == ("malformed_function_call", "stop")
    assert (given.usage.model_calls, given.usage.unreported, given.failed_tries) == (2, 1, 0)
    roles = [message["role"] for message in server.requests[1].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    given = await ask(reply, ON)
    assert (given.outcome, len(given.finish_reasons)) == (Outcome.TOOL_PROTOCOL, 3)


async def test_what_the_server_quotes_of_the_call_is_kept_and_goes_back(ask, server):
    given = await ask(first(BROKEN_CALLS["groq"]), ON)
    assert given.trace.messages[2]["response_metadata"]["failed_generation"] == "<function=ruler{"
    assert "could not be read: <function=ruler{" in server.requests[1].body["messages"][2]["content"]


async def test_without_tools_a_server_that_cannot_read_a_reply_has_failed(ask):
    assert (await ask(BROKEN_CALLS["llama.cpp, later"])).outcome is Outcome.SERVER_ERROR
    called = await ask(BROKEN_CALLS["groq"])  # Groq says that a tool was called
    assert called.outcome is Outcome.TOOL_PROTOCOL


async def test_the_words_behind_a_gateway_are_shown(ask):
    behind = {
        "message": "Provider returned error",
        "code": 400,
        "metadata": {"raw": "At most 1 image(s) may be provided"},
    }
    given = await ask(raw({"error": behind}, status=400))
    assert "At most 1 image(s)" in given.detail
    assert "set pictures_per_request" in given.detail


async def test_a_body_that_is_no_json_is_named_as_such(ask):
    given = await ask(raw("<html>Log in</html>", content_type="text/html"))
    assert given.outcome is Outcome.BAD_REPLY
    assert given.detail.startswith("the reply is not a JSON object: '<html>Log in")


@pytest.mark.parametrize("wire", ["chat", "responses", "gemini"])
async def test_a_body_nested_too_deep_is_a_reply_that_cannot_be_read(ask, wire):
    given = await ask(raw('{"further":' + "[" * 19_000 + "]" * 19_000 + "}"), wire=wire)
    assert given.outcome is Outcome.BAD_REPLY
    assert given.detail.startswith("the reply cannot be read (RecursionError")


@pytest.mark.parametrize("wire", ["chat", "responses", "gemini"])
async def test_of_a_long_error_the_beginning_is_read(ask, wire):
    """A search of all of a body of 30 MB took half a minute, in which no other sample went on."""
    quoted = "x" * MOST_READ
    assert (await ask(error(400, f"{LONG} {quoted}"), wire=wire)).outcome is Outcome.CONTEXT_OVERFLOW
    assert (await ask(error(400, f"Not allowed: {quoted} {LONG}"), wire=wire)).outcome is Outcome.REJECTED


def test_half_a_key_is_not_shown():
    """The text is cut where a key stands, and what is before that vanishes from the detail."""
    request = httpx2.Request("POST", "http://host", headers={"Authorization": "Bearer plain-fake-key-0123456789"})
    failed = httpx2.ReadError(" " * (MOST_READ - 28) + "plain-fake-key-0123456789", request=request)
    assert detail_of(failed) == "ReadError:"
