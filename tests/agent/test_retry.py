"""What is asked again, how long is waited, what ends a sample and what the run; and that no key gets out."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from fake.replies import DROP, HANG, cut, error, text, trickle
from langchain_core.messages import HumanMessage

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import LONGEST_WAIT, RequestFailed
from medvision_agent.agent.wire.failures import classify
from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.errors import ProviderError


async def failure(provider, *replies, **settings):
    """Return the RequestFailed a request ends with."""
    with pytest.raises(RequestFailed) as caught:
        await provider.turn(*replies, **settings)
    return caught.value


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(429), Outcome.RATE_LIMITED),
        (error(429, "token limit per minute reached"), Outcome.RATE_LIMITED),
        (error(500), Outcome.SERVER_ERROR),
        (error(503), Outcome.SERVER_ERROR),
        (error(409), Outcome.SERVER_ERROR),
        (error(408), Outcome.TIMEOUT),
        (DROP, Outcome.CONNECTION),
        (cut(text("half of this")), Outcome.CONNECTION),
    ],
)
async def test_asked_again(provider, reply, outcome):
    assert (await provider.turn(reply, reply, text("at last"))).text == "at last"
    assert [(fault.outcome, number) for fault, number in provider.faults] == [(outcome, 1), (outcome, 2)]
    first, second = provider.waits
    assert 1 <= first <= 2 < second <= 3
    assert len(provider.requests) == 3, "nobody else tries again on top"


async def test_the_last_try(provider):
    failed = await failure(provider, *[error(503)] * 3, max_tries=3)
    assert (failed.fault.outcome, failed.tries, len(provider.waits)) == (Outcome.SERVER_ERROR, 3, 2)


async def test_retry_after_in_seconds(provider):
    await provider.turn(error(429, retry_after="7"), text("a"))
    assert 7 <= provider.waits[0] <= 8


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -2359", "soon", "nan"])
async def test_retry_after_that_is_no_date_is_left_alone(provider, date):
    assert (await provider.turn(error(503, retry_after=date), text("a"))).text == "a"
    assert 1 <= provider.waits[0] <= 2


async def test_retry_after_as_date(provider):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    await provider.turn(error(503, retry_after=when), text("a"))
    assert 27 <= provider.waits[0] <= 31


async def test_retry_info(gemini):
    await gemini.turn(error(429, retry_info="12.5s"), text("a"))
    assert 12.5 <= gemini.waits[0] <= 13.5


async def test_no_wait_without_end(provider):
    await provider.turn(error(429, retry_after="86400"), text("a"))
    assert LONGEST_WAIT <= provider.waits[0] <= LONGEST_WAIT + 1


@pytest.mark.parametrize("nonsense", ["soon", "-5", "nan", ""])
async def test_nonsense_in_retry_after(provider, nonsense):
    await provider.turn(error(429, retry_after=nonsense), text("a"))
    assert 0 <= provider.waits[0] <= 2


@pytest.mark.parametrize("reply", [HANG, trickle(text("x" * 2000), 0.02)], ids=["hang", "trickle"])
async def test_a_total_time_per_request(provider, reply):
    """A hung server, and one whose every byte comes in time but whose reply does not."""
    started = time.monotonic()
    failed = await failure(provider, reply, reply, max_tries=2, timeout_seconds=0.3)
    assert failed.fault.outcome is Outcome.TIMEOUT
    assert 0.6 <= time.monotonic() - started < 5


async def test_cancellation_goes_through(provider):
    provider.server.script([HANG])
    async with open_model(provider.config(), environ=provider.environ) as chat:
        task = asyncio.create_task(provider.call(chat, [HumanMessage("q")]))
        async with asyncio.timeout(5):
            await provider.server.heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert not provider.faults


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(400), Outcome.REJECTED),
        (error(422), Outcome.REJECTED),
        (error(413, "too large"), Outcome.GATEWAY),
        (error(414, "URI too long"), Outcome.GATEWAY),
        (error(431, "header too large"), Outcome.GATEWAY),
        (error(418, "who knows"), Outcome.GATEWAY),
        (error(400, "Input token count (9) exceeds the maximum number of tokens allowed."), Outcome.CONTEXT_OVERFLOW),
        (error(400, "too long", code="context_length_exceeded"), Outcome.CONTEXT_OVERFLOW),
        (error(400, "This model's maximum context length is 8 tokens."), Outcome.CONTEXT_OVERFLOW),
        (error(400, "request exceeds the available context size, try increasing it"), Outcome.CONTEXT_OVERFLOW),
        (error(400, "The response was filtered", code="content_filter"), Outcome.REFUSED),
        (error(400, "Invalid prompt: your prompt was flagged as violating our usage policy."), Outcome.REFUSED),
    ],
)  # fmt: skip
async def test_not_asked_again(provider, reply, outcome):
    failed = await failure(provider, reply)
    assert (failed.fault.outcome, failed.tries, provider.waits) == (outcome, 1, [])


@pytest.mark.parametrize(
    "reply",
    [
        error(401),
        error(402),
        error(403),
        error(404),
        error(400, "API key not valid. Please pass a valid API key."),
        error(429, "You exceeded your current quota.", code="insufficient_quota"),
    ],
)
async def test_what_ends_the_run(provider, reply):
    with pytest.raises(ProviderError) as caught:
        await provider.turn(reply)
    assert provider.config().model in str(caught.value)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_no_key_in_errors(provider, status):
    """Not even where the provider repeats it."""
    key = provider.environ["GEMINI_API_KEY" if provider.wire == "gemini" else "OPENAI_API_KEY"]
    with pytest.raises((ProviderError, RequestFailed)) as caught:
        await provider.turn(*[error(status, f"who is {key}?")] * 2, max_tries=2)
    told = [str(caught.value), repr(caught.value), *(repr(fault) for fault, _ in provider.faults)]
    assert any("[key]" in words for words in told)
    assert key not in str(told)
    assert caught.value.__cause__ is None, "the provider's own error may quote the request"


async def test_no_key_in_what_is_kept(provider):
    provider.server.script([text("a")])
    async with open_model(provider.config(), environ=provider.environ) as chat:
        message, turn = await provider.call(chat, [HumanMessage("q")])
        kept = f"{chat!r} {chat.config!r} {chat.model!r} {message!r} {turn!r} {chat.config.identity()}"
    assert provider.requests[0].headers["x-goog-api-key" if provider.wire == "gemini" else "authorization"]
    for key in provider.environ.values():
        assert key not in kept


async def test_requests_per_minute_are_kept_by_all_conversations_together(provider):
    provider.server.script([text("a"), text("b"), text("c")])
    async with open_model(provider.config(requests_per_minute=2), environ=provider.environ) as chat:
        vars(chat)["pace"] = Pace(2, clock=lambda: sum(provider.waits))
        for _ in range(3):
            await provider.call(chat, [HumanMessage("q")])
    assert provider.waits == [60.0]


def test_the_key_of_any_interface_is_blotted_out_before_a_detail_is_cut():
    key = "plainly-0123456789-a-key"
    request = httpx2.Request("POST", "https://api.example.org", headers={"x-api-key": key})
    failed = RuntimeError("x" * 470 + key)
    failed.response = httpx2.Response(500, request=request)
    failed.status_code = 500
    detail = classify(failed).detail
    assert "plainly" not in detail


async def test_no_key_in_a_reply_that_repeats_it(provider):
    key = provider.environ["GEMINI_API_KEY" if provider.wire == "gemini" else "OPENAI_API_KEY"]
    provider.server.script([text(f"your header was {key}", thoughts=f"what is {key}")])
    async with open_model(provider.config(), environ=provider.environ) as chat:
        message, turn = await provider.call(chat, [HumanMessage("q")])
    assert turn.text == "your header was [key]"
    assert key not in f"{message!r}"


@pytest.mark.parametrize("key", ["1", "none", "EMPTY", "answer"])
async def test_a_word_in_place_of_a_key_leaves_replies_alone(provider, key):
    provider.server.script([text("none EMPTY <answer>1.1</answer>")])
    async with open_model(provider.config(), environ=dict.fromkeys(provider.environ, key)) as chat:
        _, turn = await provider.call(chat, [HumanMessage("q")])
    assert turn.text == "none EMPTY <answer>1.1</answer>"
